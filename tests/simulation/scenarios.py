"""The scenarios of the campaign, as data: fleets with nothing to find, and fleets with one thing or two."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from tests.simulation.causes import ANY, Cause, Look
from tests.simulation.crashes import pool
from tests.simulation.fleet import Rollout, Shape
from tests.simulation.populate import Scenario

BARE = Shape(physical_hosts=10_000, releases=(Rollout("26.0", 30, 14),))
BEHIND_VMS = Shape(physical_hosts=10_000, vms_each=8, moves=0.1, releases=(Rollout("26.0", 30, 14),))
SMALL = Shape(
    physical_hosts=600,
    vms_each=4,
    moves=0.1,
    churn=0.5,
    releases=(Rollout("26.0", 25, 10), Rollout("26.1", 55, 10)),
    kernels=(Rollout("6.12.41", 40, 20),),
    libraries=(Rollout("1.8.0", 45, 15),),
    microcodes=(Rollout("0x2b000590", 35, 30),),
)
SMALL_BARE = replace(SMALL, physical_hosts=1_500, vms_each=1, moves=0.0)
NO_VM = ("physical_host",)  # where each machine is its own host, nobody tells of hosts behind hosts

HELD_OUT = Look(("bugs-held-out",), kinds=6)
FAULTS = Look(("faults-b",))


def one_bug(seed: int, sets: tuple[str, ...] = ("bugs",), syndrome: str | None = "one") -> Look:
    """One bug in one build: the same for the same seed, so that two causes can look alike."""
    crashes = pool()
    rows = crashes.rows(*sets)
    row = np.random.default_rng((seed, 1)).choice(rows)
    return Look(sets, named=(str(crashes.kinds[row]),), builds=(str(crashes.builds[row]),), syndrome=syndrome)


def chaff(a_day: float, look: Look = HELD_OUT) -> Cause:
    """Bugs that a fleet always has: of a few kinds, everywhere, with nothing to find."""
    return Cause("chaff", "software", look, a_day=a_day, outbreak=False)


HOT = {"tenant-hot-1": 3, "tenant-hot-2": 5, "tenant-hot-3": 12}
HOT_TIMES = {"tenant": {name: 100.0 for name in HOT}}
TENANTED = replace(BARE, tenants=400, pinned=HOT)


@dataclass(frozen=True)
class Null:
    """A fleet with nothing bad in it, and how its crashes come: what `Cause` calls it by."""

    shape: Shape
    hidden: float | None = None
    loop: float = 1.0
    pill: float = 0.0
    times: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


NULLS = {
    "equal hosts": Null(BARE),
    "uneven hosts, told": Null(replace(BARE, uneven=1.0)),
    "uneven hosts, not told": Null(BARE, hidden=1.0),
    "crash loops": Null(BARE, loop=3.0),
    "hot tenants on few hosts": Null(TENANTED, times=HOT_TIMES),
    "poison pills": Null(replace(BARE, tenants=400), pill=6.0),
    "all of these at once": Null(replace(TENANTED, uneven=2.0), hidden=2.0, loop=2.0, times=HOT_TIMES),
}


def null(seed: int, name: str) -> Scenario:
    """Three bugs of 100, 300 and 1,000 crashes, in 10,000 hosts of which none is bad."""
    how = NULLS[name]
    causes = tuple(
        Cause(
            f"bug {n}",
            "software",
            one_bug(10 * seed + n, syndrome=f"bug {n}"),
            crashes,
            times=how.times,
            hidden=how.hidden,
            loop=how.loop,
            pill=how.pill,
            outbreak=False,
        )
        for n, crashes in enumerate((100, 300, 1_000))
    )
    return Scenario(name, how.shape, causes, hides=NO_VM)


def bad_host(seed: int, k: int, background: int) -> Scenario:
    """One bad physical host of 10,000, behind 8 machines, whose crashes look like all others of the syndrome."""
    return Scenario(
        f"{k} on one of 10,000 hosts, {background:,} elsewhere",
        BEHIND_VMS,
        (
            Cause("background", "software", one_bug(seed), crashes=background, outbreak=False),
            Cause("bad host", "hardware", one_bug(seed), crashes=k, within={"physical_host": ANY}),
        ),
    )


def bad_rack(seed: int, excess: int, background: int) -> Scenario:
    """A rack of 40 hosts with some crashes more, one here, one there."""
    return Scenario(
        f"{excess} more in one rack, {background:,} elsewhere",
        replace(BARE, hosts_per_rack=40),
        (
            Cause("background", "software", one_bug(seed), crashes=background, outbreak=False),
            Cause("bad rack", "hardware", one_bug(seed), crashes=excess, within={"rack": ANY}),
        ),
        hides=NO_VM,
    )


def bad_cpu(seed: int, k: int) -> Scenario:
    """One CPU of a whole machine, in a fleet where that machine also has its share of the rest."""
    return Scenario(
        f"{k} on one CPU",
        SMALL_BARE,
        (chaff(3.0), Cause("bad cpu", "hardware", FAULTS, crashes=k, within={"host": ANY}, cpu=True)),
        hides=NO_VM,
    )


MARK = "a register of another shape"


def two_causes(seed: int, crashes: int, share: float, with_sign: bool = True) -> Scenario:
    """A bad host within a syndrome that is else one bug; a sign is in 90 % of the first and 5 % of the second."""
    bad = round(crashes * share)
    extra = ({MARK: 0.9}, {MARK: 0.05}) if with_sign else ({}, {})
    return Scenario(
        f"{bad} of {crashes} from one host" + ("" if with_sign else ", no sign"),
        SMALL,
        (
            Cause("bad host", "hardware", replace(one_bug(seed), extra=extra[0]), bad, within={"physical_host": ANY}),
            Cause("bug", "software", replace(one_bug(seed), extra=extra[1]), crashes - bad, outbreak=False),
        ),
    )


def two_causes_elsewhere(seed: int, crashes: int, share: float) -> Scenario:
    """The same where the second cause is a build of a library instead of a host."""
    part = round(crashes * share)
    return Scenario(
        f"{part} of {crashes} from one library build",
        replace(SMALL, libraries=(Rollout("1.8.0", 45, 15, share=0.2),)),
        (
            Cause(
                "build",
                "software",
                replace(one_bug(seed), extra={MARK: 0.9}),
                part,
                within={"build of libunwind": "1.8.0"},
            ),
            Cause("bug", "software", replace(one_bug(seed), extra={MARK: 0.05}), crashes - part, outbreak=False),
        ),
    )


def second_story(seed: int) -> Scenario:
    """One release regression and one bad host with the same mechanism and the same stack."""
    rng = np.random.default_rng((seed, 2))
    look = Look(("faults-b",), programs=("ingest",), named=("rsp-8",), syndrome="one")
    return Scenario(
        "a release and a host, same mechanism, same stack",
        SMALL,
        (
            Cause("regression", "software", look, int(rng.integers(40, 80)), within={"service_release": "26.1"}),
            Cause("bad host", "hardware", look, int(rng.integers(10, 25)), within={"physical_host": ANY}),
        ),
    )


def founding(seed: int) -> Scenario:
    """A year: a race in a library build that grows, and from a day on a bad physical host, as one syndrome."""
    rng = np.random.default_rng((seed, 3))
    since = float(rng.integers(120, 240))
    shape = replace(
        SMALL,
        days=365.0,
        reboots=6.0,
        releases=(Rollout("26.0", 100, 20), Rollout("26.1", 210, 20)),
        libraries=(Rollout("1.8.0", 0.01, 0.02, share=0.5),),
        workload_of_sku={"ingest": (0.1, 0.8, 0.1)},
    )
    race = Look(("ingest",), named=("setcontext_race",), syndrome="returns to a bogus address")
    fault = Look(("faults-b",), ("ingest",), named=("rsp-8",), syndrome="returns to a bogus address")
    return Scenario(
        "founding",
        shape,
        (
            Cause(
                "race",
                "software",
                race,
                300,
                within={"build of libunwind": "1.8.0"},
                times={"workload": {"bulk": 5.0}, "service_release": {"26.0": 1.5, "26.1": 3.0}},
            ),
            Cause("bad host", "hardware", fault, 100, within={"physical_host": ANY}, since=since),
        ),
    )


SKEWED = replace(
    SMALL_BARE,
    workload_of_sku={"ingest": (0.1, 0.8, 0.1), "compact": (0.45, 0.1, 0.45), "dense": (0.45, 0.1, 0.45)},
)
ALIASED = replace(
    SMALL_BARE, workload_of_sku={"ingest": (0.0, 1.0, 0.0), "compact": (0.5, 0.0, 0.5), "dense": (0.5, 0.0, 0.5)}
)
BULK = {"workload": {"bulk": 10.0}}


def sku_is_workload(seed: int, crashes: int) -> Scenario:
    """A workload that crashes ten times as often and mostly runs on one SKU, which does nothing."""
    cause = Cause("bulk", "software", one_bug(seed), crashes, times=BULK)
    return Scenario(f"{crashes} crashes", SKEWED, (cause,), hides=NO_VM)


def sku_is_real(seed: int, crashes: int, times: float) -> Scenario:
    """The same, where the SKU also does something of its own."""
    cause = Cause("sku", "hardware", one_bug(seed), crashes, times={**BULK, "sku": {"ingest": times}})
    return Scenario(f"{crashes} crashes, {times:g} times", SKEWED, (cause,), hides=NO_VM)


def sku_is_aliased(seed: int, crashes: int) -> Scenario:
    """A workload that runs on one SKU only, which runs nothing else."""
    cause = Cause("either", "software", one_bug(seed), crashes, times=BULK)
    return Scenario(f"{crashes} crashes", ALIASED, (cause,), hides=NO_VM)


REBOOTED = replace(SMALL_BARE, reboots=20.0, churn=6.0)


def uptime(seed: int, crashes: int, times: float) -> Scenario:
    """Machines that come, go and reboot; above 7 days up, the hazard is so many times as high."""
    factors = {"7 d to 30 d": times, "over 30 d": times}
    cause = Cause("uptime", "software", one_bug(seed), crashes, times={"uptime": factors}, outbreak=times != 1.0)
    return Scenario(f"{crashes} crashes, {times:g} times after 7 d", REBOOTED, (cause,), hides=NO_VM)


def jumps(seed: int) -> Scenario:
    """A syndrome of 0.2 a day that becomes ten times as frequent on a day within a year."""
    day = float(np.random.default_rng((seed, 4)).integers(60, 330))
    shape = replace(
        SMALL_BARE, physical_hosts=300, days=365.0, releases=(Rollout("26.0", 100, 20), Rollout("26.1", 210, 20))
    )
    return Scenario(
        "0.2 a day, then 2",
        shape,
        (
            Cause("before", "software", one_bug(seed), a_day=0.2, outbreak=False),
            Cause("jump", "software", one_bug(seed), a_day=1.8, since=day),
        ),
        hides=NO_VM,
    )


def stationary(seed: int, a_day: float) -> Scenario:
    """Five years in which nothing changes but versions."""
    shape = replace(
        SMALL_BARE,
        physical_hosts=200,
        days=1_826.0,
        releases=tuple(Rollout(f"{26 + n // 4}.{n % 4}", 90.0 * (n + 1), 10) for n in range(19)),
    )
    return Scenario(
        f"{a_day:g} a day", shape, (Cause("bug", "software", one_bug(seed), a_day=a_day, outbreak=False),), hides=NO_VM
    )


def update(seed: int, attribute: str, value: str, times: float, crashes: int) -> Scenario:
    """A version of something with which crashes are so many times as frequent."""
    cause = Cause(attribute, "software", one_bug(seed), crashes, times={attribute: {value: times}})
    return Scenario(f"{attribute} {value}, {times:g} times", SMALL, (cause,))
