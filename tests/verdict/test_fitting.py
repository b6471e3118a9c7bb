"""What the items are worth follows from counts alone, and can be made again by hand."""

from dataclasses import replace
from math import exp, log

import pytest
from statsmodels.stats.contingency_tables import Table2x2

from broadstreet.records.weights import Count
from broadstreet.verdict.counted import MOST, Prior, capped, checked, items, ratio
from broadstreet.verdict.fitting import LEAST_IN_BLOCK, Labelled, calibration, counted, fitted
from broadstreet.verdict.profile import profile
from tests.verdict.populations import bad_machine, race

PRIOR = Prior(5, 100, "by hand")
N = 2 * LEAST_IN_BLOCK


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


def test_a_calibration_of_two_heaps_has_two_knots() -> None:
    low, high = calibration([*[(-1.0, "software")] * N, *[(2.0, "hardware")] * N])
    assert (low.score, high.score) == (-1.0, 2.0)
    assert high.worth == pytest.approx(log((N + 0.5) / 0.5))
    assert low.worth == pytest.approx(-high.worth)
    assert (high.hardware, high.software) == (N, 0)


def test_a_calibration_never_falls_though_the_truth_does() -> None:
    falls = [*[(3.0, "software")] * N, *[(2.0, "hardware")] * N, *[(1.0, "software")] * N]
    worths = [knot.worth for knot in calibration(falls)]
    assert worths == sorted(worths)
    assert len(worths) == 2


def test_a_calibration_between_two_knots_is_a_line() -> None:
    low, high = calibration([*[(0.0, "software")] * N, *[(2.0, "hardware")] * N])
    known = replace(items(), calibration=(low, high))
    assert known.worth(0.5)[0] == pytest.approx(low.worth + 0.25 * (high.worth - low.worth))


def test_items_whose_calibration_falls_are_refused() -> None:
    low, high = calibration([*[(0.0, "software")] * N, *[(2.0, "hardware")] * N])
    with pytest.raises(ValueError, match="falls"):
        checked(replace(items(), calibration=(replace(low, worth=9.0), high)))


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
