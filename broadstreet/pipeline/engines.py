"""Many specimens, on every CPU or on a cluster: workers that return what came of them, and die without loss.

The specimens are taken from their listing as they are needed, in batches that grow until one takes a moment: so a year
of a bucket is never held, and progress moves from the first second. What a killed worker held is read again, one
specimen at a time with nothing else under way, and the one that kills its worker even so is named.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice

from broadstreet.errors import ClusterLost, UsageError
from broadstreet.pipeline.crew import Crew
from broadstreet.pipeline.examination import Answer, Examination, OtherVersion, examined_batch
from broadstreet.pipeline.spawned import SpawnedPool, WorkerKilled
from broadstreet.pipeline.together import examine_together
from broadstreet.records.case import Unreadable
from broadstreet.records.specimen import Examined, Specimen

FIRST_BATCH = 4
WAITING = 3  # batches per worker under way: one is read, one waits, one is on its way back
MOST_UNDER_WAY = 4096  # specimens: with evidence 150 MB, if all came back at once
CHECKED_SECONDS = 1.0
LOCAL_BATCH_SECONDS = 0.05  # 30 core dumps: hides the pipe, and Ctrl-C and the bar wait no longer
LONGEST_LOCAL_BATCH = 256
LOCAL_PROOF = 2  # the first kill may have been anybody's


@dataclass(frozen=True)
class Local:
    """Spawned processes on this machine; one worker is this process itself."""

    workers: int = 1


@dataclass(frozen=True)
class Dask:
    """The workers of a Dask scheduler at HOST:PORT; without an address, of a local cluster of so many workers."""

    address: str | None = None
    workers: int = 1


Engine = Local | Dask


def examined(specimens: Iterable[Specimen], examination: Examination, engine: Engine) -> Iterator[Examined]:
    """What comes of each specimen, in no order. A ClusterLost ends it where a cluster cannot be reached any more."""
    if isinstance(engine, Local) and engine.workers <= 1:
        yield from examine_together(specimens, examination.binaries.open(), examination.keep)
        return
    with _crew(engine) as crew:
        yield from _Dispatch(specimens, examination, crew).results()


def _crew(engine: Engine) -> AbstractContextManager[Crew]:
    if isinstance(engine, Local):
        return _local_crew(engine.workers)
    from broadstreet.pipeline.dask_crew import dask_crew

    return dask_crew(engine.address, engine.workers)


@contextmanager
def _local_crew(workers: int) -> Iterator[Crew]:
    pool = SpawnedPool(workers)
    try:
        yield Crew(
            submit=lambda examination, batch: pool.submit(examined_batch, examination, batch),
            killed=WorkerKilled,
            proof=LOCAL_PROOF,
            width=lambda: workers,
            check=lambda: None,
            name="this machine",
            batch_seconds=LOCAL_BATCH_SECONDS,
            longest_batch=LONGEST_LOCAL_BATCH,
        )
    finally:
        pool.shutdown(cancel_futures=True)


class _Dispatch:
    """Specimens on their way to workers and back."""

    def __init__(self, specimens: Iterable[Specimen], examination: Examination, crew: Crew) -> None:
        self._rest = iter(specimens)
        self._examination = examination
        self._crew = crew
        self._size = FIRST_BATCH
        self._under_way: dict[Future[Answer], list[Specimen]] = {}
        self._suspects: deque[Specimen] = deque()  # to be read alone
        self._alone: Specimen | None = None
        self._kills = 0  # by the one that is read alone
        self._lost = 0

    def results(self) -> Iterator[Examined]:
        """What comes of each; a ClusterLost after the last that had arrived."""
        try:
            self._fill()
            while self._under_way:
                done = wait(self._under_way, CHECKED_SECONDS, FIRST_COMPLETED).done
                yield from self._arrived(done)
                if not done:
                    self._crew.check()
                if self._lost:
                    raise ClusterLost(f"{self._crew.name} is gone")
                self._fill()
        except ClusterLost as error:
            yield from self._arrived({future for future in self._under_way if future.done()})
            lost = self._lost + len(self._suspects) + sum(map(len, self._under_way.values()))
            raise ClusterLost(
                f"{error}; {lost:,} specimens that it had were not read, nor any after them; scan again to go on"
            ) from error

    def _fill(self) -> None:
        if self._suspects or self._alone is not None:
            if not self._under_way:
                if self._alone is None:
                    self._alone, self._kills = self._suspects.popleft(), 0
                self._send([self._alone])
            return
        width = self._crew.width() * WAITING
        most = max(1, min(self._size, self._crew.longest_batch, MOST_UNDER_WAY // width))
        while len(self._under_way) < width and (batch := list(islice(self._rest, most))):
            self._send(batch)

    def _send(self, batch: list[Specimen]) -> None:
        try:
            self._under_way[self._crew.submit(self._examination, batch)] = batch
        except ClusterLost:
            self._lost += len(batch)
            raise

    def _arrived(self, done: Iterable[Future[Answer]]) -> Iterator[Examined]:
        for future in done:
            batch = self._under_way.pop(future)
            if future.cancelled():
                self._lost += len(batch)
                continue
            error = future.exception()
            if error is None:
                answer = future.result()
                self._alone = None
                self._pace(len(batch), answer.seconds)
                yield from answer.examined
            elif isinstance(error, self._crew.killed):
                yield from self._killed(batch)
            elif isinstance(error, (OtherVersion, ImportError, AttributeError)):  # its code is not ours
                raise UsageError(
                    f"a worker of {self._crew.name} cannot read: {error}",
                    "Install the same version of broadstreet where the workers run.",
                )
            else:
                raise error

    def _pace(self, count: int, seconds: float) -> None:
        fitting = int(count * self._crew.batch_seconds / max(seconds, 1e-6))
        self._size = max(1, min(2 * self._size, fitting))

    def _killed(self, batch: list[Specimen]) -> Iterator[Examined]:
        """As by the kernel for its memory."""
        if self._alone is None:
            self._suspects += batch
            return
        self._kills += 1
        if self._kills >= self._crew.proof:
            place, self._alone = batch[0].location, None
            reason = "the process that read it was killed"
            yield Examined(batch[0], Unreadable(place, "killed its worker", reason))
