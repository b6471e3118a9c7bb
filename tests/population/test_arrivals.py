"""What was new shortly before an outbreak began: within which days, and where."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from broadstreet.population.arrivals import BEFORE, arrivals
from broadstreet.population.ground import Ground
from broadstreet.population.population import AtRisk, Attribute, Population
from broadstreet.records.outbreak import Onset
from tests.population.fleets import DAY, START, Fleet

BEGIN = datetime.fromtimestamp(START, UTC)


def onset(day: float) -> Onset:
    at = BEGIN + timedelta(days=day)
    return Onset(at, at, at + timedelta(days=1), None, None, None, (0.1, 1.0, None), None)


def rolled_out(at: dict[int, float], attribute: str = "service_release") -> Ground:
    """Two hosts of ninety days; each is told in two pieces, the second with the new value from this day on."""
    fleet = Fleet(2, days=90)
    fleet.crash(0, 50.0)
    made: Population = fleet.population()
    starts, ends, hosts, values = [], [], [], []
    for host in range(2):
        day = at.get(host, 90.0)
        for first, last, value in ((0.0, day, 0), (day, 90.0, 1)):
            if last > first:
                starts.append(START + first * DAY)
                ends.append(START + last * DAY)
                hosts.append(host)
                values.append(value)
    hours = (np.array(ends) - np.array(starts)) / 3600
    exposures = {
        "host": replace(made.exposures["host"], at_risk=np.array(hosts, np.int32)),
        attribute: Attribute(attribute, ["old", "new"], np.zeros(1, np.int32), np.array(values, np.int32)),
    }
    made = replace(made, exposures=exposures, at_risk=AtRisk(np.array(starts), np.array(ends), {"host_hours": hours}))
    return Ground(made, np.arange(1))


@pytest.mark.parametrize(("day", "told"), [(40.0, True), (36.5, True), (35.0, False), (50.5, True), (52.0, False)])
def test_a_release_that_came_in_the_fortnight_before_is_told(day: float, told: bool) -> None:
    assert timedelta(days=14) == BEFORE
    found = arrivals(rolled_out({0: day}), onset(50), ())
    assert [(one.attribute, one.value) for one in found] == ([("service_release", "new")] if told else [])


def test_of_an_outbreak_on_one_host_it_is_what_came_to_that_host() -> None:
    ground = rolled_out({0: 10.0, 1: 45.0})
    assert arrivals(ground, onset(50), ()) == ()
    (there,) = arrivals(ground, onset(50), (("host", 1),))
    assert there.at == BEGIN + timedelta(days=45)


def test_what_was_there_on_the_first_day_did_not_come() -> None:
    assert arrivals(rolled_out({0: 0.0, 1: 0.5}), onset(1.0), ()) == ()


def test_a_tenant_or_a_workload_that_came_is_not_told() -> None:
    assert arrivals(rolled_out({0: 45.0}, "workload"), onset(50), ()) == ()


def test_without_an_onset_nothing_came_before_it() -> None:
    assert arrivals(rolled_out({0: 45.0}), None, ()) == ()
