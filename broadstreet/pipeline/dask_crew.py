"""Workers of a Dask cluster: one that runs already, or one that is started here for the time of a scan.

A worker that is killed gives its batches back to the scheduler, which tries them on others, a few times. When the
scheduler's connection is lost, the client cancels every future at once.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

from broadstreet import __version__
from broadstreet.errors import ClusterLost, UsageError
from broadstreet.pipeline.crew import Crew
from broadstreet.pipeline.examination import Answer, examined_elsewhere
from broadstreet.pipeline.spawned import undisturbed

CONNECT_SECONDS = 10
NO_WORKERS_SECONDS = 60.0  # a pod that was evicted has come back by then, as a rule
COUNTED_SECONDS = 5.0  # the number of workers is asked for no more often
BATCH_SECONDS = 0.25  # a task costs 1.5 ms: under 1 %
LONGEST_BATCH = 1024
CLOSING_SECONDS = 5
SILENT = logging.CRITICAL + 1


@contextmanager
def dask_crew(address: str | None, workers: int) -> Iterator[Crew]:
    """The workers of the scheduler at HOST:PORT; without an address, of a local cluster with so many of them."""
    distributed = _distributed()
    with _quiet():
        with undisturbed():
            cluster, client = _connected(distributed, address, workers)
        name = f"the scheduler at {address or client.scheduler.address}"
        executor = client.get_executor(pure=False)
        try:
            present = _Present(client, name)
            yield Crew(
                submit=partial(_submitted, executor, name),
                killed=distributed.scheduler.KilledWorker,
                proof=1,  # the scheduler has tried it on several workers before it gives up
                width=present.count,
                check=present.check,
                name=name,
                batch_seconds=BATCH_SECONDS,
                longest_batch=LONGEST_BATCH,
            )
        finally:
            if client.status == "running":
                executor.shutdown(wait=False)
            client.close(CLOSING_SECONDS)
            if cluster is not None:
                cluster.close(CLOSING_SECONDS)


def _distributed() -> ModuleType:
    try:
        import distributed
        import distributed.scheduler
    except ImportError as error:
        raise UsageError("the engine dask needs the extra `cluster`", "pip install 'broadstreet[cluster]'") from error
    found: ModuleType = distributed
    return found


def _connected(distributed: Any, address: str | None, workers: int) -> tuple[Any, Any]:
    if address is None:
        cluster = distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=None, silence_logs=SILENT
        )
        return cluster, distributed.Client(cluster, set_as_default=False, direct_to_workers=True)
    try:
        return None, distributed.Client(f"tcp://{address}", timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address}: {error}",
            "dask scheduler, and name it as dask://HOST:PORT",
        ) from error


def _submitted(executor: Any, name: str, examination: Any, specimens: Any) -> Future[Answer]:
    try:
        future: Future[Answer] = executor.submit(examined_elsewhere, __version__, examination, specimens)
    except (OSError, RuntimeError) as error:
        raise ClusterLost(f"{name} is gone") from error
    return future


class _Present:
    """How many threads of workers there are, as far as is known."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._count = 0
        self._counted = -COUNTED_SECONDS
        self._seen = time.monotonic()

    def count(self) -> int:
        """The number of threads, at least one: work may be sent before the first worker has come."""
        now = time.monotonic()
        if now - self._counted >= COUNTED_SECONDS or not self._count:
            self._counted = now
            self.check()
        return max(1, self._count)

    def check(self) -> None:
        """Raise where the scheduler is gone, or has had no worker for long."""
        if self._client.status != "running":
            raise ClusterLost(f"{self._name} is gone")
        try:
            self._count = sum(self._client.nthreads().values())
        except (OSError, RuntimeError) as error:  # CommClosedError is an OSError
            raise ClusterLost(f"{self._name} is gone") from error
        now = time.monotonic()
        if self._count:
            self._seen = now
        elif now - self._seen > NO_WORKERS_SECONDS:
            raise ClusterLost(f"{self._name} has had no worker for {NO_WORKERS_SECONDS:.0f} s")


@contextmanager
def _quiet() -> Iterator[None]:
    """Not logged is what the scan says itself, and once: that a worker was killed, that a scheduler is gone."""
    logs = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(SILENT)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)
