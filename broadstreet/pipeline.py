"""Wire the stages: from a path to a case, and from a folder to many, on every CPU.

The only `except Exception` stands here: one specimen must not stop ten thousand. What it catches is a bug of ours, and
is reported as such.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from broadstreet.cases.case import case_of
from broadstreet.errors import UnreadableSpecimen, UsageError
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.reader import Reading, read
from broadstreet.records.case import Case, Outcome, Unreadable
from broadstreet.records.line import Line
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.circumstances import circumstances
from broadstreet.sources.core_file import CoreSource, OpenCore
from broadstreet.sources.symbols import lines

BATCH = 16  # paths for a worker at a time: large enough to hide the queue, small enough for a smooth bar
WAITING = 4  # batches per worker that are queued


@dataclass(frozen=True)
class BinarySources:
    """Where binaries may be looked for."""

    folders: tuple[str, ...] = ()
    store: str | None = None
    debuginfod: tuple[str, ...] = ()

    def open(self) -> Binaries:
        """The finder for this process."""
        return Binaries(self.folders, self.store, self.debuginfod)


def reading_of(source: CoreSource, binaries: Binaries, every_thread: bool = False) -> Reading:
    """Drive the reader over a core dump."""
    reader = read(every_thread)
    wanted = next(reader)
    while True:
        answer: list[object]
        if wanted.ranges:
            answer = list(source.ranges(wanted.ranges))
        else:
            answer = [binaries.find(one) for one in wanted.binaries]
        try:
            wanted = reader.send(answer)
        except StopIteration as done:
            reading: Reading = done.value
            return reading


def case_at(path: str, binaries: Binaries, whole: bool = False) -> Case:
    """The case of one core dump; an UnreadableSpecimen where it is none."""
    return close_case_at(path, binaries, whole)[0]


def close_case_at(path: str, binaries: Binaries, whole: bool = False) -> tuple[Case, MachineState | None]:
    """The case of one core dump, and the machine state that it came from."""
    with OpenCore(path) as source:
        reading = reading_of(source, binaries, whole)
        case = case_of(reading, circumstances(path), source.bytes_read, os.stat(path).st_size, whole)
        return case, reading.state


def outcome_at(path: str, binaries: Binaries) -> Outcome:
    """The case of one core dump, or why there is none."""
    try:
        return case_at(path, binaries)
    except UnreadableSpecimen as error:
        return Unreadable(path, f"{error.layout}: wanted {error.wanted}", str(error))
    except UsageError as error:
        return Unreadable(path, "sidecar", error.what)
    except OSError as error:
        return Unreadable(path, error.strerror or type(error).__name__, str(error))
    except Exception as error:
        return Unreadable(path, f"a bug of ours ({type(error).__name__})", f"{type(error).__name__}: {error}")


def outcomes(paths: Iterable[str], sources: BinarySources, workers: int) -> Iterator[Outcome]:
    """The outcome of each path, in no order. With one worker it runs here; else in spawned processes."""
    if workers <= 1:
        binaries = sources.open()
        for path in paths:
            yield outcome_at(path, binaries)
        return
    batches = _batches(paths)
    context = multiprocessing.get_context("spawn")
    lost: list[str] = []
    while True:
        paths_of: dict[Future[list[Outcome]], list[str]] = {}
        pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(sources,))
        try:
            with _undisturbed():
                paths_of |= {pool.submit(_work, b): b for b in islice(batches, workers * WAITING)}
            while paths_of:
                for future in wait(paths_of, return_when=FIRST_COMPLETED).done:
                    done = future.result()
                    del paths_of[future]
                    yield from done
                    paths_of |= {pool.submit(_work, batch): batch for batch in islice(batches, 1)}
            return
        except BrokenProcessPool:
            lost = [path for batch in paths_of.values() for path in batch]
        finally:
            pool.shutdown(cancel_futures=True)
        yield from _one_by_one(lost, sources)


def _one_by_one(paths: list[str], sources: BinarySources) -> Iterator[Outcome]:
    """After a worker was killed, as by the kernel for its memory: who did it is read alone, and named."""
    context = multiprocessing.get_context("spawn")
    rest = list(paths)
    while rest:
        with ProcessPoolExecutor(1, context, initializer=_start_worker, initargs=(sources,)) as pool:
            try:
                while rest:
                    yield from pool.submit(_work, rest[:1]).result()
                    rest.pop(0)
            except BrokenProcessPool:
                yield Unreadable(rest.pop(0), "killed its worker", "the process that read it was killed")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Processes that are started here inherit a blocked SIGINT: Ctrl-C is the parent's to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker_binaries: Binaries | None = None


def _start_worker(sources: BinarySources) -> None:
    global _worker_binaries
    _worker_binaries = sources.open()


def _work(paths: list[str]) -> list[Outcome]:
    if _worker_binaries is None:
        raise RuntimeError("the worker was not started")
    return [outcome_at(path, _worker_binaries) for path in paths]


def _batches(paths: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(paths)
    while batch := list(islice(rest, BATCH)):
        yield batch


def source_lines(state: MachineState) -> dict[int, list[Line]]:
    """The source lines of each frame that has debug information, by the frame's number; empty without the extra."""
    found = {}
    for index, frame in enumerate(state.frames):
        place = frame.pc - frame.return_address
        module = state.modules.at(place)
        if module is not None and module.binary is not None:
            at = lines(module.binary, module.vaddr(place))
            if at:
                found[index] = at
    return found
