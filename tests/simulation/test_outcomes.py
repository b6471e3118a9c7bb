from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from broadstreet.records.outbreak import Onset, Outbreak, Survey
from tests.accuracy.tally import share
from tests.simulation import outcomes
from tests.simulation.causes import Cause, Look
from tests.simulation.fleet import EPOCH, Shape
from tests.simulation.outcomes import Run
from tests.simulation.populate import Scenario, populated

LOOK = Look(("bugs",), kinds=1, syndrome="one")
BUG = Cause("bug", "software", LOOK, crashes=20, outbreak=False)
BAD = Cause("bad host", "hardware", LOOK, crashes=5, within={"physical_host": "ph-00003"}, since=10.0)
POPULATION, TRUTH = populated(Scenario("test", Shape(physical_hosts=10), (BUG, BAD)), 1)
BUGS, FAULTS = (sorted(planted.cases) for planted in TRUTH.planted)
START = datetime.fromtimestamp(EPOCH, UTC)


def _outbreak(places: Iterable[int], cohort: Mapping[str, str], **more: object) -> Outbreak:
    declared: dict[str, object] = {
        "id": "a",
        "rank": 1,
        "kind": "cohort" if cohort else "everywhere",
        "syndrome": "one",
        "mechanism": "return_to_null",
        "cohort": dict(cohort),
        "parts": (),
        "cases": tuple(POPULATION.case_ids[place] for place in places),
        "elsewhere": (),
        "episodes": 5,
        "onset": None,
        "comparison": None,
        "others": (),
        "splits": (),
    }
    return Outbreak(**{**declared, **more})  # type: ignore[arg-type]


def _run(*outbreaks: Outbreak) -> Run:
    survey = Survey(START, START, len(POPULATION), len(POPULATION), 1, {}, outbreaks)
    return Run(POPULATION, TRUTH, survey)


def test_the_right_host_with_its_crashes_is_named():
    assert outcomes.found(_run(_outbreak(FAULTS, {"physical_host": "ph-00003"})))["named"]


def test_one_machine_of_the_bad_host_is_not_the_host():
    scores = outcomes.found(_run(_outbreak(FAULTS, {"host": "vm-000003"})))

    assert not scores["named"]
    assert scores["named otherwise"]
    assert not scores["false alarm"]


def test_the_right_host_with_the_wrong_crashes_is_a_false_alarm():
    scores = outcomes.found(_run(_outbreak(BUGS, {"physical_host": "ph-00003"})))

    assert not scores["named"]
    assert scores["false alarm"]


def test_a_host_with_the_crashes_of_a_bug_that_is_everywhere_is_a_false_host():
    scores = outcomes.nothing(_run(_outbreak(BUGS[:4], {"host": "vm-000001"})))

    assert scores["false host"]


def test_a_bug_that_is_listed_and_accuses_nobody_is_no_alarm():
    assert not outcomes.nothing(_run(_outbreak(BUGS, {})))["false alarm"]


def test_an_innocent_attribute_may_stand_out():
    accused = _run(_outbreak(BUGS[:4], {"tenant": "hot"}))

    assert outcomes.nothing(accused)["false alarm"]
    assert not outcomes.nothing(accused, innocent=("tenant",))["false alarm"]


def test_two_causes_are_both_found_if_the_rest_is_an_outbreak_of_its_own():
    host = _outbreak(FAULTS, {"physical_host": "ph-00003"})

    assert outcomes.parted(_run(host, _outbreak(BUGS, {})), "bad host", "bug")["both"]
    assert not outcomes.parted(_run(host), "bad host", "bug")["both"]


def test_cases_of_the_other_cause_lower_how_right_an_outbreak_is():
    mixed = _outbreak([*FAULTS, *BUGS[:3]], {"physical_host": "ph-00003"})

    scores = outcomes.parted(_run(mixed), "bad host", "bug")
    assert scores["cases right"] == pytest.approx(5 / 8)
    assert scores["cases found"] == 1.0


@pytest.mark.parametrize(("day", "right"), [(10.5, True), (12.0, False)])
def test_an_onset_is_right_if_it_is_at_most_a_day_off(day, right):
    at, low, high = (START + timedelta(days=value) for value in (day, 9.0, 13.0))
    dated = Onset(at, low, high, None, None, None, (None, 1.0, None), None)

    scores = outcomes.onset(_run(_outbreak(FAULTS, {"physical_host": "ph-00003"}, onset=dated)), "bad host")
    assert scores["within a day"] is right
    assert scores["interval holds it"]


def test_intervals_are_those_of_clopper_and_pearson():
    # scipy.stats.binomtest(291, 300).proportion_ci(0.95, "exact")
    assert share(291, 300).low == pytest.approx(0.943816, abs=1e-6)
    assert share(291, 300).high == pytest.approx(0.986192, abs=1e-6)
    assert share(0, 1_000).high == pytest.approx(0.003682, abs=1e-6)
    assert share(7, 7).high == 1.0
