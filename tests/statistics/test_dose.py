"""Dose and response against the Poisson regression of statsmodels, and by hand."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from broadstreet.statistics.dose import trend, without_dose

DOSE, CASES, AT_RISK = [1.0, 2.0, 4.0, 8.0], [3, 7, 11, 30], [100.0, 90.0, 110.0, 100.0]


def test_the_slope_and_the_fit_are_those_of_a_poisson_regression() -> None:
    told = trend(DOSE, CASES, AT_RISK)
    design = sm.add_constant(np.log(DOSE))
    oracle = sm.GLM(CASES, design, family=sm.families.Poisson(), offset=np.log(AT_RISK)).fit()
    flat = sm.GLM(CASES, np.ones(4), family=sm.families.Poisson(), offset=np.log(AT_RISK)).fit()
    assert told.slope is not None
    assert told.slope.value == pytest.approx(oracle.params[1])
    assert told.p_flat == pytest.approx(float(stats.chi2.sf(flat.deviance - oracle.deviance, 1)))
    assert told.p_fit == pytest.approx(float(stats.chi2.sf(oracle.deviance, 2)))
    assert (told.slope.low, told.slope.high) == pytest.approx(tuple(oracle.conf_int()[1]), abs=0.05)


def test_proportion_is_judged_with_the_dose_as_time_at_risk() -> None:
    told = trend(DOSE, CASES, AT_RISK)
    at_risk = np.log(np.asarray(AT_RISK) * DOSE)
    design = sm.add_constant(np.log(DOSE))
    best = sm.GLM(CASES, design, family=sm.families.Poisson(), offset=at_risk).fit()
    proportional = sm.GLM(CASES, np.ones(4), family=sm.families.Poisson(), offset=at_risk).fit()
    assert told.p_proportional == pytest.approx(float(stats.chi2.sf(proportional.deviance - best.deviance, 1)))


@pytest.mark.parametrize(("slope", "rejected"), [(0.0, "p_flat"), (1.0, "p_proportional")])
def test_a_true_slope_is_rejected_as_often_as_the_level(slope: float, rejected: str) -> None:
    generator = np.random.default_rng(5)
    means = 10 * np.asarray(DOSE) ** slope
    ps = [getattr(trend(DOSE, generator.poisson(means), np.ones(4)), rejected) for _ in range(400)]
    assert np.mean(np.asarray(ps) < 0.05) <= 0.08


@pytest.mark.parametrize(("dose", "cases"), [([1, 1], [3, 4]), ([1, 2], [0, 0]), ([0, 3], [1, 2]), ([], [])])
def test_one_dose_or_no_case_tells_nothing(dose: list[float], cases: list[int]) -> None:
    assert trend(dose, cases, np.ones(len(dose))) == (None, None, None, None)


def test_a_cohort_without_the_dose_is_the_negative_control_by_hand() -> None:
    told = without_dose([0, 1, 2], [0, 10, 14], [50.0, 25.0, 25.0])
    assert told is not None
    assert (told.cases, told.p) == (0, pytest.approx(0.5**24))
    assert without_dose([1, 2], [3, 4], [1.0, 1.0]) is None


def test_all_cases_in_the_highest_cohort_have_a_slope_with_an_end() -> None:
    told = trend([1, 100], [0, 5], [1.0, 1.0]).slope
    assert told is not None
    assert told.low > 0
    assert np.isfinite(told.high)
