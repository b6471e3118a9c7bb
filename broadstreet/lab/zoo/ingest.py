"""`ingest`, the service of the founding story: one hot method, back-pressure by exceptions, a profiler's handler.

It is linked so that GNU libunwind unwinds. What a release changes is how much stack the handler uses, and so whether
the race of race.py leaves a zero to return to. Faults are put into it as into any victim (injection/victims.py); what
stands here is how it is built, and the ordinary bugs that any release has, in any workload.
"""

import signal
import subprocess
import tempfile
from functools import cache, partial
from pathlib import Path
from random import Random
from shutil import which
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.order import RUN, NotMade, Order, Workshop, compiled
from broadstreet.lab.process import core_dumps, ended, kept, said, signal_in, started
from broadstreet.lab.truth import Truth

PROGRAM = "ingest"
RUNTIME = "C++"
SOURCES = Path(__file__).parent / "programs"
FLAGS = ("-O2", "-g0", "-w", "-pthread", "-Wl,--build-id", f"-ffile-prefix-map={SOURCES}=ingest")
# Before libstdc++ and libgcc_s in the search order, so that its _Unwind_RaiseException wins.
UNWINDER = ("-Wl,--no-as-needed", "-lunwind")
SECONDS = 10.0
FIRST_BATCH, LAST_BATCH = 20, 900  # that may have the bug: within the first third of a second

HANDLER_BYTES = {"25.4": 256, "26.0": 512, "26.1": 4096, "26.2": 8192}
"""Of stack, by release."""

RELEASES = tuple(HANDLER_BYTES)
WORKLOADS = ("bulk", "serve", "replay")


class Bug(NamedTuple):
    """An ordinary bug of the service, and what a perfect reader of the core dump could say."""

    expected: str
    signal: int = signal.SIGSEGV
    note: str = ""


BUGS = {
    "ingest_null_field": Bug("null_dereference", note="a field of no peer"),
    "ingest_null_callback": Bug("call_to_null", note="nobody set the callback"),
    "ingest_use_after_free": Bug("noncanonical_access", note="text stands in the freed object now"),
    "ingest_double_free": Bug("abort_heap_corruption", signal.SIGABRT),
    "ingest_heap_overrun": Bug("abort_heap_corruption", signal.SIGABRT, "into the allocator's words of a neighbour"),
    "ingest_assertion": Bug("abort_assertion", signal.SIGABRT),
    "ingest_uncaught": Bug(
        "abort_uncaught_exception", signal.SIGABRT, "std::out_of_range where only pressure is caught"
    ),
    "ingest_divide": Bug("divide_error", signal.SIGFPE),
    "ingest_stack_overflow": Bug("stack_overflow", note="records within records, without end"),
    "ingest_truncated_log": Bug("bus_error_truncated_file", signal.SIGBUS),
}


@cache
def obstacle() -> str | None:
    """What the service cannot be built without, and is not here; null: nothing."""
    if which("g++") is None:
        return "g++ is not installed"
    found = subprocess.run(["g++", "-print-file-name=libunwind.so"], capture_output=True, text=True, check=False)
    return None if "/" in found.stdout else "libunwind-dev is not installed"


def program(workshop: Workshop, release: str) -> Path:
    """The service in this release: `bin/RELEASE/ingest`."""
    if release not in HANDLER_BYTES:
        raise UsageError(f"no release {release} of {PROGRAM}", f"There are: {', '.join(RELEASES)}")
    return workshop.program(f"{release}/{PROGRAM}", partial(_compile, release))


def orders(seed: int) -> list[Order]:
    """Each bug in each release; workloads by turns."""
    return [
        _order(bug, release, WORKLOADS[(turn + place) % len(WORKLOADS)], seed)
        for turn, bug in enumerate(BUGS)
        for place, release in enumerate(RELEASES)
    ]


def crash(order: Order, workshop: Workshop) -> Truth | NotMade:
    """Let the service run into one of its bugs."""
    bug = BUGS.get(order.mechanism)
    if bug is None or order.variant not in WORKLOADS:
        what = f"bug {order.mechanism}" if bug is None else f"workload {order.variant!r}"
        raise UsageError(f"{PROGRAM} has no {what}", f"It has: {', '.join(WORKLOADS if bug else BUGS)}")
    batch = Random(order.seed).randrange(FIRST_BATCH, LAST_BATCH)
    name = order.mechanism.removeprefix(f"{PROGRAM}_")
    words = (program(workshop, order.build), order.variant, "bug", name, str(batch))
    with tempfile.TemporaryDirectory(prefix=RUN, dir=workshop.folder) as run:
        folder = Path(run)
        process = started(words, folder, cpu=order.cpu)
        if not ended(process, SECONDS):
            return NotMade("survived", f"ran longer than {SECONDS} s")
        cores = core_dumps(folder)
        if len(cores) != 1 or signal_in(cores[0]) != bug.signal:
            return NotMade("no core dump", f"status {process.returncode}")
        kept(cores[0], workshop.folder / order.core)
        return _truth(order, bug, batch, said(folder))


def _order(bug: str, release: str, workload: str, seed: int) -> Order:
    name = f"{bug}.{release}.{workload}"
    return Order("bug", bug, PROGRAM, release, workload, name, f"{seed}/{name}")


def _compile(release: str, to: Path) -> None:
    own = (f'-DRELEASE="{release}"', f"-DHANDLER_BYTES={HANDLER_BYTES[release]}")
    try:
        compiled("g++", *FLAGS, *own, SOURCES / "ingest.cc", *UNWINDER, "-o", to)
    except UsageError as error:
        if obstacle() is None:
            raise
        raise UsageError(
            f"{PROGRAM} cannot be built: {obstacle()}", "On Debian and Ubuntu: apt-get install g++ libunwind-dev"
        ) from error


def _truth(order: Order, bug: Bug, batch: int, last_line: str) -> Truth:
    thrown = bug.expected == "abort_uncaught_exception"
    return Truth(
        core=order.core,
        cause="software",
        family=order.family,
        mechanism=order.mechanism,
        program=PROGRAM,
        build=order.build,
        variant=order.variant,
        runtime=RUNTIME,
        signal=bug.signal,
        seed=order.seed,
        expected=(bug.expected,),
        context_not=("in_signal_handler", "re_raised", "forked_child", *(() if thrown else ("unwinding_exception",))),
        parameters={"batch": batch},
        said=last_line,
        note=bug.note,
    )
