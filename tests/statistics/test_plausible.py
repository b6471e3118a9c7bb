"""Predictions of products: by hand where nothing is drawn, by their definition where something is."""

import numpy as np
import pytest
from scipy import stats

from broadstreet.records.hypothesis import Range
from broadstreet.statistics.plausible import drawn, predicted, solved


def exactly(value: float) -> Range:
    return Range(value, value, value)


def test_half_of_a_factor_lies_under_its_middle_and_none_beyond_its_ends() -> None:
    values = drawn(Range(1.0, 2.0, 1000.0), 20_000, np.random.default_rng(1))
    assert np.mean(values < 2) == pytest.approx(0.5, abs=0.02)
    assert values.min() >= 1
    assert values.max() <= 1000
    over = values[values > 2]
    assert np.mean(over < np.sqrt(2000)) == pytest.approx(0.5, abs=0.02)  # evenly over powers of ten


def test_without_uncertainty_a_prediction_is_a_poisson_count() -> None:
    told = predicted([exactly(2.0), exactly(5.0)], 3.0, 40, np.random.default_rng(1))
    assert told.means.value == pytest.approx(30)
    assert (told.counts.low, told.counts.high) == pytest.approx(stats.poisson.ppf([0.025, 0.975], 30), abs=1)
    assert told.at_least == pytest.approx(float(stats.poisson.sf(39, 30)))
    assert told.at_most == pytest.approx(float(stats.poisson.cdf(40, 30)))
    assert (told.answer, told.powers) == ("compatible", 0)


@pytest.mark.parametrize(("observed", "answer"), [(30_000, "predicts too few"), (0, "predicts too many")])
def test_what_is_far_off_is_rejected_with_the_powers_of_ten_between(observed: int, answer: str) -> None:
    told = predicted([exactly(30.0)], 1.0, observed, np.random.default_rng(1))
    assert told.answer == answer
    expected = np.log10(29_661.5 / 30) if observed else np.log10(30 / 3.689)
    assert told.powers == pytest.approx(float(expected), abs=1e-3)


def test_a_wide_factor_is_compatible_with_more() -> None:
    generator = np.random.default_rng(1)
    assert predicted([Range(0.1, 10, 1000)], 1.0, 400, generator).answer == "compatible"
    assert predicted([Range(5, 10, 20)], 1.0, 400, generator).answer == "predicts too few"


def test_a_solved_factor_gives_back_what_was_observed() -> None:
    told = solved([exactly(1e4), exactly(1e3)], 3600.0 * 100, 360, np.random.default_rng(1))
    assert told.value == pytest.approx(1e-10, rel=0.01)
    low, high = (stats.gamma.ppf(q, 360.5) / 3.6e12 for q in (0.025, 0.975))
    assert (told.low, told.high) == pytest.approx((low, high), rel=0.01)


def test_nothing_observed_still_bounds_a_factor_from_above() -> None:
    told = solved([exactly(1.0)], 1.0, 0, np.random.default_rng(1))
    assert told.high == pytest.approx(float(stats.gamma.ppf(0.975, 0.5)), rel=0.1)


def test_means_beyond_all_counts_are_no_error() -> None:
    told = predicted([exactly(1e30)], 1.0, 5, np.random.default_rng(1))
    assert told.answer == "predicts too many"
    assert told.counts.value == pytest.approx(1e30)
