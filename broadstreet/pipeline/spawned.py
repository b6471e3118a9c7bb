"""Worker processes behind the interface of concurrent.futures; one that is killed costs what it held, and no more.

The pool of the standard library shares one pipe for all results: who is killed while writing to it leaves half a
message, at which its reader waits forever, and all other workers are ended with it. Here each worker has a pipe and a
thread of its own, which starts another process when one is gone.

Processes are spawned, never forked: the casebook's library must not be used after a fork. They are started with
SIGINT blocked, for Ctrl-C is the parent's to answer.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
MOST_STARTS = 5  # for one call: a process may be killed before it came to it
_CONTEXT = multiprocessing.get_context("spawn")


class WorkerKilled(Exception):
    """The process that ran the call ended before it answered."""


class SpawnedPool(Executor):
    """Runs calls in as many processes; each is started when it is first needed."""

    def __init__(self, workers: int) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], Call] | None] = SimpleQueue()
        self._lock = Lock()
        self._closed = False
        self._workers: set[_Worker] = set()
        self._threads = [Thread(target=self._serve, daemon=True) for _ in range(workers)]
        with undisturbed():
            for thread in self._threads:
                thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As Executor does. The future's exception is WorkerKilled where the process ended."""
        future: Future[T] = Future()
        self._calls.put((future, (fn, args, kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As Executor does; with `cancel_futures` what runs is killed too."""
        if cancel_futures:
            with self._lock:
                self._closed = True
                for worker in self._workers:
                    worker.process.kill()
            self._cancel()
        for _ in self._threads:
            self._calls.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _cancel(self) -> None:
        while True:
            try:
                waiting = self._calls.get_nowait()
            except Empty:
                return
            if waiting is not None:
                waiting[0].cancel()

    def _serve(self) -> None:
        worker: _Worker | None = None
        while (waiting := self._calls.get()) is not None:
            future, call = waiting
            if not future.set_running_or_notify_cancel():
                continue
            for _ in range(MOST_STARTS):
                begun = False
                try:
                    worker = worker or self._started()
                    worker.connection.send(call)
                    begun = worker.connection.recv()
                    answer = worker.connection.recv()
                except (EOFError, OSError):
                    self._ended(worker)
                    worker = None
                    if begun:
                        future.set_exception(WorkerKilled())
                        break
                else:
                    future.set_result(answer)
                    break
            else:
                future.set_exception(WorkerKilled())
        self._ended(worker)

    def _started(self) -> "_Worker":
        with self._lock:
            if self._closed:
                raise EOFError
            worker = _Worker()
            self._workers.add(worker)
            return worker

    def _ended(self, worker: "_Worker | None") -> None:
        if worker is not None:
            worker.connection.close()
            worker.process.join()
            with self._lock:
                self._workers.discard(worker)


class _Worker:
    def __init__(self) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self.process: BaseProcess = _CONTEXT.Process(target=_answer, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()


def _answer(connection: Connection) -> None:
    while True:
        try:
            function, args, kwargs = connection.recv()
        except (EOFError, ConnectionError):  # the latter if it was killed before it had read all that was sent
            return
        try:
            connection.send(True)  # from here on its end is the call's
            connection.send(function(*args, **kwargs))
        except ConnectionError:
            return


@contextmanager
def undisturbed() -> Iterator[None]:
    """Threads and processes that are started here inherit a blocked SIGINT."""
    resource_tracker.ensure_running()  # the first process starts it, and it unblocks the signal when it does
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
