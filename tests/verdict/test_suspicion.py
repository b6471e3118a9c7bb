"""What is said of a host: figures as they are, and nothing is called unusual that chance gives."""

from typing import Any

import pytest

from broadstreet.records.suspect import Excess, Suspect
from broadstreet.records.weights import Interval
from broadstreet.verdict.suspicion import answer, chance, expectation, unusual

NOTHING = Excess(0, 0.0, None, 1.0, 1.0)


def suspect(every: Excess, hardware: Excess = NOTHING, **changes: Any) -> Suspect:
    told: dict[str, Any] = {"attribute": "physical_host", "value": "ph-1", "rank": 1, "hours": 17_212.0}
    told |= {"measure": "host_hours", "against": "time at risk", "sites": 3, "syndromes": 1, "asked": 1260}
    return Suspect(**(told | changes), every=every, hardware=hardware)


MANY = Excess(61, 0.68, Interval(110.0, 80.0, 140.0), 1e-96, 1e-93)
FEW = Excess(2, 1.3, Interval(1.5, 0.2, 5.6), 0.3, 0.9)


def test_more_than_chance_gives_is_unusual() -> None:
    assert unusual(suspect(MANY))
    assert answer(suspect(MANY)) == "Machine ph-1 has 61 crashes where 0.7 are expected."
    assert expectation(suspect(MANY)) == "0.7 expected in 17,200 host-hours: 110 (80–140) times its share."


def test_what_chance_gives_is_nothing_unusual() -> None:
    assert not unusual(suspect(FEW))
    assert answer(suspect(FEW)) == "Nothing unusual: machine ph-1 has 2 crashes where 1.3 are expected."
    assert expectation(suspect(FEW)) == "1.3 expected in 17,200 host-hours; nothing unusual."


def test_hardware_findings_alone_can_be_unusual() -> None:
    hardware = Excess(1, 0.01, Interval(90.0, 10.0, 300.0), 1e-6, 1e-4)
    assert (
        answer(suspect(FEW, hardware))
        == "Machine ph-1 has 1 crash that shows what failing hardware does, where 0.01 are expected."
    )


def test_without_time_at_risk_nothing_is_expected() -> None:
    untold = Excess(3, None, None, None, None)
    one = suspect(untold, untold, attribute="host", value="vm-1", hours=None, measure=None)
    assert answer(one) == "Host vm-1 has 3 crashes; how many to expect cannot be told."
    assert expectation(one) == "How many to expect cannot be told: nobody tells the time at risk."
    assert chance(untold, one) == "not known"


def test_the_chance_is_that_anywhere_among_all_that_were_asked_about() -> None:
    told = chance(MANY, suspect(MANY))
    assert told == "q 10^-93: the chance of so many anywhere among the 1,260 machines"


@pytest.mark.parametrize(("q", "is_unusual"), [(0.009, True), (0.011, False), (None, False)])
def test_one_in_a_hundred_is_the_border(q: float | None, is_unusual: bool) -> None:
    assert unusual(suspect(Excess(3, 0.5, None, q, q))) is is_unusual
