"""Write an ELF core dump that holds only parts of the memory: the layout of Linux, 64-bit little-endian.

Every mapping stands in the program headers, whether or not bytes of it are kept. An ELF segment has its bytes at its
beginning only, so a mapping of which inner stretches are kept becomes several segments, end to end and with the same
flags: each stretch begins one, and what lies between two stretches belongs to the segment of the first. Stretches that
touch in memory touch in the file too.

elfutils takes a segment to start at a multiple of the smallest p_align, and reads beyond p_filesz up to the next one
(libdwfl/core-file.c, libdwfl/segment.c). So addresses and offsets keep one alignment, and p_align states it.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from broadstreet.formats import elf

HEADER_BYTES, PROGRAM_HEADER_BYTES = elf.ELF_HEADER.size, elf.PROGRAM_HEADER.size
NOTE_ALIGNMENT = 4
# System V gABI: ELF Header, Program Header, Section Header, Note Section.
_HEADER = struct.Struct("<4sBBB9xHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
_NOTE_HEADER = struct.Struct("<III")
ELF_VERSION = 1


class CoreNote(NamedTuple):
    """A note; the name without its NUL."""

    name: bytes
    type: int
    data: bytes


class Stretch(NamedTuple):
    """Bytes of memory that are kept."""

    address: int
    data: bytes


class CoreMapping(NamedTuple):
    """A mapping, and its stretches in address order; they neither overlap nor leave the mapping."""

    start: int
    end: int
    flags: int
    stretches: tuple[Stretch, ...] = ()

    def segments(self) -> list[tuple[int, int, bytes]]:
        """(start, end, bytes) of each segment that this mapping becomes."""
        if not self.stretches:
            return [(self.start, self.end, b"")]
        starts = [stretch.address for stretch in self.stretches]
        datas = [stretch.data for stretch in self.stretches]
        if not starts or starts[0] != self.start:
            starts, datas = [self.start, *starts], [b"", *datas]
        return list(zip(starts, [*starts[1:], self.end], datas, strict=True))


@dataclass(frozen=True)
class CoreDump:
    """What a core dump is to hold. Every stretch begins at a multiple of `alignment`."""

    machine: int
    notes: tuple[CoreNote, ...]
    mappings: tuple[CoreMapping, ...]
    alignment: int

    @property
    def head_bytes(self) -> int:
        """How many bytes the header, the program headers and the notes take."""
        parts = sum(len(mapping.segments()) - 1 for mapping in self.mappings if mapping.stretches)
        count = 1 + len(self.mappings) + parts
        return HEADER_BYTES + PROGRAM_HEADER_BYTES * count + sum(len(packed(note)) for note in self.notes)


def core_dump(core: CoreDump) -> bytes:
    """The bytes of the file."""
    segments = [(mapping.flags, *segment) for mapping in core.mappings for segment in mapping.segments()]
    notes = b"".join(packed(note) for note in core.notes)
    count = 1 + len(segments)
    notes_at = HEADER_BYTES + PROGRAM_HEADER_BYTES * count
    at = _padded(notes_at + len(notes), core.alignment)
    headers = [_PROGRAM_HEADER.pack(elf.PT_NOTE, 0, notes_at, 0, 0, len(notes), 0, NOTE_ALIGNMENT)]
    contents = [notes.ljust(at - notes_at, b"\0")]
    pack, alignment = _PROGRAM_HEADER.pack, core.alignment
    for flags, start, end, data in segments:
        headers.append(pack(elf.PT_LOAD, flags, at, start, 0, len(data), end - start, alignment))
        if data:
            contents.append(data.ljust(_padded(len(data), alignment), b"\0"))
            at += len(contents[-1])
    extended = count >= elf.PN_XNUM
    head = _header(core.machine, min(count, elf.PN_XNUM), at if extended else 0)
    # Section header 0 holds the real number of program headers in sh_info (fs/binfmt_elf.c, fill_extnum_info).
    tail = _SECTION_HEADER.pack(0, 0, 0, 0, 0, 1, 0, count, 0, 0) if extended else b""
    return b"".join((head, *headers, *contents, tail))


def packed(note: CoreNote) -> bytes:
    """A note as it stands in its segment."""
    name = note.name + b"\0"
    head = _NOTE_HEADER.pack(len(name), len(note.data), note.type)
    head += name.ljust(_padded(len(name), NOTE_ALIGNMENT), b"\0")
    return head + note.data.ljust(_padded(len(note.data), NOTE_ALIGNMENT), b"\0")


def _header(machine: int, program_headers: int, section_headers_at: int) -> bytes:
    sections = (elf.SECTION_HEADER.size, 1) if section_headers_at else (0, 0)
    identity = (elf.MAGIC, elf.CLASS_64, elf.LITTLE_ENDIAN, ELF_VERSION)
    places = (elf.ET_CORE, machine, ELF_VERSION, 0, HEADER_BYTES, section_headers_at, 0)
    return _HEADER.pack(*identity, *places, HEADER_BYTES, PROGRAM_HEADER_BYTES, program_headers, *sections, 0)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
