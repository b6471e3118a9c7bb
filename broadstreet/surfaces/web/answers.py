"""Answers that were given, kept to be given again: a version of a casebook never changes, so neither does its page."""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import NamedTuple

from starlette.exceptions import HTTPException

MOST_AT_WORK = 20  # threads that work out or wait; the others, of 40, give what is kept
MOST_BYTES = 64 << 20
OVERHEAD = 512  # bytes of an entry beside its body; measured at about 400
LEVEL = 5  # of gzip: 6 takes a third longer for one percent

Key = tuple[object, ...]


class Kept(NamedTuple):
    """One answer: its bytes packed by gzip, what kind it is, and the tag by which a browser knows it again."""

    packed: bytes
    kind: str
    tag: str

    def plain(self) -> bytes:
        """For a browser that does not unpack."""
        return gzip.decompress(self.packed)


class Answers:
    """Answers by what was asked, the longest unused let go of. Of equal questions at a time one is worked out."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._at_work: dict[Key, Future[Kept]] = {}
        self._room = threading.BoundedSemaphore(MOST_AT_WORK)
        self.bytes = 0

    def of(self, key: Key, kind: str, make: Callable[[], bytes]) -> Kept:
        """The answer to a question; what fails is not kept."""
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        if not self._room.acquire(blocking=False):
            raise HTTPException(503, f"{MOST_AT_WORK} pages are being worked out already. Ask again in a moment.")
        try:
            return self._worked_out(key, kind, make)
        finally:
            self._room.release()

    def _worked_out(self, key: Key, kind: str, make: Callable[[], bytes]) -> Kept:
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                return kept
            others = self._at_work.get(key)
            if others is None:
                self._at_work[key] = Future()
        if others is not None:
            try:
                return others.result()
            except CancelledError:  # it failed there; it may succeed here
                return self._worked_out(key, kind, make)
        found = None
        try:
            found = packed(make(), kind)
        finally:
            self._done(key, found)
        return found

    def clear(self) -> None:
        """Let go of all of them."""
        with self._lock:
            self._kept.clear()
            self.bytes = 0

    def _done(self, key: Key, found: Kept | None) -> None:
        with self._lock:
            work = self._at_work.pop(key)
            if found is not None and _size(found) <= self._most:
                self._kept[key] = found
                self.bytes += _size(found)
                while self.bytes > self._most:
                    self.bytes -= _size(self._kept.popitem(last=False)[1])
        if found is None:
            work.cancel()
        else:
            work.set_result(found)


def packed(body: bytes, kind: str) -> Kept:
    """An answer as it is kept; equal bytes have equal tags."""
    return Kept(gzip.compress(body, LEVEL, mtime=0), kind, hashlib.blake2b(body, digest_size=12).hexdigest())


def _size(kept: Kept) -> int:
    return len(kept.packed) + OVERHEAD
