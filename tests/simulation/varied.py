"""Scenarios that differ from seed to seed: bugs of every manner, bad machines, single causes of every shape."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tests.simulation.causes import ANY, Cause, Look
from tests.simulation.crashes import pool
from tests.simulation.fleet import Rollout
from tests.simulation.populate import Scenario
from tests.simulation.scenarios import FAULTS, NO_VM, SKEWED, SMALL, SMALL_BARE, chaff, one_bug

Random = np.random.Generator


def bad_machine(seed: int, k: int) -> Scenario:
    """A machine with a fault among bugs that hit everybody: bare or behind others, of one kind of fault or of many."""
    rng = np.random.default_rng((seed, 5))
    look = replace(FAULTS, kinds=int(rng.choice([0, 1])))
    since = float(rng.uniform(0, 60)) if rng.random() < 0.5 else None
    background = chaff(float(rng.choice([0.5, 2.0, 6.0])))
    if rng.random() < 0.5:
        bad = Cause("bad host", "hardware", look, k, within={"physical_host": ANY}, since=since)
        return Scenario(f"{k} crashes", SMALL, (background, bad))
    bad = Cause("bad host", "hardware", look, k, within={"host": ANY}, since=since, cpu=bool(rng.random() < 0.5))
    return Scenario(f"{k} crashes", SMALL_BARE, (background, bad), hides=NO_VM)


def _look_of_a_bug(rng: Random) -> tuple[str, Look]:
    where = str(rng.choice(["bugs-held-out", "imitators", "models-b", "ingest"], p=[0.5, 0.2, 0.2, 0.1]))
    crashes = pool()
    kind = str(rng.choice(np.unique(crashes.kinds[crashes.rows(where)])))
    forced = "one" if rng.random() < 0.5 else None
    return f"{where}: {kind}", Look((where,), named=(kind,), syndrome=forced)


def _within(attribute: str, value: str) -> Callable[[Cause], Cause]:
    return lambda cause: replace(cause, within={attribute: value})


def _on_hosts(count: int, loop: float = 1.0) -> Callable[[Cause], Cause]:
    return lambda cause: replace(cause, spread=count, loop=loop)


PINNED = {"tenant-pinned-1": 1, "tenant-pinned-2": 3}

MANNERS: Mapping[str, Callable[[Cause], Cause]] = {
    "everywhere": lambda cause: cause,
    "from a day on": lambda cause: replace(cause, since=30.0),
    "one release": _within("service_release", "26.1"),
    "one library build": _within("build of libunwind", "1.8.0"),
    "one kernel": _within("kernel_release", "6.12.41"),
    "one workload": _within("workload", "bulk"),
    "crash loops": lambda cause: replace(cause, loop=5.0),
    "poison pills": lambda cause: replace(cause, pill=6.0),
    "a tenant on one machine": _within("tenant", "tenant-pinned-1"),
    "a tenant on three machines": _within("tenant", "tenant-pinned-2"),
    "a tenant on one machine, not told": _within("tenant", "tenant-pinned-1"),
    "data of one host": _on_hosts(1),
    "a crash loop of one host": _on_hosts(1, loop=4.0),
}
"""How software crashes come. The last three put software on one host and tell nobody why."""


def software(seed: int, manner: str) -> Scenario:
    """One bug, with all its variants, in this manner; real software, imitators of bad hardware among it."""
    rng = np.random.default_rng((seed, 6))
    name, look = _look_of_a_bug(rng)
    shape = replace(SMALL if rng.random() < 0.5 else SMALL_BARE, pinned=PINNED)
    crashes = int(np.exp(rng.uniform(np.log(3), np.log(80))))
    bug = MANNERS[manner](Cause(name, "software", look, crashes))
    hides = (*(NO_VM if shape.vms_each == 1 else ()), *(("tenant",) if "not told" in manner else ()))
    return Scenario(manner, shape, (chaff(2.0), bug), hides=hides)


def _outcomes(seed: int, rng: Random) -> Look:
    crashes = pool()
    kind, program = rng.choice(np.unique(crashes.kinds[crashes.rows("models-a")])), rng.choice(("perl", "python3"))
    return Look(("models-a",), (str(program),), named=(str(kind),), syndrome="one")


def _builds(seed: int, rng: Random) -> Look:
    return replace(one_bug(seed, ("ingest",)), builds=(), by="service_release")


SHAPES: Mapping[str, Callable[[int, Random, Cause], Cause]] = {
    "plain": lambda seed, rng, cause: cause,
    "many outcomes": lambda seed, rng, cause: replace(cause, look=_outcomes(seed, rng)),
    "frames differ by release": lambda seed, rng, cause: replace(cause, look=_builds(seed, rng)),
    "a release that ramps": lambda seed, rng, cause: replace(cause, within={"service_release": "26.1"}),
    "a library that ramps": lambda seed, rng, cause: replace(cause, times={"build of libunwind": {"1.8.0": 8.0}}),
    "one workload, skewed over SKUs": lambda seed, rng, cause: replace(cause, times={"workload": {"bulk": 10.0}}),
    "uneven hosts": lambda seed, rng, cause: replace(cause, hidden=2.0),
    "crash loops": lambda seed, rng, cause: replace(cause, loop=3.0),
    "many outcomes, from a day on": lambda seed, rng, cause: replace(cause, look=_outcomes(seed, rng), since=40.0),
    "frames differ by release, crash loops": lambda seed, rng, cause: replace(cause, look=_builds(seed, rng), loop=3.0),
}


def single_cause(seed: int, how: str) -> Scenario:
    """One cause in one syndrome: 20 to 400 crashes."""
    rng = np.random.default_rng((seed, 7))
    crashes = int(np.exp(rng.uniform(np.log(20), np.log(400))))
    cause = SHAPES[how](seed, rng, Cause(how, "software", one_bug(seed), crashes, outbreak=False))
    shape = SKEWED if "SKU" in how else SMALL
    if cause.look.by:  # a release for each build of the lab's service
        versions = (Rollout("26.0", 20, 10), Rollout("26.1", 45, 10), Rollout("26.2", 70, 10))
        shape = replace(shape, releases=versions)
    return Scenario(how, shape, (cause,), hides=NO_VM if shape.vms_each == 1 else ())
