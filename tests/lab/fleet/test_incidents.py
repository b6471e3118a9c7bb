"""The draw of crashes: where and when they may be, and at the rate that was declared."""

from collections import Counter
from itertools import pairwise
from statistics import mean

import pytest

from broadstreet.lab.fleet.declaration import DAY, HOUR
from broadstreet.lab.fleet.hazard import Course, load
from broadstreet.lab.fleet.incidents import Incident
from tests.lab.fleet.small import drawn, scenario

SEEDS = range(1, 21)
RATE = "rate = 1.0"


def crashes(*changes: tuple[str, str], cause: str = "bugs") -> list[list[Incident]]:
    """Those of one cause, seed by seed."""
    fleets = [drawn(*changes, seed=seed) for seed in SEEDS]
    return [[crash for crash in fleet.crashes if crash.cause.name == cause] for fleet in fleets]


@pytest.mark.parametrize("seed", range(1, 4))
def test_every_crash_is_in_the_life_of_its_host_and_in_the_time_of_its_cause(seed: int) -> None:
    fleet = drawn(seed=seed)
    assert [crash.number for crash in fleet.crashes] == list(range(1, len(fleet.crashes) + 1))
    assert [crash.second for crash in fleet.crashes] == sorted(crash.second for crash in fleet.crashes)
    for crash in fleet.crashes:
        assert crash.stay.start <= crash.second < crash.stay.end
        assert crash.stay in fleet.world.slots[crash.stay.slot]
        if crash.cause.name == "bad_machine":
            assert crash.stay.physical_host in fleet.chosen["bad"]
            assert crash.second >= 5 * DAY + 6.5 * HOUR


def test_a_crash_is_of_the_release_and_workload_of_its_host() -> None:
    for crash in drawn().crashes:
        assert (crash.plan.build, crash.plan.variant) == (crash.stay.service_release, crash.stay.workload)


def test_a_count_is_that_count() -> None:
    assert {len(found) for found in crashes(cause="bad_machine")} == {10}


def test_a_rate_is_that_rate() -> None:
    found = mean(map(len, crashes()))
    expected = 48 * 20 * 24 / 1000  # 23.04; 20 seeds of a Poisson number: its mean is off by 1.07 one time in three
    assert abs(found - expected) < 3.5


def test_a_multiplied_cohort_has_that_many_times_the_rate() -> None:
    found = [one for seed in crashes((RATE, 'rate = 1.0\nmultiply = [{ region = "south", by = 5 }]')) for one in seed]
    south = sum(one.stay.region == "south" for one in found)
    assert 4 < south / (len(found) - south) * 2 < 6.25  # twice as many hosts are in the north


def test_a_hazard_of_young_hosts_strikes_young_hosts() -> None:
    found = [one for seed in crashes((RATE, "rate = 1.0\nonly = { uptime_days = [0, 1] }")) for one in seed]
    assert len(found) > 50
    assert all(one.second - one.stay.boot < DAY for one in found)
    # the time that hosts with exponential uptimes of mean 3 days are younger than one: 1 - exp(-1/3)
    assert abs(len(found) / 20 - 0.283 * 23.04) < 2.5


def test_crashes_rise_with_a_ramp() -> None:
    ramp = "rate = 1.0\nramps = [{ from = 2026-01-20, until = 2026-01-20T01:00:00Z, by = 4 }]"
    found = [one for seed in crashes((RATE, ramp)) for one in seed]
    late = sum(one.second > 10 * DAY for one in found)
    assert 3.2 < late / (len(found) - late) < 5


def test_crashes_go_with_the_load_of_the_day() -> None:
    wave = ("[chosen]", "[load]\ndaily = 0.8\npeak_hour = 12\n[chosen]")
    found = [one for seed in crashes(wave, (RATE, 'rate = 1.0\nper = "load"')) for one in seed]
    noon = sum(6 <= one.second % DAY / HOUR < 18 for one in found)
    # the mean of 1 + 0.8 cos over the half around the peak is 1 + 0.8 * 2 / pi
    assert abs(noon / len(found) - 0.7546) < 0.07


def test_uneven_hosts_have_more_crashes_than_chance_would_give() -> None:
    def dispersion(*changes: tuple[str, str]) -> float:
        counts = [Counter(one.stay.slot for one in seed) for seed in crashes(*changes)]
        each = [count[slot] for count in counts for slot in range(48)]
        return mean((one - mean(each)) ** 2 for one in each) / mean(each)

    plain = ("rate = 1.0", "rate = 4.0")
    assert 0.85 < dispersion(plain) < 1.15
    assert dispersion(plain, ("rate = 4.0", "rate = 4.0\nuneven = 2.0")) > 2


def test_a_burst_is_one_episode_on_one_host() -> None:
    burst = "count = 3\nburst = { mean = 8, gap_minutes = 2 }"
    found = [one for seed in crashes((RATE, burst)) for one in seed]
    by_episode = Counter((one.episode, one.stay.host) for one in found)
    assert len(found) / 60 == pytest.approx(8, abs=2.5)
    assert max(Counter(episode for episode, _ in by_episode).values()) <= 20  # one host per seed


def test_what_moves_visits_one_host_after_another() -> None:
    for seed in crashes((RATE, "count = 2\nmoves = { hosts = 5, minutes = 7 }")):
        for episode in (1, 2):
            visits = [one for one in seed if one.episode == episode]
            assert len({one.stay.slot for one in visits}) == len(visits)
            gaps = [(b.second - a.second) / 60 for a, b in pairwise(visits)]
            assert all(3.4 <= gap <= 10.6 for gap in gaps)
        assert len(seed) >= 6


def test_an_outage_takes_core_dumps_and_no_crashes() -> None:
    outage = '[capture]\noutages = [{ region = "north", from = 2026-01-15, until = 2026-01-18 }]\n[chosen]'
    total = 0
    for seed, found in zip(SEEDS, crashes(("[chosen]", outage)), strict=True):
        before = [crash.second for crash in drawn(seed=seed).crashes if crash.cause.name == "bugs"]
        assert [one.second for one in found] == before
        assert {one.captured for one in found if one.stay.region == "south"} <= {True}
        lost = [one for one in found if not one.captured]
        assert all(one.stay.region == "north" and 5 * DAY <= one.second < 8 * DAY for one in lost)
        total += len(lost)
    assert total > 25  # 2.3 a seed are expected


def test_a_course_is_the_integral_of_its_factors() -> None:
    course = Course([1.0, 3.0, 0.0, 2.0])
    assert course.until(2 * HOUR) == 4.0
    assert course.between(HOUR / 2, 3.5 * HOUR) == 0.5 + 3.0 + 1.0
    assert course.when(2.5) == 1.5 * HOUR
    assert course.when(course.until(3.25 * HOUR)) == 3.25 * HOUR


def test_the_load_is_one_on_average() -> None:
    course = load(scenario(("[chosen]", "[load]\ndaily = 0.6\n[chosen]")))
    assert course.until(20 * DAY) == pytest.approx(20 * 24)
