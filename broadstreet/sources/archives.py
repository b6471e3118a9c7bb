"""What holds a core dump and tells of the crash: a compressed file, an apport report, a zip of core-dump-handler.

All are streamed; nothing is expanded to disk or kept whole in memory.
"""

import binascii
import zlib

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import apport, handler_zip, zip_archive
from broadstreet.formats.collectors import Collected
from broadstreet.sources.blob import Blob, CompressedCore, CoreSource, Ranges
from broadstreet.sources.compression import DEFLATE, INPUT, Stream, compression

HEAD_BYTES = 18
REPORT_HEAD_BYTES = 8 << 20  # of an apport report before its core dump: texts, mostly /proc/PID/maps
TAIL_BYTES = 64 << 10  # of a zip: its directory, and the small members that come after the core dump
INFO_BYTES = 1 << 20  # of a member that tells of the crash, packed or not


def core_in(blob: Blob) -> CoreSource:
    """The core dump that a blob is or holds."""
    (head,) = blob.ranges(((0, HEAD_BYTES),))
    if head.startswith(zip_archive.MAGIC):
        return _of_zip(blob)
    if head.startswith(apport.MAGIC):
        return _of_report(blob)
    form = compression(head)
    return CompressedCore(blob, form, lambda: blob.stream(0)) if form else blob


def _of_zip(blob: Blob) -> CoreSource:
    members = _members(blob)
    core = next((member for member in members if handler_zip.is_core(member.name)), None)
    if core is None:
        raise UnreadableSpecimen("zip archive", 0, "a member NAME.core", f"{len(members)} others")
    (header,) = blob.ranges(((core.offset, zip_archive.LOCAL.size),))
    start = zip_archive.data_start(header, core.offset)
    said = _told(blob, members)
    if core.method == zip_archive.STORED:
        return _Window(blob, start, core.packed_size, said)
    if core.method != zip_archive.DEFLATED:
        raise UnreadableSpecimen("zip archive", core.offset, "a stored or deflated member", f"method {core.method}")
    return CompressedCore(blob, DEFLATE, lambda: blob.stream(start), said)


def _members(blob: Blob) -> list[zip_archive.Member]:
    start = max(0, blob.size - TAIL_BYTES)
    (tail,) = blob.ranges(((start, TAIL_BYTES),))
    at, size = zip_archive.directory(tail, start)
    (directory,) = blob.ranges(((at, min(size, zip_archive.MOST_DIRECTORY)),))
    return zip_archive.members(directory)


def _told(blob: Blob, members: list[zip_archive.Member]) -> Collected:
    wanted = [m for m in members if handler_zip.is_told(m.name) and m.packed_size <= INFO_BYTES]
    room = zip_archive.LOCAL.size + zip_archive.MOST_NAME
    pieces = blob.ranges(tuple((member.offset, room + member.packed_size) for member in wanted))
    texts = {}
    for member, piece in zip(wanted, pieces, strict=True):
        data = piece[zip_archive.data_start(piece, 0) :][: member.packed_size]
        if member.method == zip_archive.DEFLATED:
            try:
                data = zlib.decompressobj(-15).decompress(data, INFO_BYTES)
            except zlib.error:
                continue
        texts[member.name] = data
    return handler_zip.said(texts)


class _Window:
    """A member of an archive that is not compressed."""

    def __init__(self, blob: Blob, start: int, size: int, said: Collected) -> None:
        self._blob = blob
        self._start = start
        self._size = size
        self.said = said

    @property
    def bytes_read(self) -> int:
        return self._blob.bytes_read

    def ranges(self, wanted: Ranges) -> list[bytes]:
        return self._blob.ranges(
            tuple((self._start + offset, max(0, min(size, self._size - offset))) for offset, size in wanted)
        )


def _of_report(blob: Blob) -> CoreSource:
    head = bytearray()
    stream = blob.stream(0)
    while (at := apport.core_start(head)) is None and len(head) < REPORT_HEAD_BYTES:
        piece = stream.read(INPUT)
        if not piece:
            break
        head += piece
    stream.close()
    if at is None:
        raise UnreadableSpecimen("apport report", 0, "a CoreDump", f"none in the first {len(head):,} bytes")
    first = _Base64Lines(blob.stream(at)).read(HEAD_BYTES)
    form = compression(first)
    if form is None:
        raise UnreadableSpecimen("apport report", at, "a gzip or zstd stream", repr(first[:4]))
    return CompressedCore(blob, form, lambda: _Base64Lines(blob.stream(at)), apport.said(bytes(head[:at])))


class _Base64Lines:
    """The bytes of an indented base64 value; each of its lines is encoded by itself, and may be a megabyte long."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = b""  # of a line, less than four characters
        self._fresh = True  # what comes begins a line
        self._ended = False

    def read(self, size: int) -> bytes:
        data = b""
        while not data and not self._ended:
            piece = self._stream.read(max(INPUT, size))
            self._ended = not piece
            data = self._decoded(piece)
        return data

    def close(self) -> None:
        self._stream.close()

    def _decoded(self, piece: bytes) -> bytes:
        found = bytearray()
        *lines, last = (self._left + piece).split(b"\n")
        try:
            for line in lines:
                found += binascii.a2b_base64(self._content(line))
                self._fresh = True
            if last or not self._fresh:
                content = self._content(last)
                whole = len(content) // 4 * 4
                found += binascii.a2b_base64(content[:whole])
                last = content[whole:]
        except (EOFError, binascii.Error):
            self._ended = True
        self._left = last
        return bytes(found)

    def _content(self, line: bytes) -> bytes:
        if not self._fresh:
            return line
        if not line.startswith(b" "):
            raise EOFError("the next field")
        self._fresh = False
        return line[1:]
