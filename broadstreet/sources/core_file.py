"""A core dump in a local file, plain or compressed, that answers byte ranges.

A plain file is read with `pread`, never mapped: a reader that maps a sparse core pulls all of it into memory. A
compressed one is streamed; only the wanted ranges are kept, and the stream is left as soon as the last is complete.
"""

import lzma
import os
import stat
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, BinaryIO, Protocol

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.elf import MAGIC

CHUNK = 1 << 20
INPUT = 64 << 10
ZSTD_BLOCK = 128 << 10  # RFC 8878: no block is longer, so no more than this is lost before damage
LONGEST_STREAM = 1 << 40  # a core dump of a terabyte; beyond it a compressed file is a bomb
MOST_WINDOW = 128 << 20  # of a zstd frame, as the zstd tool refuses more by default


class CoreSource(Protocol):
    """What a reading needs of a core dump, wherever it lies."""

    bytes_read: int

    def ranges(self, wanted: tuple[tuple[int, int], ...]) -> list[bytes]:
        """As many bytes of each (offset, size) as exist."""


class PlainCore:
    """An uncompressed core dump."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._head = 0  # how far the first request reached, whose bytes count once
        self.bytes_read = 0

    def ranges(self, wanted: tuple[tuple[int, int], ...]) -> list[bytes]:
        """As many bytes of each range as the file holds. No size from the file's content reaches an allocation."""
        pieces = []
        for offset, size in wanted:
            size = min(size, self._size - offset)
            piece = os.pread(self._descriptor, size, offset) if size > 0 else b""
            end = offset + len(piece)
            self.bytes_read += max(0, end - max(offset, self._head))
            if offset == 0:
                self._head = max(self._head, end)
            pieces.append(piece)
        return pieces


class BytesCore:
    """A core dump that is at hand as bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.bytes_read = 0

    def ranges(self, wanted: tuple[tuple[int, int], ...]) -> list[bytes]:
        """As many bytes of each range as there are."""
        pieces = [self._content[offset : offset + size] for offset, size in wanted]
        self.bytes_read += sum(map(len, pieces))
        return pieces


class CompressedCore:
    """A compressed core dump. Each call streams from the start, for such streams do not seek."""

    def __init__(self, file: BinaryIO, form: str) -> None:
        self._file = file
        self._form = form
        self.bytes_read = 0

    def ranges(self, wanted: tuple[tuple[int, int], ...]) -> list[bytes]:
        """As many bytes of each range as the stream yields; a damaged stream ends where the damage begins."""
        pieces = [bytearray() for _ in wanted]
        last = max((offset + size for offset, size in wanted), default=0)
        self._file.seek(0)
        at = 0
        try:
            for chunk in _stream(self._file, self._form):
                for piece, (offset, size) in zip(pieces, wanted, strict=True):
                    low, high = max(offset, at), min(offset + size, at + len(chunk))
                    if low < high:
                        piece += chunk[low - at : high - at]
                at += len(chunk)
                if at >= min(last, LONGEST_STREAM):
                    break
        except _damage() as error:
            if at == 0:
                raise UnreadableSpecimen(f"{self._form} stream", 0, "a decompressible stream", str(error)) from error
        self.bytes_read = max(self.bytes_read, self._file.tell())
        return [bytes(piece) for piece in pieces]


class OpenCore:
    """A core dump opened for reading; a context manager around the descriptor."""

    def __init__(self, path: str) -> None:
        self._file: BinaryIO = open(path, "rb", buffering=0, opener=_without_waiting)  # noqa: SIM115
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            raise UnreadableSpecimen("file", 0, "a regular file", "something else")
        form = compression(os.pread(self._file.fileno(), 8, 0))
        self.source: CoreSource = CompressedCore(self._file, form) if form else PlainCore(self._file.fileno())

    def __enter__(self) -> CoreSource:
        return self.source

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would wait for a writer


_MAGICS = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"\x1f\x8b": "gzip", b"\xfd7zXZ\0": "xz"}
SUFFIXES = (".zst", ".lz4", ".gz", ".xz")


def compression(head: bytes) -> str | None:
    """The compression that these first bytes announce; null for none of those known."""
    return next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None)


def looks_like_core(head: bytes) -> bool:
    """Whether the first bytes are those of an ELF file or of a compressed file."""
    return head.startswith(MAGIC) or compression(head) is not None


def _stream(file: BinaryIO, form: str) -> Iterator[bytes]:
    if form == "zstd":
        yield from _zstd_stream(file)
        return
    rest = b""
    while rest or (rest := file.read(INPUT)):
        decompressor = _decompressor(form)
        while not decompressor.eof:
            if decompressor.needs_input and not rest:
                rest = file.read(INPUT)
                if not rest:
                    return  # cut off here; what came before counts
            chunk = decompressor.decompress(rest, CHUNK)
            rest = b""
            if chunk:
                yield chunk
        rest = decompressor.unused_data


def _zstd_stream(file: BinaryIO) -> Iterator[bytes]:
    import zstandard

    with zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW).stream_reader(
        file, read_across_frames=True, closefd=False
    ) as reader:
        while chunk := reader.read(ZSTD_BLOCK):
            yield chunk


def _decompressor(form: str) -> Any:
    if form == "lz4":
        import lz4.frame

        return lz4.frame.LZ4FrameDecompressor()
    return _Gzip() if form == "gzip" else lzma.LZMADecompressor(memlimit=2 * MOST_WINDOW)


class _Gzip:
    """zlib with the interface of the other two."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, most: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, most)


def _damage() -> tuple[type[BaseException], ...]:
    import zstandard

    return (zstandard.ZstdError, RuntimeError, EOFError, OSError, zlib.error, lzma.LZMAError)
