"""Stratified comparisons against enumeration, statsmodels and scipy.stats."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.rates import test_poisson_2indep as poisson_ratio

from broadstreet.statistics import strata
from broadstreet.statistics.strata import stratified


def test_the_p_is_that_of_all_outcomes_enumerated() -> None:
    inside, total, share = [2, 1, 3], [3, 4, 5], [0.1, 0.3, 0.25]
    p = sum(
        math.prod(stats.binom.pmf(k, n, q) for k, n, q in zip(outcome, total, share, strict=True))
        for outcome in product(*(range(n + 1) for n in total))
        if sum(outcome) >= 6
    )
    assert stratified(inside, total, share).p == pytest.approx(p)


def test_one_stratum_is_the_binomial() -> None:
    told = stratified([9], [39], [50 / 2050])
    assert told.p == pytest.approx(3.3e-7, rel=0.02)
    assert told.ratio is not None
    assert told.ratio.value == pytest.approx(12)


def test_equal_strata_are_one() -> None:
    assert stratified([4, 5], [19, 20], [0.1, 0.1]).p == pytest.approx(float(stats.binom.sf(8, 39, 0.1)))


@pytest.mark.parametrize("excess", [0, 5, 20, 60, 150])
def test_the_saddlepoint_is_within_a_hundredth_of_the_exact(excess: int, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    total, share = generator.integers(1, 30, 40), generator.random(40) * 0.5
    inside = np.minimum(np.round(total * share).astype(int) + excess // 40 + (np.arange(40) < excess % 40), total)
    exact = stratified(inside, total, share).p
    monkeypatch.setattr(strata, "EXACT_UP_TO", 0)
    assert stratified(inside, total, share).p == pytest.approx(exact, rel=0.01)


def test_a_million_cases_are_told_too() -> None:
    told = stratified([51_000, 400_000], [100_000, 900_000], [0.5, 0.444])
    sd = math.sqrt(100_000 * 0.25 + 900_000 * 0.444 * 0.556)
    assert told.p == pytest.approx(float(stats.norm.sf((451_000 - 0.5 - 449_600) / sd)), rel=0.02)


def test_a_stratum_that_the_cohort_fills_tells_nothing() -> None:
    told = stratified([50, 2], [50, 10], [1.0, 0.2])
    assert (told.informative, told.inside, told.expected) == (10, 2, 2.0)


def test_with_no_stratum_that_holds_both_the_two_cannot_be_separated() -> None:
    told = stratified([50, 0, 0], [50, 40, 0], [1.0, 0.0, 0.5])
    assert (told.p, told.p_two_sided, told.ratio, told.informative) == (None, None, None, 0)


def test_a_mixture_of_workloads_is_no_effect_of_the_cohort() -> None:
    """80 % of the cohort runs the workload with ten times the rate: naively 10.8 times less rare than it is."""
    generator = np.random.default_rng(6)
    share = np.asarray([0.8, 0.2])
    total = generator.poisson([100, 10], (400, 2))
    ps = [stratified(generator.binomial(n, share), n, share).p or 1 for n in total]
    assert np.mean(np.asarray(ps) < 0.05) <= 0.065


def test_the_common_ratio_is_that_of_mantel_and_haenszel() -> None:
    # Person-time 10 and 90, 20 and 80 of 100 each: (6*0.9 + 8*0.8) / (14*0.1 + 12*0.2)
    told = stratified([6, 8], [20, 20], [0.1, 0.2]).ratio
    assert told is not None
    assert told.value == pytest.approx((6 * 0.9 + 8 * 0.8) / (14 * 0.1 + 12 * 0.2))
    variance = (20 * 0.09 + 20 * 0.16) / ((6 * 0.9 + 8 * 0.8) * (14 * 0.1 + 12 * 0.2))
    assert math.log(told.high / told.value) == pytest.approx(1.959964 * math.sqrt(variance))


def test_one_stratum_has_the_ratio_of_two_rates() -> None:
    told = stratified([30], [130], [0.2]).ratio
    assert told is not None
    assert told.value == pytest.approx(poisson_ratio(30, 20, 100, 80, compare="ratio").ratio)


@pytest.mark.parametrize(("inside", "low", "high"), [(0, 0.0, None), (4, None, math.inf)])
def test_an_empty_cell_has_the_exact_interval(inside: int, low: float | None, high: float | None) -> None:
    told = stratified([inside], [4], [0.1]).ratio
    assert told is not None
    limit = 0.025 ** (1 / 4)
    bound = 9 * ((1 - limit) / limit) if inside == 0 else 9 * limit / (1 - limit)
    assert (told.low, told.high) == pytest.approx((low, bound) if inside == 0 else (bound, high))


def test_the_interval_holds_the_truth_in_95_of_100() -> None:
    generator = np.random.default_rng(11)
    share, held = np.asarray([0.05, 0.2, 0.4]), 0
    for _ in range(300):
        a = generator.poisson(3 * share * np.asarray([10, 20, 5]))
        b = generator.poisson((1 - share) * np.asarray([10, 20, 5]))
        told = stratified(a, a + b, share).ratio
        held += told is None or told.low <= 3 <= told.high
    assert held >= 0.93 * 300


def test_two_sided_is_twice_the_smaller_tail() -> None:
    few = stratified([0], [50], [0.2])
    assert few.p == 1
    assert few.p_two_sided == pytest.approx(2 * 0.8**50)
