"""The play of a fleet: no host in two places, no place twice, nothing before its time."""

from collections import defaultdict
from itertools import pairwise

import pytest

from broadstreet.lab.fleet.declaration import DAY
from broadstreet.lab.fleet.world import LONGEST_BOOT, apportioned
from tests.lab.fleet.small import drawn

SEEDS = range(1, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_host_is_in_one_place_at_a_time(seed: int) -> None:
    for stays in drawn(seed=seed).world.slots:
        for one, other in pairwise(stays):
            assert one.start < one.end <= other.start < other.end
            assert other.start - one.end <= LONGEST_BOOT


@pytest.mark.parametrize("seed", SEEDS)
def test_no_physical_host_has_more_hosts_than_places(seed: int) -> None:
    changes = defaultdict(list)
    for stay in drawn(seed=seed).world.stays:
        changes[stay.physical_host] += [(stay.start, 1), (stay.end, -1)]
    for steps in changes.values():
        there = most = 0
        for _, step in sorted(steps):  # who goes at a second goes before who comes
            there += step
            most = max(most, there)
        assert most <= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recycled_host_never_comes_back(seed: int) -> None:
    lives = defaultdict(set)
    for stays in drawn(seed=seed).world.slots:
        names = [stay.host for stay in stays]
        assert names == sorted(names, key=names.index)
        for stay in stays:
            lives[stay.host].add(stay.slot)
    assert len(lives) > 60
    assert all(len(slots) == 1 for slots in lives.values())


def test_nothing_comes_before_its_time() -> None:
    fleet = drawn()
    for stay in fleet.world.stays:
        assert stay.boot <= stay.start
        if stay.service_release == "26.1":
            assert stay.start >= 6 * DAY
        if stay.service_release == "26.0":
            assert stay.end <= 12 * DAY
        if stay.kernel_release == "6.2":
            assert stay.boot >= 4 * DAY
        if stay.kernel_release == "6.1":
            assert stay.boot < 8 * DAY
        if stay.microcode == "0x2":
            assert stay.boot >= 5 * DAY
    assert {stay.service_release for stay in fleet.world.stays} == {"26.0", "26.1"}


def test_a_live_migration_keeps_boot_region_and_name_and_changes_the_physical_host() -> None:
    moved = [
        (one, other)
        for stays in drawn().world.slots
        for one, other in pairwise(stays)
        if one.physical_host != other.physical_host
    ]
    assert len(moved) > 50
    for one, other in moved:
        assert (one.host, one.boot, one.region, one.sku, one.end) == (
            other.host,
            other.boot,
            other.region,
            other.sku,
            other.start,
        )


def test_without_boots_every_host_is_up_all_the_time() -> None:
    fleet = drawn(("uptime_days = 3", "uptime_days = 36500"))
    assert sum(stay.end - stay.start for stay in fleet.world.stays) == 48 * 20 * DAY


def test_a_pinned_tenant_has_its_hosts_and_no_others() -> None:
    text = '[[tenant]]\nname = "a"\nshare = 1\n[[tenant]]\nname = "b"\nhosts = 2\n[chosen]'
    fleet = drawn(("[chosen]", text))
    slots = {stays[0].slot for stays in fleet.world.slots if stays[0].tenant == "b"}
    assert len(slots) == 2
    assert {stay.tenant for stay in fleet.world.stays} == {"a", "b"}


def test_shares_become_whole_numbers_that_add_up() -> None:
    assert apportioned(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert apportioned(7, {"a": 0.5, "b": 0.25, "c": 0.25}) == {"a": 3, "b": 2, "c": 2}
