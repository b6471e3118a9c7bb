import numpy as np
import pytest

from tests.simulation.fleet import Fleet, Rollout, Shape, built


def _fleet(**shape: object) -> Fleet:
    return built(Shape(physical_hosts=50, vms_each=4, days=40.0, **shape), np.random.default_rng(7))  # type: ignore[arg-type]


BUSY = {
    "reboots": 30.0,
    "moves": 5.0,
    "churn": 8.0,
    "releases": (Rollout("26.0", 10, 5), Rollout("26.1", 20, 5)),
    "kernels": (Rollout("6.12.41", 15, 10),),
}


def test_every_slot_is_at_risk_for_all_of_the_time():
    fleet = _fleet(**BUSY)

    assert np.bincount(fleet.slot, fleet.host_hours) == pytest.approx(np.full(200, 40 * 24.0))


def test_pieces_of_a_slot_do_not_overlap():
    fleet = _fleet(**BUSY)

    same = fleet.slot[1:] == fleet.slot[:-1]
    assert np.array_equal(fleet.start[1:][same], fleet.end[:-1][same])


def test_a_release_reaches_every_slot_within_its_ramp():
    fleet = _fleet(**BUSY)

    late = fleet.start >= 25.0
    assert set(fleet.codes["service_release"][late].tolist()) == {fleet.code("service_release", "26.1")}
    assert 0 not in fleet.codes["service_release"][(fleet.start >= 15.0)]


def test_a_version_for_a_share_of_the_fleet_leaves_the_rest_as_it_was():
    fleet = _fleet(libraries=(Rollout("1.8.0", 0.01, 0.0, share=0.25),))

    hours = np.bincount(fleet.codes["build of libunwind"], fleet.host_hours)
    assert 0.15 < hours[1] / hours.sum() < 0.35


def test_a_machine_that_does_not_move_stays_on_its_physical_host():
    fleet = _fleet()

    assert np.array_equal(fleet.codes["physical_host"], fleet.codes["host"] // 4)


def test_moves_change_the_physical_host_and_not_the_machine():
    fleet = _fleet(moves=20.0)

    hosts_of_machine = [np.unique(fleet.codes["physical_host"][fleet.codes["host"] == n]) for n in range(200)]
    assert int(fleet.codes["host"].max()) == 199
    assert sum(len(hosts) > 1 for hosts in hosts_of_machine) > 100


def test_churn_puts_a_new_machine_on_the_same_physical_host():
    fleet = _fleet(churn=20.0)

    machines = [np.unique(fleet.codes["host"][fleet.slot == n]) for n in range(200)]
    assert max(len(every) for every in machines) > 2
    assert np.array_equal(fleet.codes["physical_host"], fleet.slot // 4)


def test_uptime_bands_follow_the_last_boot():
    fleet = _fleet(reboots=30.0)

    short = fleet.codes["uptime"] == fleet.code("uptime", "under 1 d")
    assert (fleet.end - fleet.start)[short].max() <= 1.0 + 1e-6
    # Of a Poisson process of 30 a year, the last is under a day ago in 1 - exp(-30 / 365) = 7.9 % of the time.
    assert fleet.host_hours[short].sum() / fleet.host_hours.sum() == pytest.approx(0.079, abs=0.01)


def test_a_rack_lies_in_one_zone_and_has_one_sku():
    fleet = _fleet(hosts_per_rack=5)

    for attribute in ("zone", "sku", "region"):
        pairs = np.unique(np.stack([fleet.codes["rack"], fleet.codes[attribute]]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_a_pinned_tenant_has_its_slots_and_no_more():
    fleet = _fleet(pinned={"heavy": 3})

    assert len(np.unique(fleet.slot[fleet.codes["tenant"] == fleet.code("tenant", "heavy")])) == 3


def test_a_workload_that_a_sku_never_runs_is_not_at_risk_on_it():
    fleet = _fleet(workload_of_sku={"ingest": (0.0, 1.0, 0.0)}, hosts_per_rack=5)

    ingest = fleet.codes["sku"] == fleet.code("sku", "ingest")
    assert set(fleet.codes["workload"][ingest].tolist()) == {fleet.code("workload", "bulk")}
