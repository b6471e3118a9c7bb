"""Bytes of a file or an object, and a core dump in them, plain or compressed, that answers byte ranges.

A plain file is read with `pread`, never mapped: a reader that maps a sparse core pulls all of it into memory. A
compressed one is streamed; only the wanted ranges are kept, and the stream is left as soon as the last is complete.
"""

import os
from collections.abc import Callable
from typing import Protocol

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.collectors import Collected
from broadstreet.sources.compression import Stream, damage, decompressed

LONGEST_STREAM = 1 << 40  # a core dump of a terabyte; beyond it a compressed file is a bomb
Ranges = tuple[tuple[int, int], ...]


class CoreSource(Protocol):
    """What a reading needs of a core dump, wherever it lies. `said`: what the collector wrote beside it."""

    said: Collected

    @property
    def bytes_read(self) -> int:
        """Of the file or object, each once, as far as that is known."""

    def ranges(self, wanted: Ranges) -> list[bytes]:
        """As many bytes of each (offset, size) as exist."""


class Blob(CoreSource, Protocol):
    """A file or an object: bytes by range, or one after another from some place on."""

    size: int

    def stream(self, at: int) -> Stream:
        """The bytes from there to the end."""


class BytesCore:
    """A core dump that is at hand as bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.said = Collected()
        self.bytes_read = 0

    def ranges(self, wanted: Ranges) -> list[bytes]:
        """As many bytes of each range as there are."""
        pieces = [self._content[offset : offset + size] for offset, size in wanted]
        self.bytes_read += sum(map(len, pieces))
        return pieces


class PlainCore:
    """A local file; of an uncompressed core dump, or of what holds one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._head = 0  # how far the first request reached, whose bytes count once
        self.said = Collected()
        self.bytes_read = 0

    def ranges(self, wanted: Ranges) -> list[bytes]:
        """As many bytes of each range as the file holds. No size from the file's content reaches an allocation."""
        pieces = []
        for offset, size in wanted:
            size = min(size, self.size - offset)
            piece = os.pread(self._descriptor, size, offset) if size > 0 else b""
            end = offset + len(piece)
            self.bytes_read += max(0, end - max(offset, self._head))
            if offset == 0:
                self._head = max(self._head, end)
            pieces.append(piece)
        return pieces

    def stream(self, at: int) -> Stream:
        """The bytes from there to the end, read as they are asked for."""
        return _FileStream(self, self._descriptor, at)


class _FileStream:
    def __init__(self, core: PlainCore, descriptor: int, at: int) -> None:
        self._core = core
        self._descriptor = descriptor
        self._at = at

    def read(self, size: int) -> bytes:
        data = os.pread(self._descriptor, size, self._at)
        self._at += len(data)
        self._core.bytes_read = max(self._core.bytes_read, self._at)
        return data

    def close(self) -> None:
        return


class CompressedCore:
    """A core dump in a compressed stream. Each call goes through it from the start, for such streams do not seek."""

    def __init__(self, blob: Blob, form: str, opened: Callable[[], Stream], said: Collected | None = None) -> None:
        self._blob = blob
        self._form = form
        self._opened = opened
        self.said = said or Collected()

    @property
    def bytes_read(self) -> int:
        """Of the compressed bytes."""
        return self._blob.bytes_read

    def ranges(self, wanted: Ranges) -> list[bytes]:
        """As many bytes of each range as the stream yields; a damaged stream ends where the damage begins."""
        pieces = [bytearray() for _ in wanted]
        last = max((offset + size for offset, size in wanted), default=0)
        at = 0
        stream = self._opened()
        broken: tuple[type[Exception], ...] = (*damage(), OSError)
        try:
            for chunk in decompressed(stream, self._form):
                for piece, (offset, size) in zip(pieces, wanted, strict=True):
                    low, high = max(offset, at), min(offset + size, at + len(chunk))
                    if low < high:
                        piece += chunk[low - at : high - at]
                at += len(chunk)
                if at >= min(last, LONGEST_STREAM):
                    break
        except broken as error:
            if at == 0:
                raise UnreadableSpecimen(f"{self._form} stream", 0, "a decompressible stream", str(error)) from error
        finally:
            stream.close()
        return [bytes(piece) for piece in pieces]
