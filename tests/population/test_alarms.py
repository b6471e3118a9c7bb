"""Alarms of a syndrome against its own past."""

import numpy as np

from broadstreet.population.alarms import alarms
from broadstreet.population.ground import Ground
from broadstreet.population.survey import votes_of
from broadstreet.records.outbreak import Alarm
from tests.population.fleets import DAY, START, Fleet


def given(fleet: Fleet) -> tuple[Alarm, ...]:
    population = fleet.population()
    return alarms(Ground(population, votes_of(population)))


def steady(days: int, a_day: float, seed: int) -> Fleet:
    fleet = Fleet(200, days=days)
    fleet.everywhere(round(days * a_day), seed=seed)
    return fleet


def test_a_jump_is_told_within_the_week_and_dated() -> None:
    fleet = steady(120, 0.2, 3)
    for number in range(20):
        fleet.crash(number * 9, 90.0 + number * 0.5)
    told = [one for one in given(fleet) if one.until > START + 90 * DAY]
    assert told[0].until <= START + 97 * DAY
    assert told[0].since >= START + 86 * DAY
    assert told[0].seen > 4 * told[0].expected


def test_five_years_of_a_constant_rate_give_one_false_alarm_at_most_on_average() -> None:
    counts = [len(given(steady(1_826, 0.2, seed))) for seed in range(20)]
    assert np.mean(counts) <= 1.0


def test_nothing_is_told_before_there_is_a_past() -> None:
    fleet = Fleet(50, days=60)
    for number in range(20):
        fleet.crash(number, 3.0 + 0.1 * number)
    assert given(fleet) == ()


def test_a_fleet_that_grows_is_no_alarm() -> None:
    fleet = Fleet(400, days=200)
    population_before = [host for host in range(200)]
    random = np.random.default_rng(5)
    for _ in range(60):
        fleet.crash(int(random.choice(population_before)), float(random.random() * 100))
    for _ in range(240):
        fleet.crash(int(random.integers(0, 400)), 100 + float(random.random() * 100))
    population = fleet.population()
    at_risk = population.at_risk
    assert at_risk is not None
    at_risk.start[200:] = START + 100 * DAY
    at_risk.measures["host_hours"][:200] *= 0.5  # the first half of the fleet does half as much
    assert alarms(Ground(population, votes_of(population))) == ()
