"""Compressed streams, decompressed piece by piece: no size that a stream claims reaches an allocation."""

import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

CHUNK = 1 << 20
INPUT = 64 << 10
ZSTD_BLOCK = 128 << 10  # RFC 8878: no block is longer, so no more than this is lost before damage
MOST_WINDOW = 128 << 20  # of a zstd frame, as the zstd tool refuses more by default
DEFLATE = "deflate"  # as in zip archives: without a magic number, so never recognised

_MAGICS = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4", b"\x1f\x8b": "gzip", b"\xfd7zXZ\0": "xz"}
SUFFIXES = (".zst", ".lz4", ".gz", ".xz")


class Stream(Protocol):
    """Bytes in order, from wherever they lie."""

    def read(self, size: int) -> bytes:
        """At most so many of the next bytes; none at the end."""

    def close(self) -> None:
        """End it: what was not read is not fetched."""


def compression(head: bytes) -> str | None:
    """The compression that these first bytes announce; null for none of those known."""
    return next((name for magic, name in _MAGICS.items() if head.startswith(magic)), None)


def decompressed(stream: Stream, form: str) -> Iterator[bytes]:
    """What a stream of this form holds, of all of its frames; it ends where the stream is cut off."""
    if form == "zstd":
        yield from _zstd(stream)
        return
    rest = b""
    while rest or (rest := stream.read(INPUT)):
        decompressor = _decompressor(form)
        while not decompressor.eof:
            if decompressor.needs_input and not rest:
                rest = stream.read(INPUT)
                if not rest:
                    return  # cut off here; what came before counts
            chunk = decompressor.decompress(rest, CHUNK)
            rest = b""
            if chunk:
                yield chunk
        if form == DEFLATE:
            return  # what follows is the next member of the archive
        rest = decompressor.unused_data


def damage() -> tuple[type[Exception], ...]:
    """What decompressors raise on damaged streams."""
    import zstandard

    return (zstandard.ZstdError, RuntimeError, EOFError, zlib.error, lzma.LZMAError)


def _zstd(stream: Stream) -> Iterator[bytes]:
    import zstandard

    with zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW).stream_reader(
        stream,  # type: ignore[arg-type]  # of a file it uses `read` alone
        read_across_frames=True,
        closefd=False,
    ) as reader:
        while chunk := reader.read(ZSTD_BLOCK):
            yield chunk


def _decompressor(form: str) -> Any:
    if form == "lz4":
        import lz4.frame

        return lz4.frame.LZ4FrameDecompressor()
    if form == "xz":
        return lzma.LZMADecompressor(memlimit=2 * MOST_WINDOW)
    return _Deflated(wbits=-15 if form == DEFLATE else 31)


class _Deflated:
    """zlib with the interface of the other two."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits=wbits)

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
