"""A core dump that was just made here: what it says of its process, and what it must not say on a simulated fleet.

The kernel maps a page of its own into every process, the vdso, in which its release stands. On a simulated fleet that
would be the kernel of the machine that made the crash. So the page is taken out, as if it had not been dumped.
"""

import struct
from pathlib import Path
from typing import NamedTuple

from broadstreet.formats import elf
from broadstreet.formats.linux_core import (
    AT_SYSINFO_EHDR,
    NT_AUXV,
    NT_FILE,
    NT_PRPSINFO,
    PRPSINFO,
    auxiliary_vector,
    mapped_files,
)

FILE_SIZE_AT = 32  # p_filesz in Elf64_Phdr, System V gABI


class Process(NamedTuple):
    """What a core dump says of its process. `kernel_page` is where the size of the vdso's bytes stands in the file."""

    pid: int | None
    files: frozenset[str]
    kernel_page: int | None


def process(core: Path) -> Process:
    """Read the notes of a core dump that this machine's kernel wrote."""
    pid, files, vdso = None, frozenset[str](), None
    with core.open("rb") as file:
        header = elf.header(file.read(elf.ELF_HEADER.size))
        file.seek(header.program_headers)
        segments = elf.program_headers(file.read(header.program_header_count * elf.PROGRAM_HEADER.size))
        for segment in segments:
            if segment.type == elf.PT_NOTE:
                file.seek(segment.offset)
                data = file.read(segment.file_size)
                for _, kind, start, size in elf.notes(data):
                    if kind == NT_PRPSINFO:
                        pid = PRPSINFO.read(data, start).pid
                    elif kind == NT_FILE:
                        files = frozenset(one.path for one in mapped_files(data[start : start + size]))
                    elif kind == NT_AUXV:
                        vdso = auxiliary_vector(data[start : start + size]).get(AT_SYSINFO_EHDR)
    place = next((at for at, one in enumerate(segments) if one.type == elf.PT_LOAD and one.address == vdso), None)
    if place is None:
        return Process(pid, files, None)
    return Process(pid, files, header.program_headers + place * elf.PROGRAM_HEADER.size + FILE_SIZE_AT)


def without_kernel(core: Path, found: Process) -> None:
    """Take the kernel's own page out of a core dump, in place."""
    if found.kernel_page is not None:
        with core.open("r+b") as file:
            file.seek(found.kernel_page)
            file.write(struct.pack("<Q", 0))
