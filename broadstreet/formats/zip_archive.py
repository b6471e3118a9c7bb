"""The directory of a zip archive, so that one member can be streamed. PKWARE's APPNOTE.TXT 6.3.10."""

from typing import Annotated, NamedTuple

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.layout import At, Layout

MAGIC = b"PK\x03\x04"
STORED, DEFLATED = 0, 8
MOST_DIRECTORY = 1 << 20  # some ten thousand members
MOST_NAME = 1024  # of a member, with its extra fields, where its data are fetched with its header
_END, _END_64, _LOCATOR_64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"
_IN_EXTRA = 0xFFFFFFFF
_ZIP64 = 1


class End(NamedTuple):
    directory_size: Annotated[int, At(12, "I")]
    directory_at: Annotated[int, At(16, "I")]


class End64(NamedTuple):
    directory_size: Annotated[int, At(40, "Q")]
    directory_at: Annotated[int, At(48, "Q")]


class Locator64(NamedTuple):
    end_at: Annotated[int, At(8, "Q")]


class Entry(NamedTuple):
    method: Annotated[int, At(10, "H")]
    packed_size: Annotated[int, At(20, "I")]
    size: Annotated[int, At(24, "I")]
    name_size: Annotated[int, At(28, "H")]
    extra_size: Annotated[int, At(30, "H")]
    comment_size: Annotated[int, At(32, "H")]
    offset: Annotated[int, At(42, "I")]


class Local(NamedTuple):
    name_size: Annotated[int, At(26, "H")]
    extra_size: Annotated[int, At(28, "H")]


class Extra(NamedTuple):
    kind: Annotated[int, At(0, "H")]
    size: Annotated[int, At(2, "H")]


END = Layout(End, size=22, source="4.3.16, end of central directory record")
END_64 = Layout(End64, size=56, source="4.3.14, zip64 end of central directory record")
LOCATOR_64 = Layout(Locator64, size=20, source="4.3.15, zip64 end of central directory locator")
ENTRY = Layout(Entry, size=46, source="4.3.12, central directory structure")
LOCAL = Layout(Local, size=30, source="4.3.7, local file header")
EXTRA = Layout(Extra, size=4, source="4.5.1, extensible data fields")


class Member(NamedTuple):
    """A file in the archive; `offset` is that of its local header."""

    name: str
    method: int
    packed_size: int
    offset: int


def directory(tail: bytes, start: int) -> tuple[int, int]:
    """Offset and size of the directory, from the last bytes of the archive, which begin at `start` of it."""
    at = tail.rfind(_END)
    if at < 0 or not END.fits(tail, at):
        raise UnreadableSpecimen("zip archive", start, "the end of its directory", "none: it may be cut off")
    end = END.read(tail, at)
    locator = at - LOCATOR_64.size
    if locator >= 0 and tail[locator : locator + 4] == _LOCATOR_64:
        large = LOCATOR_64.read(tail, locator).end_at - start
        if END_64.fits(tail, large) and tail[large : large + 4] == _END_64:
            found = END_64.read(tail, large)
            return found.directory_at, found.directory_size
    return end.directory_at, end.directory_size


def members(data: bytes) -> list[Member]:
    """What a directory lists, as far as it goes."""
    found = []
    at = 0
    while ENTRY.fits(data, at) and data[at : at + 4] == _ENTRY:
        entry = ENTRY.read(data, at)
        at += ENTRY.size
        name = data[at : at + entry.name_size].decode("utf-8", "backslashreplace")
        at += entry.name_size
        packed_size, offset = _large(entry, data[at : at + entry.extra_size])
        found.append(Member(name, entry.method, packed_size, offset))
        at += entry.extra_size + entry.comment_size
    return found


def data_start(header: bytes, offset: int) -> int:
    """Where a member's data begin, from its local header, which stands at `offset`."""
    if header[:4] != MAGIC:
        raise UnreadableSpecimen("zip archive", offset, "a local file header", repr(header[:4]))
    local = LOCAL.read(header)
    return offset + LOCAL.size + local.name_size + local.extra_size


def _large(entry: Entry, extra: bytes) -> tuple[int, int]:
    values = [entry.size, entry.packed_size, entry.offset]
    at = 0
    while EXTRA.fits(extra, at):
        field = EXTRA.read(extra, at)
        at += EXTRA.size
        if field.kind == _ZIP64:
            body = extra[at : at + field.size]
            for index, value in enumerate(values):
                if value == _IN_EXTRA and len(body) >= 8:
                    values[index], body = int.from_bytes(body[:8], "little"), body[8:]
        at += field.size
    return values[1], values[2]
