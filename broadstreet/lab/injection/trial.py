"""One trial: start a victim, let it use a drawn amount of CPU time, stop it in user code, put one fault in, let it go.

What it then dies of, and the core dump, are the kernel's doing. The seed fixes the plan (the moment in CPU time, the
bit, which of the places); the moment itself is real, so a second run gives a like crash and not the same.

What such a fault cannot show: it obeys the architecture, it comes at a random moment of a busy program where a bad CPU
fails at few instructions, and a victim that lives on for `SECONDS_AFTER_FAULT` counts as a survivor.
"""

import os
import select
import subprocess
import tempfile
import time
from pathlib import Path
from random import Random

from broadstreet.errors import UsageError
from broadstreet.lab import ptrace
from broadstreet.lab.injection.faults import HARDWARE, RECURRING
from broadstreet.lab.injection.models import SOFTWARE
from broadstreet.lab.injection.stopped import Mode, in_user_code, stopped
from broadstreet.lab.injection.victims import VICTIMS, Victim
from broadstreet.lab.kernel import CannotDump
from broadstreet.lab.order import RUN, NotMade, Order, Workshop
from broadstreet.lab.process import core_dumps, ended, kept, running, said, signal_of, started
from broadstreet.lab.truth import Cause, Parameters, Truth

SECONDS_AFTER_FAULT = 1.0
EARLIEST_CPU_SECONDS, LATEST_CPU_SECONDS = 0.06, 0.5
STOPS_PER_TRIAL = 60
MOST_RECURRENCES = 100
PROCESSOR = 36  # of the fields behind the name, proc_pid_stat(5)

MODES: dict[str, Mode] = {**HARDWARE, **RECURRING, **SOFTWARE}


def crash(order: Order, workshop: Workshop) -> Truth | NotMade:
    """Run one trial."""
    victim = _victim(order)
    words = victim.words(order, workshop)
    with tempfile.TemporaryDirectory(dir=workshop.folder, prefix=RUN) as name:
        folder = Path(name)
        with running(started(words, folder, cpu=order.cpu)) as process:
            try:
                hit = _put_in(process, order)
            except ProcessLookupError as reason:
                return NotMade("too late", str(reason))
            if not hit:
                return NotMade("no place", "no moment had what this fault changes")
            if not ended(process, SECONDS_AFTER_FAULT):
                return NotMade("survived")
        if not signal_of(process):
            return NotMade("exited", said(folder))
        cores = core_dumps(folder)
        if len(cores) != 1:
            raise CannotDump(f"{order.name}: wanted one core dump, found {len(cores)}")
        kept(cores[0], workshop.folder / order.core)
        return _truth(order, victim, hit, signal_of(process), said(folder))


def _victim(order: Order) -> Victim:
    victim = VICTIMS.get(order.program)
    if victim is None or order.mechanism not in MODES:
        what = f"no victim {order.program}" if victim is None else f"no fault {order.mechanism}"
        raise UsageError(f"the lab has {what}", "broadstreet lab list names them all")
    if victim.absence:
        raise UsageError(f"no {victim.name} here: {victim.absence}", "Install it, or choose another victim.")
    return victim


def _truth(order: Order, victim: Victim, hit: Parameters, signal: int, last_line: str) -> Truth:
    cause: Cause = "software" if order.mechanism in SOFTWARE else "hardware"
    return Truth(
        core=order.core,
        cause=cause,
        family=order.family,
        mechanism=order.mechanism,
        program=victim.name,
        build=order.build,
        variant=order.variant,
        runtime=victim.runtime,
        signal=signal,
        seed=order.seed,
        hit=hit,
        said=last_line,
    )


def _put_in(process: subprocess.Popen[str], order: Order) -> Parameters:
    draw, pauses = Random(f"{order.seed}/fault"), Random(f"{order.seed}/pauses")
    change = MODES[order.mechanism]
    _wait_for_cpu_time(process.pid, Random(order.seed).uniform(EARLIEST_CPU_SECONDS, LATEST_CPU_SECONDS))
    if order.mechanism not in RECURRING:
        return _one_fault(process.pid, change, draw, pauses)
    here = sorted(os.sched_getaffinity(0))
    bad = Random(f"{order.seed}/cpu").choice(here) if order.cpu is None else order.cpu
    return _until_it_ends(process.pid, change, bad, draw, pauses)


def _one_fault(pid: int, change: Mode, draw: Random, pauses: Random) -> Parameters:
    """What was changed; empty where no moment had what this fault changes."""
    ptrace.seize(pid)
    for _ in range(STOPS_PER_TRIAL):
        ptrace.interrupt(pid)
        at = stopped(pid)
        hit = change(at, draw) if in_user_code(at) else None
        if hit:
            ptrace.detach(pid)
            return {"rip": at.registers["rip"], **hit}
        ptrace.go_on(pid)
        time.sleep(pauses.uniform(0.0005, 0.01))
    return {}


def _until_it_ends(pid: int, change: Mode, bad_cpu: int, draw: Random, pauses: Random) -> Parameters:
    # The last fault, and how many there were. They go in only while the program runs on the bad CPU.
    hit: Parameters = {}
    count = 0
    for _ in range(MOST_RECURRENCES):
        try:
            found = _one_fault(pid, change, draw, pauses) if _last_cpu(pid) == bad_cpu else {}
        except (ProcessLookupError, PermissionError, FileNotFoundError):  # it has ended, or is being dumped
            break
        if found:
            count += 1
            hit = {**found, "count": count, "cpu": bad_cpu}
        time.sleep(pauses.uniform(0.002, 0.02))
    return hit


def _last_cpu(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[PROCESSOR])


def _wait_for_cpu_time(pid: int, seconds: float) -> None:
    process = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        while _cpu_seconds(pid) < seconds:
            if poll.poll(2):
                raise ProcessLookupError(f"process {pid} ended before it had used {seconds:.2f} s")
    finally:
        os.close(process)


def _cpu_seconds(pid: int) -> float:
    nanoseconds = Path(f"/proc/{pid}/schedstat").read_text().split()[0]
    return int(nanoseconds) / 1e9
