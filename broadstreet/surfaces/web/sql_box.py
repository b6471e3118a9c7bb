"""Ask a question in a process of its own: started for it, killed for certain when its time is up."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import msgspec
from starlette.exceptions import HTTPException

from broadstreet.errors import UsageError
from broadstreet.records.atlas import About
from broadstreet.store.boxed import LESS
from broadstreet.surfaces.web.apart import GRACE_SECONDS, REFUSED, Question, Refused, Rows
from broadstreet.surfaces.web.child import command, import_path

AT_ONCE = 2  # questions; each may take a CPU and half a gigabyte
WAITING = 6  # questions; each holds a thread of the server
FILES = 4  # answers that are being fetched; each may have a gigabyte, and a reader who is slow keeps it
WAIT_SECONDS = 10.0
SECONDS = 5.0
CHUNK = 1 << 16
LONGEST = 20_000  # characters
APART = command("broadstreet.surfaces.web.apart")
KEPT = ("PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "LANG", "LC_ALL")  # of the environment: no keys of a cloud
ONE_THREAD = {
    "TOKIO_WORKER_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}  # threads take address space, and a machine of 128 CPUs would start as many of each kind

_places = threading.BoundedSemaphore(AT_ONCE)
_waiting = threading.BoundedSemaphore(AT_ONCE + WAITING)
_files = threading.BoundedSemaphore(FILES)
_folders: set[str] = set()


def rows(about: About, folder: str, select: str, seconds: float = SECONDS) -> Rows:
    """The answer for a page."""
    with _asked(Question(about.casebook, about.version, folder, select, "page", seconds)) as answer:
        return msgspec.json.decode(answer.read(), type=Rows)


def file(about: About, folder: str, select: str, form: str, seconds: float = SECONDS) -> Iterator[bytes]:
    """The answer as CSV or Parquet; what cannot be answered is refused before the first byte."""
    question = Question(about.casebook, about.version, folder, select, form, seconds)
    with _one_of(_files, 0, f"{FILES} answers are being fetched already."), _asked(question) as answer:
        yield b""
        while chunk := answer.read(CHUNK):
            yield chunk


def leave() -> None:
    """Remove what questions that are being answered have written: the server ends, and they with it."""
    for folder in tuple(_folders):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _asked(question: Question) -> Iterator[IO[bytes]]:
    if len(question.select) > LONGEST:
        raise UsageError(f"a question has at most {LONGEST:,} characters", "Ask with broadstreet sql.")
    with tempfile.TemporaryFile() as answer:
        busy = f"{AT_ONCE} questions are being answered already."
        with _one_of(_waiting, 0, busy), _one_of(_places, WAIT_SECONDS, busy):
            _run(question, answer)
        answer.seek(0)
        yield answer


@contextmanager
def _one_of(places: threading.Semaphore, seconds: float, busy: str) -> Iterator[None]:
    if not places.acquire(timeout=seconds):
        raise HTTPException(503, f"{busy} Ask again in a moment.")
    try:
        yield
    finally:
        places.release()


def _run(question: Question, answer: IO[bytes]) -> None:
    remote = "://" in question.url
    kept = dict(os.environ) if remote else {name: os.environ[name] for name in KEPT if name in os.environ}
    with tempfile.TemporaryDirectory(prefix="broadstreet-sql-", ignore_cleanup_errors=True) as folder:
        _folders.add(folder)
        child = subprocess.Popen(
            APART,
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=kept | ONE_THREAD | {"PYTHONPATH": import_path(), "TMPDIR": folder},
            start_new_session=True,
        )
        try:
            _, said = child.communicate(msgspec.json.encode(question), question.seconds + GRACE_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"the question takes longer than {question.seconds:g} seconds", LESS) from error
        finally:
            child.kill()  # nothing is left of it, whatever happened
            child.communicate()
            _folders.discard(folder)
    if child.returncode == REFUSED:
        refused = msgspec.json.decode(said, type=Refused)
        raise UsageError(refused.what, refused.hint)
    if child.returncode != 0:
        raise UsageError("the question used up what it may have of time or memory", LESS)
