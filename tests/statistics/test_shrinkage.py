"""Rates of few crashes are pulled to the mean, as far as the counts say that the true rates are alike."""

import numpy as np
import pytest

from broadstreet.statistics.shrinkage import shrunken


def test_three_places_by_hand() -> None:
    # 10, 2 and 0 crashes in 10, 10 and 4: mean 12/24 = 0.5, expected 5, 5 and 2. The squares beyond the Poisson part
    # are 25-5, 9-5 and 4-2: 26, over 100+100+16 = 216. So shape 0.25*216/26 and scale 0.5*216/26.
    shape, scale = 0.25 * 216 / 26, 0.5 * 216 / 26
    wanted = [(10 + shape) / (10 + scale), (2 + shape) / (10 + scale), shape / (4 + scale)]
    assert shrunken([10, 2, 0], [10, 10, 4]) == pytest.approx(wanted)


def test_counts_that_vary_no_more_than_chance_all_have_the_mean() -> None:
    assert shrunken([1, 0, 1, 0], [1.0, 1.0, 1.0, 1.0]) == pytest.approx([0.5] * 4)


def test_no_crash_anywhere_is_a_rate_of_zero_and_not_unknown() -> None:
    assert shrunken([0, 0], [3.0, 5.0]).tolist() == [0.0, 0.0]


def test_much_time_at_risk_leaves_the_rate_as_it_is() -> None:
    assert shrunken([1_000_000, 4_000_000], [1e9, 1e9]) == pytest.approx([0.001, 0.004], rel=1e-3)


def test_a_place_without_time_at_risk_has_no_rate_and_moves_no_other() -> None:
    with_it, without = shrunken([10, 2, 0, 7], [10, 10, 4, 0]), shrunken([10, 2, 0], [10, 10, 4])
    assert np.isnan(with_it[3])
    assert with_it[:3] == pytest.approx(without)


def test_without_any_time_at_risk_no_rate_is_known() -> None:
    assert np.isnan(shrunken([1, 2], [0.0, 0.0])).all()
    assert shrunken([], []).tolist() == []


def test_a_short_time_is_pulled_further_than_a_long_one() -> None:
    rates = shrunken([30, 1, 2, 1], [10.0, 0.1, 30.0, 30.0])
    raw, mean = 30 / 10, 34 / 70.1
    assert mean < rates[1] < rates[0] < raw
