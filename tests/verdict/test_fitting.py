"""What the items are worth follows from counts alone, and can be made again by hand."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.tools import add_constant

from broadstreet.records.weights import Count
from broadstreet.verdict.counted import MOST, Prior, capped, checked, items, ratio
from broadstreet.verdict.fitting import Cause, Labelled, _levels, calibration, counted, fitted
from broadstreet.verdict.profile import profile
from tests.verdict.populations import bad_machine, race

HARDWARE: Cause = "hardware"
SOFTWARE: Cause = "software"
PRIOR = Prior(5, 100, "by hand")


def outbreaks(hardware: int, software: int) -> list[Labelled]:
    bad, bug = profile(*bad_machine(9)), profile(*race(30))
    return [*[Labelled(bad, "hardware")] * hardware, *[Labelled(bug, "software")] * software]


def test_a_ratio_is_that_of_two_shares_with_half_an_outbreak_added() -> None:
    assert ratio(Count(3, 9), Count(1, 19)).value == pytest.approx((3.5 / 10) / (1.5 / 20))


def test_the_interval_of_a_ratio_is_that_of_statsmodels() -> None:
    theirs = Table2x2([[3.5, 6.5], [1.5, 18.5]])
    low, high = theirs.riskratio_confint()
    mine = ratio(Count(3, 9), Count(1, 19))
    assert (mine.low, mine.high) == pytest.approx((low, high))


def test_a_level_that_no_software_had_has_a_finite_ratio() -> None:
    assert 1 < ratio(Count(50, 50), Count(0, 50)).value < 1000


def test_no_item_counts_more_than_the_cap() -> None:
    assert (
        capped(ratio(Count(10_000, 10_000), Count(0, 10_000)))[0].value == pytest.approx(exp(6)) == pytest.approx(MOST)
    )
    assert capped(ratio(Count(0, 10_000), Count(10_000, 10_000)))[0].value == pytest.approx(exp(-6))
    assert capped(ratio(Count(5, 10), Count(1, 10)))[1] is False


def test_levels_are_counted_by_cause() -> None:
    found = counted(outbreaks(3, 5))
    assert found["who"]["one machine"] == (Count(3, 3), Count(0, 5))
    assert found["who"]["nobody"] == (Count(0, 3), Count(5, 5))


def test_what_an_item_does_not_say_is_not_counted() -> None:
    assert counted(outbreaks(3, 5))["elsewhere"]["none"] == (Count(3, 3), Count(0, 0))


def mixed(seed: int) -> list[tuple[float, Cause]]:
    rng = np.random.default_rng(seed)
    scored = [(float(value), HARDWARE) for value in rng.normal(3, 2, 200)]
    return [*scored, *((float(value), SOFTWARE) for value in rng.normal(-2, 2, 600))]


def test_a_calibration_is_the_line_that_statsmodels_fits() -> None:
    scored = mixed(1)
    target = [201 / 202 if cause == "hardware" else 1 / 602 for _, cause in scored]
    theirs = GLM(target, add_constant([value for value, _ in scored]), family=Binomial()).fit()
    mine = calibration(scored)
    assert (mine.at_zero + log(200 / 600), mine.slope) == pytest.approx(tuple(theirs.params), rel=1e-4)
    assert mine.spread[2] == pytest.approx(theirs.cov_params()[1][1], rel=1e-3)


def test_a_calibration_says_what_the_outbreaks_at_a_score_bear_out() -> None:
    known = replace(items(), calibration=calibration(mixed(2)))
    for block in known.calibration.blocks:
        if block.hardware >= 20 and block.software >= 20:
            borne = ratio(Count(block.hardware, 200), Count(block.software, 600))
            assert log(borne.low) < known.worth((block.low + block.high) / 2).value < log(borne.high)


def test_causes_that_fall_apart_have_a_finite_calibration() -> None:
    apart = calibration([*[(-1.0, SOFTWARE)] * 80, *[(2.0, HARDWARE)] * 80])
    assert 0 < apart.slope < 10
    assert apart.most == pytest.approx(log((80.5 / 81) / (0.5 / 81)))


def test_no_score_is_worth_more_than_the_software_that_was_tried() -> None:
    few, many = (calibration([*[(-1.0, SOFTWARE)] * n, *[(2.0, HARDWARE)] * 80]) for n in (50, 5_000))
    assert replace(items(), calibration=few).worth(1e6).value == pytest.approx(log((80.5 / 81) / (0.5 / 51)))
    assert replace(items(), calibration=many).worth(1e6).value > replace(items(), calibration=few).worth(1e6).value


def test_items_whose_calibration_falls_are_refused() -> None:
    falling = replace(items().calibration, slope=-0.1)
    with pytest.raises(ValueError, match="falls"):
        checked(replace(items(), calibration=falling))


def test_a_level_that_hardly_any_outbreak_had_says_nothing() -> None:
    seldom = {"who": {"nobody": (Count(0, 500), Count(3, 500))}}
    assert replace(items(), levels=seldom).ratio("who", "nobody") is None


def test_the_fitted_items_tell_their_own_outbreaks_apart() -> None:
    found = fitted(outbreaks(400, 4_000), PRIOR, "by hand", "", {})
    assert found.outbreaks == {"hardware": 400, "software": 4_000}
    assert found.thresholds.hardware_right == Count(400, 400)
    assert found.thresholds.software_right == Count(4_000, 4_000)


def test_a_threshold_is_higher_where_software_is_mistaken() -> None:
    bad, machine = profile(*bad_machine(9)), profile(*bad_machine(9, found=3))
    mixed = [*outbreaks(400, 4_000), *[Labelled(machine, "software")] * 200, *[Labelled(bad, "hardware")] * 200]
    found = fitted(mixed, PRIOR, "by hand", "", {})
    assert found.thresholds.hardware_right.held == found.thresholds.hardware_right.judged == 600


def test_levels_that_ought_to_rise_and_do_not_are_counted_as_one() -> None:
    falling = [(Count(1, 10), Count(1, 10)), (Count(6, 10), Count(3, 10)), (Count(3, 10), Count(6, 10))]
    pooled = (Count(9, 10), Count(9, 10))
    assert _levels(falling, rises=True) == [falling[0], pooled, pooled]
    assert _levels(falling, rises=False) == falling
