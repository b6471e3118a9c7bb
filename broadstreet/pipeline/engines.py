"""Many specimens, on every CPU: spawned workers that return outcomes, and die without loss."""

import multiprocessing
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice

from broadstreet.pipeline.evidence import Keep
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.together import examine_together
from broadstreet.records.case import Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.binaries import Binaries

BATCH = 16  # specimens for a worker at a time: large enough to hide the queue, small enough for a smooth bar
WAITING = 4  # batches per worker that are queued


def examined(
    specimens: Iterable[Specimen], sources: BinarySources, workers: int, keep: Keep = "none"
) -> Iterator[Examined]:
    """What comes of each specimen, in no order. With one worker it runs here; else in spawned processes."""
    if workers <= 1:
        yield from examine_together(specimens, sources.open(), keep)
        return
    batches = _batches(specimens)
    context = multiprocessing.get_context("spawn")
    lost: list[Specimen] = []
    while True:
        batch_of: dict[Future[list[Examined]], list[Specimen]] = {}
        pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(sources, keep))
        try:
            with _undisturbed():
                batch_of |= {pool.submit(_work, b): b for b in islice(batches, workers * WAITING)}
            while batch_of:
                for future in wait(batch_of, return_when=FIRST_COMPLETED).done:
                    done = future.result()
                    del batch_of[future]
                    yield from done
                    batch_of |= {pool.submit(_work, batch): batch for batch in islice(batches, 1)}
            return
        except BrokenProcessPool:
            lost = [specimen for batch in batch_of.values() for specimen in batch]
        finally:
            pool.shutdown(cancel_futures=True)
        yield from _one_by_one(lost, sources, keep)


def _one_by_one(specimens: list[Specimen], sources: BinarySources, keep: Keep) -> Iterator[Examined]:
    """After a worker was killed, as by the kernel for its memory: who did it is read alone, and named."""
    context = multiprocessing.get_context("spawn")
    rest = list(specimens)
    while rest:
        with ProcessPoolExecutor(1, context, initializer=_start_worker, initargs=(sources, keep)) as pool:
            try:
                while rest:
                    yield from pool.submit(_work, rest[:1]).result()
                    rest.pop(0)
            except BrokenProcessPool:
                lost = rest.pop(0)
                yield Examined(
                    lost,
                    Unreadable(
                        lost.location, "killed its worker", "the process that read it was killed", unsettled=True
                    ),
                )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Processes that are started here inherit a blocked SIGINT: Ctrl-C is the parent's to answer."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_worker_binaries: Binaries | None = None
_worker_keep: Keep = "none"


def _start_worker(sources: BinarySources, keep: Keep) -> None:
    global _worker_binaries, _worker_keep
    _worker_keep = keep
    _worker_binaries = sources.open()


def _work(specimens: list[Specimen]) -> list[Examined]:
    if _worker_binaries is None:
        raise RuntimeError("the worker was not started")
    return list(examine_together(specimens, _worker_binaries, _worker_keep))


def _batches(specimens: Iterable[Specimen]) -> Iterator[list[Specimen]]:
    rest = iter(specimens)
    while batch := list(islice(rest, BATCH)):
        yield batch
