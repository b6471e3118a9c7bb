"""Every shipped scenario loads, and what it plants is in what it draws: pooled over seeds, against what it declares."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from math import sqrt

import pytest

from broadstreet.lab.fleet import fleet
from broadstreet.lab.fleet.declaration import DAY, HOUR, shipped
from broadstreet.lab.fleet.hazard import exceptions_per_hour, load
from broadstreet.lab.fleet.incidents import Incident
from broadstreet.lab.fleet.world import Stay

SEEDS = range(1, 9)
pytestmark = pytest.mark.xdist_group("scenarios")  # each is played once
LARGE = "ten_thousand"

Holds = Callable[[Stay], bool]


@cache
def played(name: str) -> list[fleet.Drawn]:
    scenario, _ = fleet.read(name)
    return [fleet.drawn(scenario, seed) for seed in (SEEDS if name != LARGE else (1,))]


def of(name: str, cause: str) -> Iterator[list[Incident]]:
    """The crashes of a cause, seed by seed."""
    for one in played(name):
        yield [crash for crash in one.crashes if crash.cause.name == cause]


def hours(name: str, holds: Holds) -> float:
    return sum(stay.end - stay.start for one in played(name) for stay in one.world.stays if holds(stay)) / HOUR


def rate_ratio(name: str, cause: str, holds: Holds, among: Holds = lambda stay: True) -> float:
    """The rate of a cause where this holds over that where it does not, all seeds together."""
    inside = outside = 0
    for crashes in of(name, cause):
        for crash in crashes:
            if among(crash.stay):
                inside += holds(crash.stay)
                outside += not holds(crash.stay)
    at_risk = hours(name, lambda stay: among(stay) and holds(stay))
    return inside / at_risk / (outside / hours(name, lambda stay: among(stay) and not holds(stay)))


@pytest.mark.parametrize("name", shipped())
def test_a_scenario_has_as_many_crashes_as_can_be_made_in_minutes(name: str) -> None:
    least, most = (350, 500) if name == LARGE else (40, 170)
    for one in played(name):
        assert least <= len(one.crashes) <= most
        assert {cause.name for cause in one.scenario.cause} == {crash.cause.name for crash in one.crashes}
        for crash in one.crashes:
            assert crash.stay.start <= crash.second < crash.stay.end


@pytest.mark.parametrize("name", [name for name in shipped() if name != "quiet"])
def test_a_scenario_has_an_outbreak_and_a_background(name: str) -> None:
    assert {cause.background for cause in played(name)[0].scenario.cause} == {False, True}


@pytest.mark.parametrize("name", ["founding", LARGE])
def test_founding_one_machine_under_several_hosts_and_one_race(name: str) -> None:
    for bad, one in zip(of(name, "bad_cpu"), played(name), strict=True):
        assert {crash.stay.physical_host for crash in bad} == set(one.chosen["bad_machine"])
        per_host = Counter(crash.stay.host for crash in bad)
        assert len(per_host) >= 6
        assert max(per_host.values()) < len(bad) / 2
        assert all(crash.second - crash.stay.boot < 12 * DAY for crash in bad)
        assert {crash.stay.region for crash in bad} == {"eu-west"}
        assert len(one.unrecorded) == 1
    race = [crash for crashes in of(name, "libunwind_race") for crash in crashes]
    assert {crash.stay.region for crash in race} == set(played(name)[0].scenario.fleet.regions)
    halves = Counter(crash.second > 45 * DAY for crash in race)
    assert halves[True] > 1.3 * halves[False]


def test_founding_the_race_goes_with_exceptions_and_the_deeper_handler() -> None:
    exceptions: Counter[bool] = Counter()
    course = load(played("founding")[0].scenario, 1.5)
    for one in played("founding"):
        per_hour = exceptions_per_hour(one.scenario, one.world)
        for stay in one.world.stays:
            deep = stay.service_release == "26.2"
            exceptions[deep] += per_hour(stay) * course.between(stay.start, stay.end)  # type: ignore[assignment]
    race = [crash for crashes in of("founding", "libunwind_race") for crash in crashes]
    deep = sum(crash.stay.service_release == "26.2" for crash in race)
    assert 1.45 < deep / exceptions[True] / ((len(race) - deep) / exceptions[False]) < 2.25
    assert rate_ratio("founding", "libunwind_race", lambda stay: stay.sku == "e96-ingest") > 2.0  # what naive sees


def test_second_story_one_mechanism_from_two_causes() -> None:
    for one in played("second_story"):
        planted = [crash for crash in one.crashes if not crash.cause.background]
        assert {crash.plan.mechanism for crash in planted} == {"ingest_null_field"}
        regression = [crash for crash in planted if crash.cause.name == "regression"]
        assert {crash.stay.service_release for crash in regression} == {"26.1"}
        machine = [crash for crash in planted if crash.cause.name == "bad_machine"]
        assert {crash.stay.physical_host for crash in machine} == set(one.chosen["bad_machine"])


def test_bad_cpu_is_one_cpu_of_one_host() -> None:
    for crashes, one in zip(of("bad_cpu", "bad_cpu"), played("bad_cpu"), strict=True):
        assert {(crash.stay.host, crash.cpu) for crash in crashes} == {(one.chosen["bad_host"][0], 1)}
    others = Counter(crash.cpu for crashes in of("bad_cpu", "ordinary_bugs") for crash in crashes)
    assert 0.8 < others[0] / others[1] < 1.25


def test_release_ramp_multiplies_by_six() -> None:
    assert 4.5 < rate_ratio("release_ramp", "regression", lambda stay: stay.service_release == "26.1") < 8


def test_release_ramp_the_kernel_has_no_effect_at_the_same_release() -> None:
    new = rate_ratio(
        "release_ramp",
        "regression",
        lambda stay: stay.kernel_release.startswith("6.1.0-32"),
        lambda stay: stay.service_release == "26.1",
    )
    assert 0.7 < new < 1.4


def test_microcode_multiplies_by_ten() -> None:
    assert 7 < rate_ratio("microcode", "wrong_results", lambda stay: stay.microcode == "0x2b0005c0") < 14


def test_sku_workload_is_an_effect_of_the_workload_alone() -> None:
    def sku(stay: Stay) -> bool:
        return stay.sku == "e96-ingest"

    assert 7.5 < rate_ratio("sku_workload", "bulk_bug", lambda stay: stay.workload == "bulk") < 13
    assert rate_ratio("sku_workload", "bulk_bug", sku) > 2
    assert 0.75 < rate_ratio("sku_workload", "bulk_bug", sku, lambda stay: stay.workload == "bulk") < 1.33


def test_crash_loop_is_three_episodes_of_one_host() -> None:
    for crashes, one in zip(of("crash_loop", "crash_loop"), played("crash_loop"), strict=True):
        assert {crash.stay.host for crash in crashes} == set(one.chosen["looping"])
        assert {crash.episode for crash in crashes} == {1, 2, 3}
        for episode in (1, 2, 3):
            times = [crash.second for crash in crashes if crash.episode == episode]
            assert all(later - earlier < HOUR for earlier, later in pairwise(times))


def test_hot_tenant_has_two_hosts_on_two_machines_and_all_its_crashes_there() -> None:
    for one in played("hot_tenant"):
        hosts = {stay.host for stay in one.world.stays if stay.tenant == "t-777"}
        crashes = [crash for crash in one.crashes if crash.cause.name == "hot_tenant"]
        assert len(hosts) == 2
        assert {crash.stay.host for crash in crashes} == hosts


def test_poison_pill_visits_a_host_once_and_minutes_apart() -> None:
    for crashes in of("poison_pill", "poison_pill"):
        for episode in range(1, 8):
            visits = [crash for crash in crashes if crash.episode == episode]
            assert len({crash.stay.host for crash in visits}) == len(visits) >= 4
            assert all(later.second - earlier.second < 11 * 60 for earlier, later in pairwise(visits))


def test_bad_rack_has_no_bad_host() -> None:
    for crashes, one in zip(of("bad_rack", "bad_rack"), played("bad_rack"), strict=True):
        assert {crash.stay.rack for crash in crashes} == set(one.chosen["bad_rack"])
        assert max(Counter(crash.stay.host for crash in crashes).values()) <= 5
        assert len({crash.stay.physical_host for crash in crashes}) >= 7


def test_collector_outage_loses_core_dumps_and_the_signals_go_on() -> None:
    crashes = [crash for crashes in of("collector_outage", "double_free") for crash in crashes]
    during = [crash for crash in crashes if 29 * DAY <= crash.second < 38 * DAY and crash.stay.region != "ap-south"]
    days = len(during) / 9 / (len(crashes) / 60)
    assert 0.6 < days < 0.9  # three quarters of the hosts
    assert sum(crash.captured for crash in during) / len(during) < 0.15
    others = [crash for crash in crashes if crash not in during]
    assert sum(crash.captured for crash in others) / len(others) > 0.93


def test_fix_worked_no_crash_has_the_fix() -> None:
    for crashes in of("fix_worked", "use_after_free"):
        assert {crash.stay.service_release for crash in crashes} == {"26.0"}


def test_fix_failed_fewer_a_day_and_as_many_per_exception() -> None:
    scenario = played("fix_failed")[0].scenario
    course = load(scenario)
    cut = 32 * DAY
    after = sum(crash.second >= cut for crashes in of("fix_failed", "libunwind_race") for crash in crashes)
    before = sum(crash.second < cut for crashes in of("fix_failed", "libunwind_race") for crash in crashes)
    assert (after / 28) / (before / 32) < 0.55
    assert 0.8 < after / course.between(cut, 60 * DAY) / (before / course.until(cut)) < 1.25


CELLS: dict[str, Callable[[Stay], str]] = {
    "region": lambda stay: stay.region,
    "sku": lambda stay: stay.sku,
    "kernel_release": lambda stay: stay.kernel_release,
    "service_release": lambda stay: stay.service_release,
    "workload": lambda stay: stay.workload,
}
UNLIKELY = 2.576  # standard deviations: one time in a hundred


def test_quiet_has_no_cohort_beyond_chance() -> None:
    deviations = [one for cause in ("ordinary_bugs", "stray_bits") for one in _deviations(cause)]
    assert len(deviations) > 150
    assert sum(abs(one) > UNLIKELY for one in deviations) <= 0.03 * len(deviations)
    for one in played("quiet"):
        per_machine = Counter(crash.stay.physical_host for crash in one.crashes)
        assert max(per_machine.values()) <= 9  # two or three expected: 87 crashes on 41 machines, some busier
        assert max(Counter(crash.stay.host for crash in one.crashes).values()) <= 5


def _deviations(cause: str) -> Iterable[float]:
    for one, crashes in zip(played("quiet"), of("quiet", cause), strict=True):
        for cell in CELLS.values():
            at_risk: Counter[str] = Counter()
            for stay in one.world.stays:
                at_risk[cell(stay)] += stay.end - stay.start
            found = Counter(cell(crash.stay) for crash in crashes)
            for name, seconds in at_risk.items():
                share = seconds / at_risk.total()
                expected = len(crashes) * share
                # 1.1: the hosts are uneven by a variance of 0.3, at 0.2 crashes each
                yield (found[name] - expected) / sqrt(1.1 * expected * (1 - share) + 1e-9)
