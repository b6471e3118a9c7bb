"""A made-up fleet: who ran where, when, with what; in pieces of time during which nothing changed.

A slot is room for one virtual machine. Its history is a list of events (a new machine in it, a move to another
physical host, a reboot, a release, a kernel, a build of a library, a microcode), and the pieces lie between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]

EPOCH = 1_767_225_600.0  # 2026-01-01 00:00 UTC
DAY = 86_400.0
BANDS = (1.0, 7.0, 30.0)
BAND_NAMES = ("under 1 d", "1 d to 7 d", "7 d to 30 d", "over 30 d")
MODELS = ("family 6 model 106", "family 25 model 17")
ZONES_PER_REGION = 2


@dataclass(frozen=True)
class Rollout:
    """A new version from a day on, reaching the last slot `ramp` days later; `share` of the slots ever take it."""

    version: str
    day: float
    ramp: float = 0.0
    share: float = 1.0


@dataclass(frozen=True)
class Shape:
    """How a fleet is built. Rates are per slot; `reboots`, `moves`, `churn` in a year; 0 reboots: nobody knows uptimes.

    `uneven`: shape of the gamma that spreads processes over slots, which is told; null: equal. `pinned` tenants have
    so many slots each. `workload_of_sku`: shares of each workload on a SKU; equal where it is not said.
    """

    physical_hosts: int = 1_000
    vms_each: int = 1
    days: float = 90.0
    regions: int = 3
    hosts_per_rack: int = 20
    skus: tuple[str, ...] = ("compact", "dense", "ingest")
    cpus: int = 16
    services: tuple[str, ...] = ("replica",)
    workloads: tuple[str, ...] = ("serve", "bulk", "replay")
    workload_of_sku: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    tenants: int = 40
    pinned: Mapping[str, int] = field(default_factory=dict)
    releases: tuple[Rollout, ...] = ()
    kernels: tuple[Rollout, ...] = ()
    libraries: tuple[Rollout, ...] = ()
    microcodes: tuple[Rollout, ...] = ()
    reboots: float = 0.0
    moves: float = 0.0
    churn: float = 0.0
    uneven: float | None = None


@dataclass(frozen=True, eq=False)
class Fleet:
    """The pieces: `start` and `end` in days, `codes` of each attribute into `values`, and the hours at risk."""

    shape: Shape
    start: Floats
    end: Floats
    slot: Numbers
    codes: Mapping[str, Numbers]
    values: Mapping[str, tuple[str, ...]]
    process_hours: Floats
    host_hours: Floats

    def code(self, attribute: str, value: str) -> int:
        """Where this value stands among those of the attribute."""
        return self.values[attribute].index(value)


START, CHURN, MOVE, REBOOT, BAND, RELEASE, KERNEL, LIBRARY, MICROCODE = range(9)
ROLLED = {RELEASE: "service_release", KERNEL: "kernel_release", LIBRARY: "build of libunwind", MICROCODE: "microcode"}
FIRST = {RELEASE: "25.4", KERNEL: "6.12.30", LIBRARY: "1.6.2", MICROCODE: "0x2b000461"}


def built(shape: Shape, rng: np.random.Generator) -> Fleet:
    """The whole history of such a fleet."""
    slots = shape.physical_hosts * shape.vms_each
    slot, day, kind = _events(shape, slots, rng)
    order = np.lexsort((kind != START, day, slot))
    slot, day, kind = slot[order], day[order], kind[order]
    last = np.append(slot[1:] != slot[:-1], True)
    end = np.where(last, shape.days, np.append(day[1:], shape.days))
    start = np.maximum(day, 0.0)

    codes: dict[str, Numbers] = {}
    values: dict[str, tuple[str, ...]] = {}
    machine, physical = _machines(shape, slot, kind, rng)
    codes["host"], values["host"] = machine, tuple(f"vm-{n:06d}" for n in range(int(machine.max()) + 1))
    codes["physical_host"] = physical
    values["physical_host"] = tuple(f"ph-{n:05d}" for n in range(shape.physical_hosts))
    _place(shape, physical, codes, values, rng)
    _tenancy(shape, slots, slot, codes, values, rng)
    for what, rollouts in _rollouts(shape).items():
        codes[ROLLED[what]] = _since_start(kind == what, kind == START)
        values[ROLLED[what]] = (FIRST[what], *(rollout.version for rollout in rollouts))
    if shape.reboots:
        booted = np.isin(kind, (START, CHURN, REBOOT))
        boot = day[np.maximum.accumulate(np.where(booted, np.arange(len(day)), 0))]
        codes["uptime"] = np.searchsorted(BANDS, start - boot + 1e-6, side="right")
        values["uptime"] = BAND_NAMES
    processes = np.ones(slots) if shape.uneven is None else rng.gamma(shape.uneven, 1 / shape.uneven, slots)
    hours = (end - start) * 24.0
    keep = end > start
    return Fleet(
        shape=shape,
        start=start[keep],
        end=end[keep],
        slot=slot[keep],
        codes={name: code[keep] for name, code in codes.items()},
        values=values,
        process_hours=(hours * processes[slot] * 4.0)[keep],
        host_hours=hours[keep],
    )


def _rollouts(shape: Shape) -> dict[int, tuple[Rollout, ...]]:
    told = {RELEASE: shape.releases, KERNEL: shape.kernels, LIBRARY: shape.libraries, MICROCODE: shape.microcodes}
    return {what: rollouts for what, rollouts in told.items() if rollouts}


def _events(shape: Shape, slots: int, rng: np.random.Generator) -> tuple[Numbers, Floats, Numbers]:
    every = np.arange(slots)
    age = rng.exponential(365.0 / shape.reboots, slots) if shape.reboots else np.zeros(slots)
    slot, day, kind = [every], [-np.minimum(age, 365.0)], [np.full(slots, START)]
    for what, rate in ((CHURN, shape.churn), (MOVE, shape.moves), (REBOOT, shape.reboots)):
        at = np.repeat(every, rng.poisson(rate * shape.days / 365.0, slots))
        slot.append(at)
        day.append(rng.uniform(0.0, shape.days, len(at)))
        kind.append(np.full(len(at), what))
    if shape.reboots:
        boots, begun = np.concatenate(slot[:2] + slot[3:]), np.concatenate(day[:2] + day[3:])
        for band in BANDS:
            slot.append(boots)
            day.append(begun + band)
            kind.append(np.full(len(boots), BAND))
    for what, rollouts in _rollouts(shape).items():
        for rollout in rollouts:
            at = every[rng.random(slots) < rollout.share]
            slot.append(at)
            day.append(rollout.day + rng.uniform(0.0, 1.0, len(at)) * rollout.ramp)
            kind.append(np.full(len(at), what))
    slots_, days_, kinds_ = np.concatenate(slot), np.concatenate(day), np.concatenate(kind)
    within = (kinds_ == START) | ((days_ > 0.0) & (days_ < shape.days))
    return slots_[within], days_[within], kinds_[within]


def _machines(shape: Shape, slot: Numbers, kind: Numbers, rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    machine = np.cumsum((kind == START) | (kind == CHURN)) - 1
    moved = kind == MOVE
    physical = np.where(moved, rng.integers(0, shape.physical_hosts, len(slot)), slot // shape.vms_each)
    ruling = np.maximum.accumulate(np.where(moved | (kind == START), np.arange(len(slot)), 0))
    return machine, physical[ruling]


def _since_start(happened: NDArray[np.bool_], starts: NDArray[np.bool_]) -> Numbers:
    count = np.cumsum(happened)
    return count - np.maximum.accumulate(np.where(starts, count, 0))


def _place(
    shape: Shape,
    physical: Numbers,
    codes: dict[str, Numbers],
    values: dict[str, tuple[str, ...]],
    rng: np.random.Generator,
) -> None:
    racks = -(-shape.physical_hosts // shape.hosts_per_rack)
    zones = shape.regions * ZONES_PER_REGION
    rack_of = np.arange(shape.physical_hosts) // shape.hosts_per_rack
    zone_of = np.arange(racks) * zones // racks
    sku_of = rng.integers(0, len(shape.skus), racks)
    codes["rack"], values["rack"] = rack_of[physical], tuple(f"rack-{n:04d}" for n in range(racks))
    codes["zone"] = zone_of[codes["rack"]]
    values["zone"] = tuple(f"region-{n // ZONES_PER_REGION}{'ab'[n % ZONES_PER_REGION]}" for n in range(zones))
    codes["region"] = codes["zone"] // ZONES_PER_REGION
    values["region"] = tuple(f"region-{n}" for n in range(shape.regions))
    codes["sku"], values["sku"] = sku_of[codes["rack"]], shape.skus
    codes["cpu_model"], values["cpu_model"] = np.minimum(codes["sku"], len(MODELS) - 1), MODELS


def _tenancy(
    shape: Shape,
    slots: int,
    slot: Numbers,
    codes: dict[str, Numbers],
    values: dict[str, tuple[str, ...]],
    rng: np.random.Generator,
) -> None:
    service = rng.integers(0, len(shape.services), slots)
    codes["service"], values["service"] = service[slot], shape.services
    first = np.append(True, slot[1:] != slot[:-1])
    sku_of_slot = codes["sku"][first]
    workload = np.zeros(slots, np.int64)
    for at, sku in enumerate(shape.skus):
        here = np.flatnonzero(sku_of_slot == at)
        shares = shape.workload_of_sku.get(sku, (1 / len(shape.workloads),) * len(shape.workloads))
        workload[here] = rng.choice(len(shape.workloads), len(here), p=shares)
    codes["workload"], values["workload"] = workload[slot], shape.workloads
    tenant = rng.integers(0, shape.tenants, slots)
    free = rng.permutation(slots)
    for at, count in enumerate(shape.pinned.values(), start=shape.tenants):
        tenant[free[:count]] = at
        free = free[count:]
    codes["tenant"] = tenant[slot]
    values["tenant"] = (*(f"tenant-{n:03d}" for n in range(shape.tenants)), *shape.pinned)
