"""The fleet as it was: hosts on physical hosts, their boots, moves and releases, as stretches in which nothing changes.

Every event of the period is played in the order of time. A physical host has places; a host (a virtual machine) takes
one. At a boot it gets the newest kernel and microcode that have reached it. When it is recycled a new host with a new
name takes its place; a live migration takes it to a free place of the same region and SKU.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple, TypeVar

from broadstreet.errors import UsageError
from broadstreet.lab.fleet.consistency import letter
from broadstreet.lab.fleet.declaration import DAY, Release, Scenario, Service, Sku, Update

SHORTEST_BOOT, LONGEST_BOOT = 90, 600  # seconds between going down and being up again
NAME_BITS = 32

Option = TypeVar("Option")


class Machine(NamedTuple):
    """A physical host; `turn` in 0 to 1 says how early updates reach it."""

    name: str
    region: str
    zone: str
    rack: str
    sku: Sku
    turn: float


class Stay(NamedTuple):
    """A stretch of a host's life in which nothing of this changes. Times are seconds since the start of the period.

    `slot` is the host with all that take its place when it is recycled.
    """

    start: int
    end: int
    slot: int
    host: str
    physical_host: str
    rack: str
    zone: str
    region: str
    sku: str
    cpu_model: str
    microcode: str
    kernel_release: str
    boot: int
    service: str
    service_release: str
    workload: str
    tenant: str


class World(NamedTuple):
    """All that was there: physical hosts, the stays of each slot in the order of time, a factor per slot."""

    machines: tuple[Machine, ...]
    slots: tuple[tuple[Stay, ...], ...]
    exception_factors: tuple[float, ...]

    @property
    def stays(self) -> list[Stay]:
        """Of all hosts, slot by slot."""
        return [stay for slot in self.slots for stay in slot]


class _Slot:
    """Where one host and its successors stand in the play."""

    def __init__(self, number: int, place: int, service: Service, workload: str, tenant: str, turn: float) -> None:
        self.number = number
        self.place = place
        self.service = service
        self.workload = workload
        self.tenant = tenant
        self.turn = turn
        self.host = ""
        self.up_since: int | None = None
        self.boot = 0
        self.kernel_release = ""
        self.microcode = ""
        self.service_release = ""
        self.stays: list[Stay] = []


def world(scenario: Scenario, seed: str) -> World:
    """Play the period."""
    draw = Random(f"{seed}/world")
    machines = _machines(scenario, draw)
    play = _Play(scenario, machines, _slots(scenario, machines, draw), draw)
    play.run()
    spread = scenario.exceptions.spread if scenario.exceptions else 0.0
    factors = tuple(math.exp(draw.gauss(0, spread) - spread * spread / 2) for _ in play.slots)
    return World(tuple(machines), tuple(tuple(slot.stays) for slot in play.slots), factors)


class _Play:
    def __init__(self, scenario: Scenario, machines: list[Machine], slots: list[_Slot], draw: Random) -> None:
        self.scenario = scenario
        self.machines = machines
        self.slots = slots
        self.draw = draw
        self.events: list[tuple[int, int, Callable[[_Slot, int], None], _Slot]] = []
        self.count = 0
        self.names: set[str] = set()
        self.free: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        taken = {slot.place for slot in slots}
        for place in range(len(machines) * scenario.fleet.hosts_per_physical_host):
            if place not in taken:
                self.free[self.kind(place)].append(place)

    def kind(self, place: int) -> tuple[str, str]:
        machine = self.machine(place)
        return machine.region, machine.sku.name

    def machine(self, place: int) -> Machine:
        return self.machines[place // self.scenario.fleet.hosts_per_physical_host]

    def run(self) -> None:
        for slot in self.slots:
            slot.host = self.name()
            age = int(self.draw.expovariate(1 / (self.scenario.fleet.uptime_days * DAY)))  # memoryless
            self.boots(slot, -age)
            slot.up_since = 0
            slot.service_release = self.released(slot, 0)
            self.plan(slot, 0, self.goes_down, self.scenario.fleet.uptime_days)
            if self.scenario.fleet.migration_days is not None:
                self.plan(slot, 0, self.moves, self.scenario.fleet.migration_days)
            for release in slot.service.releases:
                reached = _reached(release, slot.turn, self.scenario)
                if reached is not None and reached > 0:
                    self.at(reached, self.is_updated, slot)
        end = self.scenario.seconds
        while self.events and self.events[0][0] < end:
            now, _, happens, slot = heapq.heappop(self.events)
            happens(slot, now)
        for slot in self.slots:
            self.closes(slot, end)

    def at(self, time: int, happens: Callable[[_Slot, int], None], slot: _Slot) -> None:
        self.count += 1
        heapq.heappush(self.events, (time, self.count, happens, slot))

    def plan(self, slot: _Slot, now: int, happens: Callable[[_Slot, int], None], mean_days: float) -> None:
        self.at(now + 1 + int(self.draw.expovariate(1 / (mean_days * DAY))), happens, slot)

    def goes_down(self, slot: _Slot, now: int) -> None:
        self.closes(slot, now)
        self.at(now + self.draw.randint(SHORTEST_BOOT, LONGEST_BOOT), self.comes_up, slot)

    def comes_up(self, slot: _Slot, now: int) -> None:
        if self.draw.random() < self.scenario.fleet.recycled:
            slot.host = self.name()
        self.boots(slot, now)
        slot.up_since = now
        slot.service_release = self.released(slot, now)
        self.plan(slot, now, self.goes_down, self.scenario.fleet.uptime_days)

    def boots(self, slot: _Slot, now: int) -> None:
        machine = self.machine(slot.place)
        slot.boot = now
        kernel = _newest(self.scenario.kernel, slot.turn, now, self.scenario)
        slot.kernel_release = (kernel or self.scenario.kernel[0]).release
        update = _newest(machine.sku.updates, machine.turn, now, self.scenario)
        slot.microcode = update.microcode if update else machine.sku.microcode

    def released(self, slot: _Slot, now: int) -> str:
        release = _newest(slot.service.releases, slot.turn, now, self.scenario)
        return (release or slot.service.releases[0]).release

    def is_updated(self, slot: _Slot, now: int) -> None:
        release = self.released(slot, now)
        if slot.up_since is not None and release != slot.service_release:
            self.closes(slot, now)
            slot.service_release = release
            slot.up_since = now

    def moves(self, slot: _Slot, now: int) -> None:
        free = self.free[self.kind(slot.place)]
        if free and slot.up_since is not None:
            self.closes(slot, now)
            at = self.draw.randrange(len(free))
            free[at], slot.place = slot.place, free[at]
            slot.up_since = now
        assert self.scenario.fleet.migration_days is not None
        self.plan(slot, now, self.moves, self.scenario.fleet.migration_days)

    def closes(self, slot: _Slot, now: int) -> None:
        if slot.up_since is not None and slot.up_since < now:
            machine = self.machine(slot.place)
            slot.stays.append(
                Stay(
                    slot.up_since,
                    now,
                    slot.number,
                    slot.host,
                    machine.name,
                    machine.rack,
                    machine.zone,
                    machine.region,
                    machine.sku.name,
                    machine.sku.cpu_model,
                    slot.microcode,
                    slot.kernel_release,
                    slot.boot,
                    slot.service.name,
                    slot.service_release,
                    slot.workload,
                    slot.tenant,
                )
            )
        slot.up_since = None

    def name(self) -> str:
        alone = self.scenario.fleet.hosts_per_physical_host == 1
        return _new_name("bm" if alone else "vm", NAME_BITS, self.names, self.draw)


def _machines(scenario: Scenario, draw: Random) -> list[Machine]:
    fleet = scenario.fleet
    wanted = math.ceil(fleet.hosts * (1 + fleet.spare) / fleet.hosts_per_physical_host)
    kinds = {
        (region, number): share * sku.share
        for region, share in fleet.regions.items()
        for number, sku in enumerate(scenario.sku)
    }
    machines: list[Machine] = []
    names: set[str] = set()
    racks: defaultdict[str, int] = defaultdict(int)
    for (region, sku), count in apportioned(wanted, kinds).items():
        for number in range(count):
            racks[region] += number % fleet.physical_hosts_per_rack == 0
            rack = racks[region]
            zone = f"{region}-{letter(rack % fleet.zones)}"
            name = _new_name("ph", 24, names, draw)
            machines.append(Machine(name, region, zone, f"{zone}-r{rack:02}", scenario.sku[sku], draw.random()))
    return machines


def _slots(scenario: Scenario, machines: list[Machine], draw: Random) -> list[_Slot]:
    size = scenario.fleet.hosts_per_physical_host
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for number, machine in enumerate(machines):
        places[machine.region, machine.sku.name] += range(number * size, (number + 1) * size)
    filled = apportioned(scenario.fleet.hosts, {kind: len(there) for kind, there in places.items()})
    slots: list[_Slot] = []
    tenants = _tenants(scenario, draw)
    for kind, there in places.items():
        for place in sorted(draw.sample(there, filled[kind])):
            sku = machines[place // size].sku
            service = draw.choices(scenario.service, [one.share for one in scenario.service])[0]
            workload = chosen(sku.workloads or service.workloads, draw)
            slots.append(_Slot(len(slots), place, service, workload, tenants[len(slots)], draw.random()))
    return slots


def _tenants(scenario: Scenario, draw: Random) -> list[str]:
    hosts = scenario.fleet.hosts
    if not scenario.tenant:
        return [""] * hosts
    pinned = [tenant.name for tenant in scenario.tenant for _ in range(tenant.hosts)]
    shares = {tenant.name: tenant.share for tenant in scenario.tenant if not tenant.hosts}
    found = [chosen(shares, draw) for _ in range(hosts)]
    for slot, name in zip(draw.sample(range(hosts), len(pinned)), pinned, strict=True):
        found[slot] = name
    return found


def _reached(release: Release | Update, turn: float, scenario: Scenario) -> int | None:
    if release.begin is None:
        return None
    return scenario.second(release.begin) + int(turn * release.ramp_days * DAY)


Dated = TypeVar("Dated", Release, Update)


def _newest(releases: Iterable[Dated], turn: float, now: int, scenario: Scenario) -> Dated | None:
    newest = None
    for release in releases:
        reached = _reached(release, turn, scenario)
        if reached is None or reached <= now:
            newest = release
    return newest


def chosen(shares: Mapping[Option, float], draw: Random) -> Option:
    """One of them, each as likely as its share."""
    return draw.choices(list(shares), list(shares.values()))[0]


def apportioned(total: int, shares: Mapping[Option, float]) -> dict[Option, int]:
    """Whole numbers in these proportions that add up to the total: those with the largest remainders get one more."""
    whole = sum(shares.values())
    exact = {key: total * share / whole for key, share in shares.items()}
    found = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: found[key] - exact[key])
    for key in by_remainder[: total - sum(found.values())]:
        found[key] += 1
    return found


def _new_name(kind: str, bits: int, names: set[str], draw: Random) -> str:
    while True:
        name = f"{kind}-{draw.getrandbits(bits):0{bits // 4}x}"
        if name not in names:
            names.add(name)
            return name


def members(scenario: Scenario, there: World, seed: str) -> dict[str, tuple[str, ...]]:
    """The hosts, physical hosts and racks that the seed chooses, by the key under which `chosen` names them."""
    draw = Random(f"{seed}/chosen")
    found = {}
    for key, wanted in scenario.chosen.items():
        candidates = [
            name
            for name, region, sku in _candidates(wanted.of, there, scenario.seconds)
            if wanted.region in ("", region) and wanted.sku in ("", sku)
        ]
        if len(candidates) < wanted.count:
            raise UsageError(
                f"chosen.{key}.count: wanted {wanted.count} of {wanted.of}, the fleet has {len(candidates)} such",
                "Enlarge the fleet; a chosen host must be there all the time, so set fleet.recycled = 0.",
            )
        found[key] = tuple(sorted(draw.sample(candidates, wanted.count)))
    return found


def _candidates(of: str, there: World, end: int) -> Sequence[tuple[str, str, str]]:
    if of == "host":
        return [
            (stays[0].host, stays[0].region, stays[0].sku)
            for stays in there.slots
            if all(one.host == other.host for one, other in pairwise(stays))
        ]
    if of == "physical_host":
        return [(machine.name, machine.region, machine.sku.name) for machine in there.machines]
    racks = Counter((machine.rack, machine.region, machine.sku.name) for machine in there.machines)
    return [rack for rack, count in racks.items() if count == max(racks.values())]  # the last of a region is not full
