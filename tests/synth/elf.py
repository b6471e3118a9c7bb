"""ELF files as bytes: a core dump as Linux writes it (fs/binfmt_elf.c, elf_core_dump), and a module's first page."""

from __future__ import annotations

import struct
from dataclasses import replace

from tests.synth.description import PAGE_BYTES, Architecture, Core, Map, Note
from tests.synth.notes import notes, packed

MACHINE: dict[Architecture, int] = {"x86_64": 62, "aarch64": 183}
ET_DYN, ET_CORE = 3, 4
PT_LOAD, PT_NOTE = 1, 4
PF_R, PF_X = 4, 1
PN_XNUM = 0xFFFF
NT_GNU_BUILD_ID, NT_GNU_PROPERTY, NT_LINUX_VERSION = 3, 5, 0
GNU_PROPERTY_FEATURES: dict[Architecture, int] = {"x86_64": 0xC0000002, "aarch64": 0xC0000000}

HEADER_BYTES, PROGRAM_HEADER_BYTES, SECTION_HEADER_BYTES = 64, 56, 64


def core_dump(core: Core) -> bytes:
    """The file that the kernel would have written. Mappings are put in address order."""
    core = replace(core, mappings=tuple(sorted(core.mappings, key=lambda mapping: mapping.start)))
    for mapping in core.mappings:
        _check(mapping)
    count = len(core.mappings) + 1
    segment = b"".join(packed(note) for note in notes(core))
    notes_at = HEADER_BYTES + count * PROGRAM_HEADER_BYTES
    data_at = _page_end(notes_at + len(segment))
    contents = [_dumped(mapping) for mapping in core.mappings]
    end = data_at + sum(map(len, contents))
    headers = [_program_header(PT_NOTE, 0, notes_at, 0, len(segment), 0, 4)]
    at = data_at
    for mapping, content in zip(core.mappings, contents, strict=True):
        size = mapping.end - mapping.start
        headers.append(_program_header(PT_LOAD, _flags(mapping), at, mapping.start, len(content), size, PAGE_BYTES))
        at += len(content)
    start = _header(core.architecture, ET_CORE, count, section_header_at=end if count >= PN_XNUM else 0)
    head = (start + b"".join(headers) + segment).ljust(data_at, b"\0")
    return head + b"".join(contents) + (_real_count(count) if count >= PN_XNUM else b"")


def module_page(
    architecture: Architecture, build_id: bytes, *, linux_version: tuple[int, int, int] | None = None
) -> bytes:
    """The first page of a shared library, which is all of it that a core dump holds as a rule.

    As ld writes it: a .note.gnu.property segment aligned to 8 stands before the one with the build id. With
    `linux_version` it is a vdso, whose notes name the kernel.
    """
    feature = struct.pack("<IIII", GNU_PROPERTY_FEATURES[architecture], 4, 3, 0)
    property_note = packed(Note("GNU", NT_GNU_PROPERTY, feature), align=8)
    others = packed(Note("GNU", NT_GNU_BUILD_ID, build_id))
    if linux_version is not None:
        major, minor, patch = linux_version
        code = struct.pack("<I", (major << 16) + (minor << 8) + patch)
        others = packed(Note("Linux", NT_LINUX_VERSION, code)) + others
    at = HEADER_BYTES + 3 * PROGRAM_HEADER_BYTES
    others_at = at + len(property_note)
    page = _header(architecture, ET_DYN, 3, section_header_at=0)
    page += _program_header(PT_LOAD, PF_R | PF_X, 0, 0, PAGE_BYTES, PAGE_BYTES, PAGE_BYTES)
    page += _program_header(PT_NOTE, PF_R, at, at, len(property_note), len(property_note), 8)
    page += _program_header(PT_NOTE, PF_R, others_at, others_at, len(others), len(others), 4)
    return (page + property_note + others).ljust(PAGE_BYTES, b"\0")


def _header(architecture: Architecture, kind: int, count: int, *, section_header_at: int) -> bytes:
    section = (SECTION_HEADER_BYTES, 1) if section_header_at else (0, 0)
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    places = struct.pack("<HHIQQQI", kind, MACHINE[architecture], 1, 0, HEADER_BYTES, section_header_at, 0)
    sizes = struct.pack("<HHHHHH", HEADER_BYTES, PROGRAM_HEADER_BYTES, min(count, PN_XNUM), *section, 0)
    return identity + places + sizes


def _program_header(kind: int, flags: int, at: int, address: int, file_size: int, size: int, align: int) -> bytes:
    # The kernel writes neither a physical address nor, for notes, a size in memory.
    return struct.pack("<IIQQQQQQ", kind, flags, at, address, 0, file_size, size if kind == PT_LOAD else 0, align)


def _real_count(count: int) -> bytes:
    # fill_extnum_info: sh_size is e_shnum, sh_link e_shstrndx, sh_info the number of program headers.
    return struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, count, 0, 0)


def _check(mapping: Map) -> None:
    if mapping.start % PAGE_BYTES or mapping.end % PAGE_BYTES or mapping.start >= mapping.end:
        raise ValueError(f"{mapping.start:#x}-{mapping.end:#x} is not a run of whole pages")
    if len(mapping.data or b"") > mapping.end - mapping.start:
        raise ValueError(f"{len(mapping.data or b'')} bytes do not fit {mapping.start:#x}-{mapping.end:#x}")
    if set(mapping.flags) - set("rwx"):
        raise ValueError(f"{mapping.flags!r} has other letters than r, w and x")


def _flags(mapping: Map) -> int:
    return sum({"r": 4, "w": 2, "x": 1}[letter] for letter in mapping.flags)


def _dumped(mapping: Map) -> bytes:
    data = mapping.data or b""
    return data.ljust(_page_end(len(data)), b"\0")


def _page_end(size: int) -> int:
    return -(-size // PAGE_BYTES) * PAGE_BYTES
