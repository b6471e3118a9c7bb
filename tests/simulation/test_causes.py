from dataclasses import replace

import numpy as np
import pytest

from broadstreet.population.population import Population
from tests.simulation.causes import ANY, Cause, Look
from tests.simulation.crashes import pool
from tests.simulation.fleet import DAY, EPOCH, Rollout, Shape
from tests.simulation.populate import Scenario, Truth, populated

SHAPE = Shape(physical_hosts=200, vms_each=2, days=60.0, moves=2.0, releases=(Rollout("26.0", 20, 10),))
BUG = Cause("bug", "software", Look(("bugs",), kinds=1, syndrome="one"), crashes=400)


def _made(
    *causes: Cause, shape: Shape = SHAPE, hides: tuple[str, ...] = (), seed: int = 11
) -> tuple[Population, Truth]:
    return populated(Scenario("test", SHAPE, causes, hides), seed=11)


def _values(population: Population, attribute: str) -> set[str]:
    told = population.exposures[attribute]
    return {told.values[code] for code in told.cases}


def test_the_same_seed_makes_the_same_population():
    first, second = _made(BUG)[0], _made(BUG)[0]

    assert np.array_equal(first.time, second.time)
    assert np.array_equal(first.exposures["host"].cases, second.exposures["host"].cases)


def test_crashes_are_in_the_order_of_their_time_and_within_what_was_observed():
    population, _ = _made(BUG, replace(BUG, name="other", loop=3.0))

    assert (np.diff(population.time) >= 0).all()
    assert population.time.min() >= population.start
    assert population.time.max() <= population.end


def test_a_rate_a_day_gives_as_many_crashes():
    population, _ = _made(replace(BUG, crashes=None, a_day=40.0))

    assert len(population) == pytest.approx(2_400, abs=200)  # 4 times the square root


def test_every_crash_has_the_exposures_of_a_piece_that_was_at_risk_at_its_time():
    population, _ = _made(BUG)
    at_risk = population.at_risk
    assert at_risk is not None

    for case in range(0, len(population), 20):
        fits = (at_risk.start <= population.time[case]) & (population.time[case] <= at_risk.end)
        for attribute in population.exposures.values():
            if attribute.at_risk is not None:
                fits &= attribute.at_risk == attribute.cases[case]
        assert fits.any()


def test_a_hazard_ten_times_as_high_gives_ten_times_the_rate():
    population, _ = _made(replace(BUG, crashes=4_000, times={"workload": {"bulk": 10.0}}))
    workload = population.exposures["workload"]
    assert workload.at_risk is not None
    assert population.at_risk is not None

    hours = np.bincount(workload.at_risk, population.at_risk.measures["process_hours"])
    rate = np.bincount(workload.cases) / hours
    assert rate[1] / rate[0] == pytest.approx(10.0, rel=0.2)


def test_a_cause_within_a_cohort_hits_nobody_else():
    population, truth = _made(replace(BUG, within={"physical_host": ANY}))

    assert _values(population, "physical_host") == {truth.planted[0].cohort["physical_host"]}
    assert len(_values(population, "host")) >= 2


def test_a_cause_begins_on_its_day():
    population, _ = _made(replace(BUG, since=30.0, until=40.0))

    days = (population.time - EPOCH) / DAY
    assert 30.0 <= days.min() < 31.0
    assert 39.0 < days.max() <= 40.0


def test_the_truth_holds_every_case_once():
    population, truth = _made(BUG, replace(BUG, name="other", crashes=7))

    assert [len(planted.cases) for planted in truth.planted] == [400, 7]
    assert set().union(*(planted.cases for planted in truth.planted)) == set(range(len(population)))


def test_a_crash_loop_stays_on_its_host_and_looks_the_same():
    population, truth = _made(replace(BUG, crashes=100, loop=3.0, within={"host": ANY}))

    assert truth.planted[0].votes == 100
    assert 200 < len(population) < 420
    assert len(_values(population, "host")) == 1


def test_a_poison_pill_travels_between_the_hosts_of_one_tenant():
    population, _ = _made(replace(BUG, crashes=6, pill=1e9))

    assert len(_values(population, "tenant")) == 1
    assert len(_values(population, "host")) > 1
    assert population.time.max() - population.time.min() < 3 * 3600


def test_a_bad_cpu_makes_nearly_all_of_its_crashes():
    population, truth = _made(replace(BUG, crashes=200, cpu=True, within={"physical_host": ANY}))

    cpus = np.bincount(population.exposures["cpu"].cases)
    assert int(cpus.argmax()) == int(truth.planted[0].cohort["cpu"])
    assert cpus.max() > 180


def test_where_hosts_are_uneven_and_not_told_crashes_pile_up():
    even, uneven = (_made(replace(BUG, crashes=2_000, hidden=hidden))[0] for hidden in (None, 0.5))

    most = [np.bincount(one.exposures["physical_host"].cases).max() for one in (even, uneven)]
    assert most[1] > 2 * most[0]


def test_what_is_hidden_is_not_told():
    population, _ = _made(BUG, hides=("physical_host", "tenant"))

    assert not {"physical_host", "tenant"} & set(population.exposures)


def test_signs_are_those_of_real_crashes():
    population, _ = _made(replace(BUG, look=Look(("faults-b",), named=("text-bit",))))

    mechanism = population.signs["mechanism code_mismatch"].cases
    assert (mechanism == 1).mean() > 0.9
    assert population.signs["finding code_mismatch"].kind == "finding"


def test_what_a_crash_could_not_show_is_unknown():
    crashes = pool()
    states = crashes.signs[[kind == "finding" for _, kind in crashes.sign_names]]

    assert {-1, 0, 1} == set(np.unique(states).tolist())


def test_crashes_of_a_release_come_from_its_build():
    look = Look(("ingest",), named=("ingest_null_field",), by="service_release", syndrome="one")
    population, _ = _made(replace(BUG, look=look))

    release = population.exposures["service_release"].cases
    assert all(len(np.unique(population.trace[release == code])) <= 2 for code in np.unique(release))


def test_no_crash_looks_like_this():
    with pytest.raises(LookupError, match="no crash in the pool"):
        _made(replace(BUG, look=Look(("bugs",), named=("no such bug",))))


def test_an_extra_sign_is_there_as_often_as_declared():
    extra = {"a register": 0.9}
    population, truth = _made(replace(BUG, look=replace(BUG.look, extra=extra)), replace(BUG, name="other"))

    shown = population.signs["feature a register"].cases
    first = np.array(sorted(truth.planted[0].cases))
    assert (shown[first] == 1).mean() == pytest.approx(0.9, abs=0.06)
    assert (shown == 1).sum() == (shown[first] == 1).sum()
