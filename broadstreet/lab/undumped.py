"""A core dump as the kernel would have written it, had no code been a private copy.

ptrace turns a bit of code in a private copy of its page, and the kernel dumps the whole mapping of such a page
(fs/coredump.c, vma_dump_size). Bad memory turns it in the page cache, which no core dump holds: there, code that a file
backs is left out but for the first page of an ELF file. Code in a mapping that can also be written stays, for a
program may have written it itself.
"""

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import elf, linux_core
from broadstreet.formats.linux_core import MappedFile

PIECE_BYTES = 1 << 20
LARGEST_NOTES = 64 << 20  # vm.max_map_count mappings with a path of 900 bytes each
PAGE_BYTES = 4096
LARGEST_OFFSET = (1 << 63) - 1  # of off_t
FILE_SIZE_OFFSET = 32  # of p_filesz in Elf64_Phdr

Span = tuple[int, int]


def undumped(core: Path, to: Path) -> None:
    """Copy a core dump; where it holds code that a file backs, the copy has a hole and no longer refers to it."""
    with core.open("rb", buffering=0) as file, to.open("xb") as target:
        source, size = file.fileno(), os.fstat(file.fileno()).st_size
        head = elf.header(os.pread(source, elf.ELF_HEADER.size, 0))
        segments = _segments(source, head, size)
        files = _files(source, segments, size)
        shrunk = {place: kept for place, one in enumerate(segments) if (kept := _kept(source, one, files)) is not None}
        holes = [
            (segments[place].offset + kept, segments[place].offset + segments[place].file_size)
            for place, kept in shrunk.items()
        ]
        target.truncate(size)
        for start, end in _without(_data(source, size), sorted(holes)):
            _copy(source, target, start, end)
        for place, kept in shrunk.items():
            target.seek(head.program_headers + place * elf.PROGRAM_HEADER.size + FILE_SIZE_OFFSET)
            target.write(struct.pack("<Q", kept))


def _segments(source: int, head: elf.ElfHeader, size: int) -> list[elf.ProgramHeader]:
    count = head.program_header_count
    wanted = count * elf.PROGRAM_HEADER.size
    if count == elf.PN_XNUM or head.program_header_size != elf.PROGRAM_HEADER.size:
        found = f"{count} of {head.program_header_size} bytes"
        raise UnreadableSpecimen("ELF header", 54, "program headers of 56 bytes, fewer than 65535", found)
    if head.program_headers + wanted > size:
        raise UnreadableSpecimen("program headers", head.program_headers, f"{wanted} bytes", f"a file of {size}")
    return elf.program_headers(os.pread(source, wanted, head.program_headers))


def _files(source: int, segments: list[elf.ProgramHeader], size: int) -> list[MappedFile]:
    for segment in segments:
        if segment.type != elf.PT_NOTE or segment.offset >= size:
            continue
        data = os.pread(source, min(segment.file_size, LARGEST_NOTES), segment.offset)
        for name, kind, start, length in elf.notes(data):
            if name == b"CORE" and kind == linux_core.NT_FILE:
                return sorted(linux_core.mapped_files(data[start : start + length]))
    return []


def _kept(source: int, segment: elf.ProgramHeader, files: list[MappedFile]) -> int | None:
    code = segment.type == elf.PT_LOAD and segment.flags & elf.PF_X and not segment.flags & elf.PF_W
    place = bisect_right(files, segment.address, key=lambda file: file.start) - 1
    if not code or not segment.file_size or place < 0 or segment.address >= files[place].end:
        return None
    if files[place].offset or segment.address != files[place].start or segment.offset > LARGEST_OFFSET:
        return 0
    begins_a_file = os.pread(source, len(elf.MAGIC), segment.offset) == elf.MAGIC
    return min(PAGE_BYTES, segment.file_size) if begins_a_file else 0


def _copy(source: int, target: BinaryIO, start: int, end: int) -> None:
    target.seek(start)
    while start < end:
        piece = os.pread(source, min(PIECE_BYTES, end - start), start)
        if not piece:
            return  # somebody cut it off meanwhile
        target.write(piece)
        start += len(piece)


def _data(source: int, size: int) -> Iterator[Span]:
    end = 0
    while end < size:
        try:
            start = os.lseek(source, end, os.SEEK_DATA)
        except OSError:  # nothing but a hole follows
            return
        end = os.lseek(source, start, os.SEEK_HOLE)
        yield start, end


def _without(spans: Iterator[Span], holes: list[Span]) -> Iterator[Span]:
    for start, end in spans:
        for hole_start, hole_end in holes:
            if hole_end > start and hole_start < end:
                if hole_start > start:
                    yield start, hole_start
                start = hole_end
        if start < end:
            yield start, end
