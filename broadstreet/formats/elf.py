"""ELF, 64-bit little-endian: what core dumps and binaries share."""

import struct
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.layout import At, Buffer, Layout

MAGIC = b"\x7fELF"
CLASS_64 = 2
LITTLE_ENDIAN = 1
ET_CORE = 4
PT_LOAD, PT_NOTE, PT_GNU_EH_FRAME = 1, 4, 0x6474E550
PF_X, PF_W, PF_R = 1, 2, 4
SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS, SHT_DYNSYM = 2, 3, 8, 11
STT_FUNC, STT_GNU_IFUNC = 2, 10
PN_XNUM = 0xFFFF  # more program headers than fit: the real count stands in section header 0, sh_info
NT_GNU_BUILD_ID = 3
LONGEST_BUILD_ID = 64
MOST_NOTES = 1 << 18  # a dozen of each of 20,000 threads


class ElfHeader(NamedTuple):
    """The file header, from e_type on."""

    type: Annotated[int, At(16, "H")]
    machine: Annotated[int, At(18, "H")]
    entry: Annotated[int, At(24, "Q")]
    program_headers: Annotated[int, At(32, "Q")]
    section_headers: Annotated[int, At(40, "Q")]
    program_header_size: Annotated[int, At(54, "H")]
    program_header_count: Annotated[int, At(56, "H")]
    section_header_size: Annotated[int, At(58, "H")]
    section_header_count: Annotated[int, At(60, "H")]
    section_names: Annotated[int, At(62, "H")]


class ProgramHeader(NamedTuple):
    """One segment."""

    type: Annotated[int, At(0, "I")]
    flags: Annotated[int, At(4, "I")]
    offset: Annotated[int, At(8, "Q")]
    address: Annotated[int, At(16, "Q")]
    physical: Annotated[int, At(24, "Q")]
    file_size: Annotated[int, At(32, "Q")]
    memory_size: Annotated[int, At(40, "Q")]
    alignment: Annotated[int, At(48, "Q")]


class SectionHeader(NamedTuple):
    """One section."""

    name: Annotated[int, At(0, "I")]
    type: Annotated[int, At(4, "I")]
    flags: Annotated[int, At(8, "Q")]
    address: Annotated[int, At(16, "Q")]
    offset: Annotated[int, At(24, "Q")]
    size: Annotated[int, At(32, "Q")]
    link: Annotated[int, At(40, "I")]
    info: Annotated[int, At(44, "I")]
    alignment: Annotated[int, At(48, "Q")]
    entry_size: Annotated[int, At(56, "Q")]


class NoteHeader(NamedTuple):
    """The header before a note's name and data."""

    name_size: Annotated[int, At(0, "I")]
    data_size: Annotated[int, At(4, "I")]
    type: Annotated[int, At(8, "I")]


GABI = "System V gABI"
ELF_HEADER = Layout(ElfHeader, size=64, source=f"{GABI}, ELF Header")
PROGRAM_HEADER = Layout(ProgramHeader, size=56, source=f"{GABI}, Program Header")
SECTION_HEADER = Layout(SectionHeader, size=64, source=f"{GABI}, Section Header")
NOTE_HEADER = Layout(NoteHeader, size=12, source=f"{GABI}, Note Section")
_PROGRAM_HEADERS = struct.Struct("<IIQQQQQQ")


def header(data: Buffer) -> ElfHeader:
    """The file header of a 64-bit little-endian ELF file."""
    if bytes(data[:4]) != MAGIC:
        raise UnreadableSpecimen("ELF header", 0, "7f 45 4c 46", bytes(data[:4]).hex(" ") or "nothing")
    if len(data) < ELF_HEADER.size:
        raise UnreadableSpecimen("ELF header", 0, f"{ELF_HEADER.size} bytes", f"{len(data)} bytes")
    if data[4] != CLASS_64:
        raise UnreadableSpecimen("ELF header", 4, "a 64-bit file", f"class {data[4]}")
    if data[5] != LITTLE_ENDIAN:
        raise UnreadableSpecimen("ELF header", 5, "a little-endian file", f"data encoding {data[5]}")
    return ELF_HEADER.read(data)


def program_headers(data: Buffer) -> list[ProgramHeader]:
    """Every whole program header in these bytes."""
    whole = len(data) // PROGRAM_HEADER.size * PROGRAM_HEADER.size
    return list(map(ProgramHeader._make, _PROGRAM_HEADERS.iter_unpack(data[:whole])))


def raw_program_headers(data: Buffer) -> list[tuple[int, ...]]:
    """As program_headers, as plain tuples in the order of the fields: there may be tens of thousands."""
    whole = len(data) // PROGRAM_HEADER.size * PROGRAM_HEADER.size
    return list(_PROGRAM_HEADERS.iter_unpack(data[:whole]))


def notes(segment: bytes, alignment: int = 4) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield (name, type, start, size) for each whole note, in file order. One that is cut off ends it."""
    at = 0
    end = len(segment)
    for _ in range(MOST_NOTES):
        if at + NOTE_HEADER.size > end:
            return
        name_size, size, kind = NOTE_HEADER.read(segment, at)
        start = at + _padded(NOTE_HEADER.size + name_size, alignment)
        if start + size > end:
            return
        name_at = at + NOTE_HEADER.size
        yield segment[name_at : name_at + name_size].rstrip(b"\0"), kind, start, size
        at = start + _padded(size, alignment)


def build_id(image: Buffer) -> str | None:
    """The build id in the first bytes of a mapped or stored ELF file; null when they do not hold it."""
    if bytes(image[:4]) != MAGIC or len(image) < ELF_HEADER.size:
        return None
    head = ELF_HEADER.read(image)
    table = image[head.program_headers : head.program_headers + head.program_header_count * PROGRAM_HEADER.size]
    for segment in program_headers(table):
        if segment.type != PT_NOTE or segment.file_size > 65536:
            continue
        data = bytes(image[segment.offset : segment.offset + segment.file_size])
        for name, kind, start, size in notes(data, 8 if segment.alignment == 8 else 4):
            if kind == NT_GNU_BUILD_ID and name == b"GNU" and 0 < size <= LONGEST_BUILD_ID:
                return data[start : start + size].hex()
    return None


def has_code(image: Buffer) -> bool:
    """Whether a segment with execute permission has bytes: a file of separate debug information has none."""
    head = header(image)
    table = image[head.program_headers : head.program_headers + head.program_header_count * PROGRAM_HEADER.size]
    return any(one.type == PT_LOAD and one.flags & PF_X and one.file_size for one in program_headers(table))


def text(data: Buffer, at: int, longest: int = 4096) -> str | None:
    """The NUL-terminated string at this offset; null outside the data."""
    if not 0 <= at < len(data):
        return None
    piece = bytes(data[at : at + longest])
    return piece.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _padded(size: int, alignment: int) -> int:
    return (size + alignment - 1) & -alignment
