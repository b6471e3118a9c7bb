"""Make the crashes of a fleet on this machine, and lay each beside what its host would have written of it.

An order may leave no core dump: a wrong bit is often survived. The next attempt has the next seed. The process is
pinned to the CPU of the incident where this machine has one of that number; the kernel in a core dump is always that of
this machine.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from broadstreet.errors import UsageError
from broadstreet.lab.fleet.declaration import Scenario
from broadstreet.lab.fleet.incidents import Incident
from broadstreet.lab.fleet.planted import Planted, moment, planted
from broadstreet.lab.fleet.recipes import order
from broadstreet.lab.fleet.specimen import process, without_kernel
from broadstreet.lab.fleet.tables import Table
from broadstreet.lab.injection.victims import VICTIMS
from broadstreet.lab.kernel import the_kernel_dumps
from broadstreet.lab.order import NotMade, Order, Workshop
from broadstreet.lab.sets import MAKERS
from broadstreet.lab.truth import Truth
from broadstreet.records.exposure import SIMULATED
from broadstreet.sources.binaries import build_id_of

MOST_ATTEMPTS = 40
TELL_EVERY = 50
OF_GLIBC = ("libc.so", "ld-linux", "libm.so", "libpthread.so", "libdl.so")


class Made(NamedTuple):
    """What came of one incident: its truth, or why there is none."""

    crash: Incident
    truth: Planted | None
    files: frozenset[str] = frozenset()
    why: str = ""


class Places(NamedTuple):
    """Where the crashes are made, and where they are kept."""

    workshop: Workshop
    cores: Path
    slim: bool


def place(
    scenario: Scenario,
    crashes: Sequence[Incident],
    places: Places,
    seed: str,
    jobs: int | None,
    tell: Callable[[str], None],
) -> Iterator[Made]:
    """Make those that were captured, several at a time; each is given as soon as it and those before it are made."""
    wanted = [crash for crash in crashes if crash.captured]
    with the_kernel_dumps(), ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        made = pool.map(lambda crash: _made(scenario, crash, places, seed), wanted)
        for number, outcome in enumerate(made, start=1):
            yield outcome
            if number % TELL_EVERY == 0:
                tell(f"  {number} of {len(wanted)}")


def refuse_what_this_machine_lacks(scenario: Scenario) -> None:
    """Say before anything is written what would fail later."""
    for cause in scenario.cause:
        if cause.cpu is not None and cause.cpu not in os.sched_getaffinity(0):
            raise UsageError(
                f"cause {cause.name!r} pins its crashes to CPU {cause.cpu}, which this machine has not",
                "Make it on a machine with more CPUs, or only its tables: --table-only",
            )
        for recipe in cause.recipes:
            victim = VICTIMS.get(recipe.program)
            if victim is not None and victim.absence:
                raise UsageError(f"no {victim.name} here: {victim.absence}", "Install it, or take --table-only.")


def _made(scenario: Scenario, crash: Incident, places: Places, seed: str) -> Made:
    cpu = crash.cpu if crash.cpu in os.sched_getaffinity(0) else None
    failed = NotMade("not tried")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        wanted = order(crash.plan, f".{crash.number:04}", f"{seed}/{crash.number}/{attempt}", cpu)
        outcome = MAKERS[crash.plan.family](wanted, places.workshop)
        if isinstance(outcome, Truth):
            kept, files = _keep(scenario, crash, places, wanted)
            return Made(crash, planted(outcome, kept, crash, scenario, cpu, attempt), files)
        failed = outcome
    return Made(crash, None, why=f"{failed.outcome} {failed.why}".strip())


def _keep(scenario: Scenario, crash: Incident, places: Places, wanted: Order) -> tuple[str, frozenset[str]]:
    whole = places.workshop.folder / wanted.core
    kept = places.cores / crash.core(places.slim)
    found = process(whole)
    without_kernel(whole, found)
    if places.slim:
        _slim(whole, kept)
        whole.unlink()
    else:
        whole.rename(kept)
    kept.with_name(f"{kept.name}.json").write_bytes(sidecar(scenario, crash, found.pid))
    return kept.name, found.files


def _slim(whole: Path, to: Path) -> None:
    # The lab knows nothing of slimming; it asks the program, as any user may.
    command = (sys.executable, "-m", "broadstreet", "slim", "--pointers-only", str(whole), str(to))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{whole.name} cannot be slimmed: {done.stderr.strip()[-300:]}", "Make it without --slim.")


def sidecar(scenario: Scenario, crash: Incident, pid: int | None) -> bytes:
    """What the host writes beside a core dump; nothing of the cause."""
    stay = crash.stay
    said: dict[str, object] = {
        "time": moment(scenario, crash.second),
        "host": stay.host,
        "pid": pid,
        "service": stay.service,
        "service_release": stay.service_release,
        "workload": stay.workload,
        "region": stay.region,
        "labels": dict([SIMULATED, *([("tenant", stay.tenant)] if stay.tenant else [])]),
    }
    return msgspec.json.format(msgspec.json.encode(said), indent=1) + b"\n"


def builds(made: Iterable[Made], programs: Path) -> Table:
    """The build ids of the programs and libraries that were mapped into the processes that crashed."""
    rows: dict[str, tuple[str, str, str]] = {}
    for one in made:
        for path in map(Path, one.files):
            build_id = build_id_of(path)
            if build_id is not None:
                ours = path.is_relative_to(programs)
                rows[build_id] = build_id, _soname(path), one.crash.plan.build if ours else _release(path)
    return Table("builds", dict.fromkeys(("build_id", "library", "library_release"), "text"), sorted(rows.values()))


def _soname(file: Path) -> str:
    stem, dot, version = file.name.partition(".so.")
    return f"{stem}{dot}{version.partition('.')[0]}"


def _release(library: Path) -> str:
    if library.name.startswith(OF_GLIBC):
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ")
    return library.name.partition(".so.")[2]  # the kernel names the file behind the link: libunwind.so.8.0.1
