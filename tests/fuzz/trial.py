"""One trial: damaged bytes through the whole way from reader to row and JSON, with what it cost."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import msgspec

from broadstreet.cases.case import case_of
from broadstreet.cases.row import case_row
from broadstreet.errors import UnreadableSpecimen
from broadstreet.pipeline.evidence import evidence
from broadstreet.pipeline.reading import reading_of
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from broadstreet.surfaces.case_json import case_json
from tests.fuzz.mutation import Rope, RopeCore

LONGEST_SECONDS = 2.0
LARGEST_BYTES = 200 << 20


class TooSlow(BaseException):
    """The trial was stopped. Not an Exception, so that nothing in the package can swallow it."""


class Verdict(NamedTuple):
    """How a trial ended: a mechanism, the kind of an unreadable specimen, or a failure of ours."""

    outcome: str
    failed: bool
    cpu_seconds: float
    grown_bytes: int


def outcome(rope: Rope, binaries: Binaries, whole: bool) -> str:
    """The mechanism, or why the bytes are no core dump. Every other exception flies."""
    source = RopeCore(rope)
    try:
        reading = reading_of(source, binaries, whole, witnessed=True)
    except UnreadableSpecimen as error:
        return f"unreadable: {error.layout}"
    case = case_of(reading, Circumstances(path="core"), source.bytes_read, rope.size, whole)
    msgspec.json.encode(case_json(case))
    msgspec.json.encode(case_row(case))
    evidence(reading, case, binaries, "pointers")
    return case.mechanism


def measured(rope: Rope, binaries: Binaries, whole: bool) -> Verdict:
    """The outcome, with its CPU time and by how much the process grew at its peak."""
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew: Documentation/filesystems/proc.rst
    started = time.process_time()
    failed = True
    try:
        with _stopped_after(LONGEST_SECONDS):
            found = outcome(rope, binaries, whole)
        failed = False
    except TooSlow:
        found = f"over {LONGEST_SECONDS} s"
    except MemoryError:
        found = f"over {LARGEST_BYTES >> 20} MB of address space"
    except Exception as error:
        found = _where(error)
    spent = time.process_time() - started
    grown = _memory("VmHWM") - before
    if grown > LARGEST_BYTES and not failed:
        found, failed = f"over {LARGEST_BYTES >> 20} MB", True
    return Verdict(found, failed, spent, grown)


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _memory(name: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def _where(error: Exception) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "nowhere"
    return f"{type(error).__name__} at {place}: {error}"
