"""E-values: what they are by hand, and the error that they promise."""

import numpy as np
import pytest

from broadstreet.statistics.evalues import e_values


def test_one_ratio_by_hand() -> None:
    assert e_values([0, 2], [0.1, 0.1], [10.0]) == pytest.approx([np.exp(-0.9), 100 * np.exp(-0.9)])


def test_a_mixture_is_the_mean_of_its_bets() -> None:
    assert e_values(3, 1.0, [2.0, 5.0]) == pytest.approx((8 * np.exp(-1) + 125 * np.exp(-4)) / 2)


def test_under_the_null_the_mean_is_one() -> None:
    counts = np.arange(200)
    p = np.exp(counts * np.log(2.0) - 2.0 - np.cumsum(np.log(np.maximum(counts, 1))))
    assert float((p * e_values(counts, 2.0, [2.0, 5.0, 10.0])).sum()) == pytest.approx(1)


def test_a_host_that_is_watched_daily_is_falsely_called_less_often_than_promised() -> None:
    generator = np.random.default_rng(4)
    counts = np.cumsum(generator.poisson(0.05, (2000, 365)), axis=1)
    reached = e_values(counts, 0.05 * np.arange(1, 366)) >= 1 / 0.05
    assert reached.any(axis=1).mean() <= 0.05


def test_a_huge_count_is_no_infinity() -> None:
    assert np.isfinite(e_values(10**6, 1.0))
