"""A core dump in a bucket: byte ranges by as few requests as pay, a stream that is ended early where it is compressed.

What was fetched is held until the core dump is closed, so that a byte is asked for once. Every request names the ETag
of the listing: bytes of two versions of an object never mix.
"""

from bisect import insort
from types import TracebackType
from typing import Any

from broadstreet.errors import UnreachableSpecimen
from broadstreet.formats.collectors import Collected
from broadstreet.records.specimen import Specimen
from broadstreet.sources.archives import core_in
from broadstreet.sources.blob import CoreSource, Ranges
from broadstreet.sources.coalescing import Span, coalesced, missing
from broadstreet.sources.compression import INPUT, Stream
from broadstreet.sources.objects import (
    ANSWER_SECONDS,
    STREAM_SECONDS,
    Short,
    address,
    errors,
    patiently,
    requests_at_once,
    store_at,
)

FIRST_BYTES = 64 << 10  # what a reading asks for first; what tells compression and archives is among it
WEAK, TIME = "W/", "@"  # how stamps begin that If-Match cannot take: RFC 9110, 8.8.3; or that are no ETag
KEPT_BYTES = 4 << 20  # of the beginning of a stream, for the next round: some 16 objects are open at a time


class BucketCore:
    """An object. `requests` and `bytes_read` count what was asked of the store, tries that failed with it."""

    def __init__(self, specimen: Specimen) -> None:
        self.size = specimen.size
        self.said = Collected()
        self.requests = 0
        self.bytes_read = 0
        self.location = specimen.location
        self._root, self._key = address(specimen.location)
        self._tag = specimen.stamp
        self._held: list[tuple[int, bytes]] = []
        self._head = bytearray()  # of streams

    def ranges(self, wanted: Ranges) -> list[bytes]:
        """As many bytes of each range as the object holds, of one round trip."""
        spans = [(offset, min(offset + size, self.size)) for offset, size in wanted]
        held = [(start, start + len(data)) for start, data in self._held]
        lacking = [gap for span in spans for gap in missing(span, held)]
        if any(start == 0 for start, _ in lacking):
            lacking.append((0, min(FIRST_BYTES, self.size)))
        asked = coalesced(lacking, self.bytes_read)
        pieces = [self._fetched(*asked[0])] if len(asked) == 1 else requests_at_once().map(self._one, asked)
        for (start, _), data in zip(asked, pieces, strict=True):
            insort(self._held, (start, data))
        return [self._from_held(span) for span in spans]

    def stream(self, at: int) -> Stream:
        """The bytes from there to the end, as they arrive."""
        return _ObjectStream(self, at)

    def _one(self, span: Span) -> bytes:
        return self._fetched(*span)

    def _fetched(self, start: int, end: int) -> bytes:
        def attempt() -> bytes:
            answer = self.asked(start, end, ANSWER_SECONDS)
            data = bytes(answer.bytes())
            self.bytes_read += len(data)
            if len(data) != end - start:
                raise Short(f"{len(data)} bytes of {end - start} at byte {start}")
            return data

        return patiently(attempt, self.location)

    def asked(self, start: int, end: int, seconds: float) -> Any:
        """One request for a span of it. Another version of the object than the listed one is refused."""
        self.requests += 1
        options: dict[str, Any] = {"range": (start, end)}
        if not self._tag.startswith((WEAK, TIME)):
            options["if_match"] = f'"{self._tag}"'
        answer = store_at(self._root, seconds).get(self._key, options=options)
        found = stamp_of(answer.meta)
        if found != self._tag:
            raise UnreachableSpecimen(self.location, "changed meanwhile", f"it was {self._tag}, is {found}", False)
        return answer

    def _from_held(self, span: Span) -> bytes:
        start, end = span
        found = bytearray()
        for low, data in self._held:
            if low <= start < low + len(data) and start < end:
                piece = data[start - low : end - low]
                found += piece
                start += len(piece)
        return bytes(found)

    def beginning(self, at: int, size: int) -> bytes:
        """Of the bytes that are held from the first one on."""
        first = self._held[0][1] if self._held and self._held[0][0] == 0 else b""
        head = self._head if len(self._head) > len(first) else first
        return bytes(head[at : at + size])

    def keep(self, at: int, data: bytes) -> None:
        """Hold what a stream brought, as long as it is not too much."""
        if not self._head and self._held and self._held[0][0] == 0:
            self._head += self._held[0][1]
        if at == len(self._head) and at + len(data) <= KEPT_BYTES:
            self._head += data


class _ObjectStream:
    """Each piece is waited for with patience; after a break the rest is asked for from there on."""

    def __init__(self, core: BucketCore, at: int) -> None:
        self._core = core
        self._at = at
        self._chunks: Any = None
        self._left = b""

    def read(self, size: int) -> bytes:
        if not self._left:
            self._left = self._core.beginning(self._at, size) if self._chunks is None else b""
            if not self._left and self._at < self._core.size:
                self._left = patiently(self._chunk, self._core.location)
                self._core.keep(self._at, self._left)
            self._at += len(self._left)
        data, self._left = self._left[:size], self._left[size:]
        return data

    def close(self) -> None:
        self._chunks = None  # the connection is closed with it

    def _chunk(self) -> bytes:
        if self._chunks is None:
            answer = self._core.asked(self._at, self._core.size, STREAM_SECONDS)
            self._chunks = iter(answer.stream(min_chunk_size=INPUT))
        try:
            data = bytes(next(self._chunks, b""))
            if not data:
                raise Short(f"the stream ends at byte {self._at} of {self._core.size}")
        except errors():
            self._chunks = None
            raise
        self._core.bytes_read += len(data)
        return data


class OpenObject:
    """An object opened for reading; what is held of it goes at the end."""

    def __init__(self, specimen: Specimen) -> None:
        self._specimen = specimen

    def __enter__(self) -> CoreSource:
        return core_in(BucketCore(self._specimen))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return


def fetched(location: str, most: int) -> bytes | None:
    """A small object, as it is now; null where it is gone."""
    root, key = address(location)

    def attempt() -> bytes:
        answer = store_at(root, ANSWER_SECONDS).get(key, options={"range": (0, most)})
        return bytes(answer.bytes())

    try:
        return patiently(attempt, location)
    except UnreachableSpecimen as error:
        if error.kind == "vanished":
            return None
        raise


def stamp_of(meta: Any) -> str:
    """What tells one version of an object from another: its ETag, or its time where the store gives none.

    Without the quotes, which Azure leaves out of its listings and sends with its answers.
    """
    tag = meta["e_tag"]
    return str(tag if tag.startswith(WEAK) else tag.strip('"')) if tag else f"{TIME}{meta['last_modified'].isoformat()}"
