"""True specimens of the 18-year-old race in GNU libunwind (issue 927).

`_Ux86_64_setcontext` loads rsp and only then reads the target rip from a context that now lies below the stack. A
signal between the two instructions lets the kernel and the handler write over it. Left to chance this takes hours;
here ptrace stops the thread between them, with a hardware breakpoint, so that no byte of code is ever changed, and
delivers the signal there. What follows is the bug itself: nothing else in the process is touched.

A variant of the program `race` is KIND-DEPTH-CLEANUP-THREAD: what is thrown, through how many frames, at which
clean-up counted from the throw the signal comes, and in which thread. Of the service `ingest` it is WORKLOAD-NUMBER;
the seed and the variant fix the pass through setcontext at which the signal comes.
"""

import os
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab import ptrace
from broadstreet.lab.order import RUN, NotMade, Order, Workshop, compiled
from broadstreet.lab.process import core_dumps, ended, kept, running, said, signal_in, started
from broadstreet.lab.truth import Truth
from broadstreet.lab.zoo import ingest
from broadstreet.lab.zoo.crash import COMMON_FLAGS, FOLDER

LOAD_RSP = bytes.fromhex("488ba7a0000000")  # mov 0xa0(%rdi),%rsp
LOAD_TARGET = bytes.fromhex("488b8fa8000000")  # mov 0xa8(%rdi),%rcx, which follows it
LIBRARY = "libunwind.so.8"

MECHANISM = "setcontext_race"
SECONDS = 10.0
MOST_PASSES = 200  # of the service, before the signal

BUILDS = {
    "O0": ("-O0",),
    "O1": ("-O1",),
    "O2": ("-O2",),
    "O2-fp": ("-O2", "-fno-omit-frame-pointer"),
    "O3-nopie": ("-O3", "-no-pie", "-fno-pie"),
}
VARIANTS = (
    ("O0", "number-0-0-main"),
    ("O0", "pressure-2-1-main"),
    ("O0", "memory-6-0-thread"),
    ("O1", "pressure-1-0-main"),
    ("O1", "number-4-3-main"),
    ("O2", "pressure-0-0-main"),
    ("O2", "pressure-12-5-main"),
    ("O2", "memory-3-2-main"),
    ("O2", "number-2-0-thread"),
    ("O2-fp", "pressure-3-1-main"),
    ("O3-nopie", "pressure-5-4-main"),
    ("O3-nopie", "memory-1-1-thread"),
)


class Target(NamedTuple):
    """A program that waits to be told, and how often setcontext is passed before the signal comes."""

    words: tuple[str | Path, ...]
    passes: int


def orders() -> list[Order]:
    """One in each of several builds, depths and threads."""
    return [Order("race", MECHANISM, "race", build, variant, f"race.{build}.{variant}") for build, variant in VARIANTS]


def service_orders(seed: int) -> list[Order]:
    """One in each release and workload of the service."""
    return [
        Order("race", MECHANISM, ingest.PROGRAM, release, f"{workload}-1", name, f"{seed}/{name}")
        for release in ingest.RELEASES
        for workload in ingest.WORKLOADS
        for name in [f"race.{release}.{workload}-1"]
    ]


def crash(order: Order, workshop: Workshop) -> Truth | NotMade:
    """Compile and crash one specimen."""
    target = (_service if order.program == ingest.PROGRAM else _specimen)(order, workshop)
    with tempfile.TemporaryDirectory(prefix=RUN, dir=workshop.folder) as name:
        folder = Path(name)
        pipe = subprocess.PIPE
        with running(started(target.words, folder, cpu=order.cpu, told=pipe, heard=pipe)) as process:
            try:
                _strike(process, target.passes)
            except ProcessLookupError as reason:
                return NotMade("not struck", str(reason))
            if not ended(process, SECONDS):
                return NotMade("survived")
        cores = core_dumps(folder)
        if len(cores) != 1 or signal_in(cores[0]) != signal.SIGSEGV:
            return NotMade("no core dump", f"status {process.returncode}")
        kept(cores[0], workshop.folder / order.core)
        return _truth(order, target.passes, said(folder))


def _specimen(order: Order, workshop: Workshop) -> Target:
    kind, depth, clean_up, thread = order.variant.split("-")
    program = workshop.program(f"race.{order.build}", partial(_compile, order.build))
    return Target((program, kind, depth, *(["thread"] if thread == "thread" else [])), int(clean_up))


def _service(order: Order, workshop: Workshop) -> Target:
    workload = order.variant.partition("-")[0]
    if workload not in ingest.WORKLOADS:
        raise UsageError(f"{ingest.PROGRAM} has no workload {workload!r}", f"It has: {', '.join(ingest.WORKLOADS)}")
    passes = Random(f"{order.seed}/{order.variant}").randrange(MOST_PASSES)
    return Target((ingest.program(workshop, order.build), workload, "wait"), passes)


def _compile(build: str, to: Path) -> None:
    try:
        compiled("g++", *BUILDS[build], *COMMON_FLAGS, FOLDER / "programs" / "race.cc", *ingest.UNWINDER, "-o", to)
    except UsageError as error:
        hint = "On Debian and Ubuntu: apt-get install libunwind-dev"
        raise UsageError("cannot link with GNU libunwind", hint) from error


def _strike(process: subprocess.Popen[str], passes: int) -> None:
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    thread = int(max(os.listdir(f"/proc/{process.pid}/task"), key=int))
    window = _window(process.pid)
    ptrace.seize(thread)
    ptrace.interrupt(thread)
    ptrace.break_at(thread, window)
    process.stdin.write("go\n")
    process.stdin.flush()
    for _ in range(passes + 1):
        ptrace.go_on(thread)
        stopped_by = ptrace.wait_for_stop(thread)
        at = ptrace.registers(thread)["rip"]
        if stopped_by != signal.SIGTRAP or at != window:
            raise ProcessLookupError(f"wanted a stop at {window:#x}, found signal {stopped_by} at {at:#x}")
    ptrace.break_at(thread, None)
    ptrace.detach(thread, signal.SIGUSR2)


def _window(pid: int) -> int:
    """The address between the two instructions in the process."""
    code = [mapping for mapping in ptrace.mappings(pid) if LIBRARY in mapping.name and "x" in mapping.permissions]
    for mapping in code:
        found = ptrace.memory(pid, mapping.start, mapping.end - mapping.start).find(LOAD_RSP + LOAD_TARGET)
        if found >= 0:
            return mapping.start + found + len(LOAD_RSP)
    raise UsageError(f"the {LIBRARY} of this machine does not load rsp before the target", "It has no such race.")


def _truth(order: Order, passes: int, last_line: str) -> Truth:
    return Truth(
        core=order.core,
        cause="software",
        family="race",
        mechanism=order.mechanism,
        program=order.program,
        build=order.build,
        variant=order.variant,
        runtime="C++",
        signal=signal.SIGSEGV,
        seed=order.seed,
        expected=("return_to_null",),
        context=("unwinding_exception",),
        context_not=("in_signal_handler", "re_raised", "forked_child"),
        parameters={"pass": passes},
        said=last_line,
        note="GNU libunwind issue 927: SIGUSR2 between the loads of rsp and rip in _Ux86_64_setcontext",
    )
