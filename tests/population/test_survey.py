"""The survey on small fleets: what it names, what it leaves alone, and what it cannot tell apart."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from broadstreet.population.ground import Ground
from broadstreet.population.survey import survey, votes_of
from broadstreet.records.outbreak import Outbreak
from tests.population.fleets import Fleet

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def found(fleet: Fleet, **told: tuple[str, ...]) -> tuple[Outbreak, ...]:
    return survey(fleet.population(**told)).outbreaks


def test_a_population_without_crashes_has_no_outbreak() -> None:
    fleet = Fleet(10)
    fleet.crash(0, 1.0)
    assert found(fleet) == ()


def test_crashes_spread_evenly_over_a_fleet_are_no_outbreak() -> None:
    fleet = Fleet(500)
    fleet.everywhere(200)
    assert found(fleet) == ()


def test_four_crashes_on_one_of_five_hundred_hosts_are_that_hosts() -> None:
    fleet = Fleet(500)
    fleet.everywhere(40)
    for day in (3.0, 9.0, 14.0, 22.0):
        fleet.crash(7, day)
    (outbreak,) = found(fleet)
    assert (outbreak.cohort, outbreak.kind, outbreak.episodes) == ({"host": "h7"}, "cohort", 4)
    assert len(outbreak.elsewhere) == 40


def test_a_crash_loop_is_one_episode_and_no_outbreak() -> None:
    fleet = Fleet(500)
    fleet.everywhere(40)
    for minute in range(30):
        fleet.crash(7, 3.0 + minute * 10 / 1440)
    population = fleet.population()
    assert len(population) == 70
    assert len(votes_of(population)) == 41
    assert survey(population).outbreaks == ()


def test_crashes_of_unknown_hosts_accuse_nobody() -> None:
    fleet = Fleet(500)
    for day in range(20):
        fleet.crash(None, day + 0.5)
    assert [one.cohort for one in found(fleet)] == []


def test_a_host_that_nothing_says_was_up_is_not_accused() -> None:
    fleet = Fleet(100, rack=[f"r{n // 10}" for n in range(100)])
    fleet.everywhere(30)
    for day in range(6):
        fleet.crash(3, 2.0 + day)
    population = fleet.population()
    at_risk = population.at_risk
    assert at_risk is not None
    at_risk.measures["host_hours"][3] = 0.0
    assert [one.cohort for one in survey(population).outbreaks if "host" in one.cohort] == []


def test_the_machine_is_named_and_not_one_of_the_virtual_hosts_on_it() -> None:
    fleet = Fleet(800, physical_host=[f"p{n // 8}" for n in range(800)])
    fleet.everywhere(60)
    for number, day in enumerate((2.0, 5.0, 8.0, 11.0, 17.0, 20.0, 25.0)):
        fleet.crash(40 + number, day)
    (outbreak,) = found(fleet)
    assert outbreak.cohort == {"physical_host": "p5"}


def test_a_rack_is_named_where_each_of_its_hosts_crashes_once() -> None:
    fleet = Fleet(400, rack=[f"r{n // 20}" for n in range(400)])
    fleet.everywhere(40)
    for number in range(14):
        fleet.crash(100 + number, 1.0 + number * 1.7)
    (outbreak,) = found(fleet)
    assert outbreak.cohort == {"rack": "r5"}


def test_a_sign_that_goes_with_a_machine_splits_a_syndrome() -> None:
    fleet = Fleet(300, physical_host=[f"p{n // 3}" for n in range(300)])
    fleet.everywhere(40, mechanism__misaligned_stack=0, mechanism__return_to_null=1)
    for number in range(12):
        fleet.crash(30 + number % 3, 10.0 + number, mechanism__misaligned_stack=1, mechanism__return_to_null=0)
    first = found(fleet)[0]
    assert first.cohort == {"physical_host": "p10"}
    assert first.parts in (("mechanism misaligned_stack",), ("not mechanism return_to_null",))
    assert len(first.cases) == 12
    assert first.elsewhere == ()


def test_a_sign_that_was_not_observed_elsewhere_does_not_split() -> None:
    fleet = Fleet(300)
    fleet.everywhere(40)
    for number in range(5):
        fleet.crash(30, 10.0 + number, feature__x=1)
    assert all(one.splits == () for one in found(fleet))


def test_two_outcomes_of_one_bug_are_not_two_causes() -> None:
    fleet = Fleet(300)
    fleet.everywhere(60, seed=2, mechanism__a=1, mechanism__b=0)
    fleet.everywhere(60, seed=3, mechanism__a=0, mechanism__b=1)
    assert found(fleet) == ()


def test_a_make_of_machine_that_only_does_other_work_is_not_accused() -> None:
    # 200 hosts; the work that crashes runs on 80 of 100 of one make, and on 20 of 100 of the other.
    sku = ["a"] * 100 + ["b"] * 100
    workload = ["bulk"] * 80 + ["serve"] * 20 + ["bulk"] * 20 + ["serve"] * 80
    fleet = Fleet(200, sku=sku, workload=workload)
    for number in range(100):
        fleet.crash(number if number < 80 else 20 + number, 0.25 * number + 0.1)
    (outbreak,) = found(fleet)
    assert outbreak.cohort == {"workload": "bulk"}
    make = next(one for one in outbreak.others if one.attribute == "sku")
    assert make.value == "a"
    assert make.naive.low > 2
    assert make.adjusted is not None
    assert make.adjusted.low < 1 < make.adjusted.high


def test_what_always_comes_together_is_said_to_be_the_same() -> None:
    fleet = Fleet(200, sku=["a"] * 60 + ["b"] * 140, workload=["bulk"] * 60 + ["serve"] * 140)
    for number in range(40):
        fleet.crash(number, 0.6 * number + 0.1)
    told = {one.attribute: one for one in found(fleet)[0].others}
    assert told["workload"].same_as == ("sku",)
    assert told["sku"].same_as == ("workload",)
    assert told["sku"].adjusted is None


def test_an_onset_is_dated_to_the_day() -> None:
    fleet = Fleet(300, days=90)
    fleet.everywhere(9)
    for number in range(60):
        fleet.crash((number * 7) % 300, 60.0 + number * 0.5)
    (outbreak,) = found(fleet)
    assert outbreak.kind == "everywhere"
    assert outbreak.onset is not None
    assert outbreak.onset.at is not None
    assert abs(outbreak.onset.at - (BEGIN + timedelta(days=60))) <= timedelta(days=1)


def test_different_crashes_on_one_host_are_linked() -> None:
    fleet = Fleet(300)
    for number in range(30):
        fleet.crash((number * 11) % 300, 0.8 * number, f"bug{number % 3}|main", f"S-{number % 3}")
    for number in range(6):
        fleet.crash(5, 3.0 + 4 * number, f"odd{number}|main", f"S-odd{number}")
    (outbreak,) = found(fleet)
    assert (outbreak.kind, outbreak.cohort) == ("linked", {"host": "h5"})
    assert len(outbreak.cases) >= 6


def test_many_crashes_of_one_bug_on_one_host_are_not_linked() -> None:
    fleet = Fleet(300)
    fleet.everywhere(30)
    for number in range(6):
        fleet.crash(5, 3.0 + 4 * number)
    assert [one.kind for one in found(fleet)] == ["cohort"]


def test_without_time_at_risk_other_crashes_of_the_service_are_the_controls() -> None:
    fleet = Fleet(100, service=["s"] * 100, label=["x"] * 30 + ["y"] * 70)
    for number in range(30):
        fleet.crash(number, 0.9 * number, "f|main", "S-1")
    for number in range(60):
        fleet.crash(30 + number, 0.4 * number, "g|main", "S-2")
    outbreak = next(one for one in found(fleet, untold=("label",)) if one.syndrome == "S-1")
    told = next(one for one in outbreak.others if one.attribute == "label")
    assert (told.value, told.against, told.inside, told.of, told.share) == ("x", "other crashes", 30, 30, 0.0)


def test_ten_crashes_of_one_host_are_one_control() -> None:
    """Of the label the bad host has, ten controls of ten would make thirty of forty without it stand out."""
    fleet = Fleet(100, service=["s"] * 100, label=["x"] * 30 + ["y"] * 70)
    for number in range(40):
        fleet.crash(number + 10, 0.6 * number, "f|main", "S-1")
    for number in range(40):
        fleet.crash(5, 0.6 * number, "g|main", "S-2")
    for one in found(fleet, untold=("host", "label")):
        for told in (one.comparison, *one.others):
            assert told is None or told.attribute != "label" or told.share == 1.0
            assert told is None or told.test.arguments.get("c", 0) <= 1


def test_what_was_taken_out_is_no_control_of_the_rest() -> None:
    fleet = Fleet(30, region=[f"r{n % 3}" for n in range(30)])
    for number in range(30):
        fleet.crash(number, 0.9 * number)
    population = fleet.population(untold=("region",))
    controls = Ground(population, votes_of(population)).controls([("region", 1)])
    assert sorted({population.exposures["region"].cases[row] for row in np.flatnonzero(controls)}) == [0, 2]
    assert controls.sum() == 20


def test_a_crash_whose_place_is_not_known_is_neither_inside_nor_elsewhere() -> None:
    fleet = Fleet(500)
    for day in (3.0, 9.0, 14.0, 22.0):
        fleet.crash(7, day)
    fleet.crash(8, 5.0)
    fleet.crash(None, 6.0)
    (outbreak,) = found(fleet)
    assert (len(outbreak.cases), len(outbreak.elsewhere), len(outbreak.unplaced)) == (4, 1, 1)


def test_the_few_hosts_of_a_hot_tenant_are_told_as_that_tenant() -> None:
    fleet = Fleet(
        600, tenant=["hot"] * 4 + [f"t{n // 40}" for n in range(596)], rack=[f"r{n // 20}" for n in range(600)]
    )
    fleet.everywhere(40)
    for number in range(24):
        fleet.crash(number % 4, 1.1 * number)
    assert [one.cohort for one in found(fleet)] == [{"tenant": "hot"}]


def test_a_bad_host_of_a_tenant_is_told_as_that_host() -> None:
    fleet = Fleet(600, tenant=[f"t{n // 40}" for n in range(600)], rack=[f"r{n // 20}" for n in range(600)])
    fleet.everywhere(40)
    for number in range(8):
        fleet.crash(100, 3.1 * number)
    assert [one.cohort for one in found(fleet)] == [{"host": "h100"}]


@pytest.mark.parametrize("seed", range(10))
def test_the_same_population_gives_the_same_survey_whatever_the_order_of_its_exposures(seed: int) -> None:
    fleet = Fleet(200, rack=[f"r{n // 20}" for n in range(200)], sku=["a", "b"] * 100)
    fleet.everywhere(30, seed=seed)
    for day in (3.0, 9.0, 14.0):
        fleet.crash(7, day)
    backwards = Fleet(200, **dict(reversed([(n, v) for n, v in fleet.of_host.items() if n != "host"])))
    backwards.rows = fleet.rows
    assert survey(fleet.population()) == survey(backwards.population())
