"""CPU time, in this process and in others. Wall time is printed at most; the machine may be shared."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

MILLISECONDS = 1000.0


class Spread(NamedTuple):
    """Milliseconds of CPU: the median, and how far single measurements lay from it."""

    median: float
    low: float
    high: float
    runs: int

    def __str__(self) -> str:
        digits = 3 if self.median < 10 else 1
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def spread(milliseconds: Sequence[float]) -> Spread:
    """Median, least, greatest and number."""
    return Spread(statistics.median(milliseconds), min(milliseconds), max(milliseconds), len(milliseconds))


def cpu_here(work: Callable[[], object]) -> float:
    """Milliseconds of CPU that one call takes in this process, in all of its threads."""
    before = time.process_time_ns()
    work()
    return (time.process_time_ns() - before) / 1e6


class Ended(NamedTuple):
    """A command that ended: CPU milliseconds of it and of its children, and wall milliseconds."""

    status: int
    cpu: float
    wall: float


def ended(command: Sequence[str]) -> Ended:
    """Run a command, its output thrown away."""
    began = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment())
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = (used.ru_utime + used.ru_stime) * MILLISECONDS
    return Ended(process.returncode, cpu, wall * MILLISECONDS)


def environment() -> Mapping[str, str]:
    """Ours, without what would make a peer ask the network for symbols."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DEBUGINFOD")}
