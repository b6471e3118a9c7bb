"""The ELF reader against pyelftools and notes packed by hand."""

import io
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import elf
from tests import synth
from tests.installed import binaries

BUILD_ID = bytes(range(0xA0, 0xB4))
INSTALLED = pytest.mark.parametrize("path", binaries().values(), ids=list(binaries()))


def packed(name: bytes, data: bytes, kind: int, align: int = 4) -> bytes:
    head = struct.pack("<III", len(name), len(data), kind) + name
    head += bytes(-len(head) % align)
    return head + data + bytes(-len(data) % align)


@INSTALLED
def test_header_and_program_headers_are_those_of_pyelftools(path: Path) -> None:
    data = path.read_bytes()
    oracle = ELFFile(io.BytesIO(data))
    head = elf.header(data)
    assert [head.entry, head.program_headers, head.program_header_count, head.section_headers] == [
        oracle[name] for name in ("e_entry", "e_phoff", "e_phnum", "e_shoff")
    ]
    assert [head.program_header_size, head.section_header_size, head.section_header_count, head.section_names] == [
        oracle[name] for name in ("e_phentsize", "e_shentsize", "e_shnum", "e_shstrndx")
    ]
    table = data[head.program_headers : head.program_headers + 56 * head.program_header_count]
    found = [tuple(segment)[1:] for segment in elf.program_headers(table)]
    names = ("p_flags", "p_offset", "p_vaddr", "p_paddr", "p_filesz", "p_memsz", "p_align")
    assert found == [tuple(segment[name] for name in names) for segment in oracle.iter_segments()]


@INSTALLED
def test_a_build_id_is_that_of_pyelftools_and_stands_in_the_first_page(path: Path) -> None:
    with path.open("rb") as file:
        sections = [s for s in ELFFile(file).iter_sections() if isinstance(s, NoteSection)]
        notes = [note for section in sections for note in section.iter_notes()]
        ids = [note["n_desc"] for note in notes if note["n_type"] == "NT_GNU_BUILD_ID"]
    assert elf.build_id(path.read_bytes()) == (ids[0] if ids else None)
    assert elf.build_id(path.read_bytes()[:4096]) == (ids[0] if ids else None)


def test_a_core_dump_is_type_4() -> None:
    assert elf.header(core()).type == 4
    assert elf.header(core()).machine == 62


@pytest.mark.parametrize(
    ("at", "byte", "message"),
    [
        (0, 0x7E, "ELF header at byte 0: wanted 7f 45 4c 46, found 7e 45 4c 46"),
        (4, 1, "wanted a 64-bit file, found class 1"),
        (5, 2, "wanted a little-endian file, found data encoding 2"),
    ],
)
def test_another_kind_of_file_is_refused_by_name(at: int, byte: int, message: str) -> None:
    data = bytearray(core())
    data[at] = byte
    with pytest.raises(UnreadableSpecimen, match=message):
        elf.header(bytes(data))


@pytest.mark.parametrize("size", [0, 1, 4, 63])
def test_a_header_that_is_cut_off_is_refused(size: int) -> None:
    with pytest.raises(UnreadableSpecimen, match="ELF header"):
        elf.header(core()[:size])


def test_a_program_header_that_is_cut_off_is_left_out() -> None:
    table = core()[64 : 64 + 2 * 56]
    assert len(elf.program_headers(table)) == 2
    assert len(elf.program_headers(table[:-1])) == 1
    assert elf.program_headers(b"") == []


def test_notes_are_padded_to_four_and_names_lose_their_nul() -> None:
    segment = packed(b"CORE\0", b"abc", 1) + packed(b"LINUX\0", b"", 0x202) + packed(b"GNU\0", b"12345", 3)
    found = [(name, kind, segment[start : start + size]) for name, kind, start, size in elf.notes(segment)]
    assert found == [(b"CORE", 1, b"abc"), (b"LINUX", 0x202, b""), (b"GNU", 3, b"12345")]


def test_notes_of_a_segment_aligned_to_eight_are_padded_to_eight() -> None:
    segment = packed(b"GNU\0", b"abc", 5, align=8) + packed(b"GNU\0", b"def", 3, align=8)
    assert len(segment) == 48
    assert [segment[start : start + size] for _, _, start, size in elf.notes(segment, 8)] == [b"abc", b"def"]


@pytest.mark.parametrize("kept", range(24, 44))
def test_a_note_that_is_cut_off_ends_the_notes(kept: int) -> None:
    segment = packed(b"CORE\0", b"abc", 1) + packed(b"CORE\0", b"defg", 2)
    kinds = [kind for _, kind, _, _ in elf.notes(segment[:kept])]
    assert kinds == [1]


def test_a_note_that_claims_four_gigabytes_ends_the_notes() -> None:
    segment = packed(b"CORE\0", b"abc", 1) + struct.pack("<III", 5, 0xFFFF_FFFF, 2) + b"CORE\0\0\0\0"
    assert [kind for _, kind, _, _ in elf.notes(segment)] == [1]
    assert list(elf.notes(struct.pack("<III", 0xFFFF_FFFF, 4, 2) + bytes(64))) == []


def test_notes_without_end_are_given_up() -> None:
    small = packed(b"", b"", 9)
    assert len(list(elf.notes(small * 300_000))) == 1 << 18
    assert len(list(elf.notes(small * 200_000))) == 200_000


def test_a_build_id_is_found_behind_other_notes() -> None:
    page = synth.module_page("x86_64", BUILD_ID, linux_version=(6, 1, 2))
    assert elf.build_id(page) == BUILD_ID.hex()
    assert elf.build_id(memoryview(page)) == BUILD_ID.hex()


def test_no_build_id_is_null() -> None:
    page = synth.module_page("x86_64", BUILD_ID)
    assert elf.build_id(page[: page.index(BUILD_ID) + 19]) is None
    assert elf.build_id(page[:63]) is None
    assert elf.build_id(b"#!/bin/sh") is None
    assert elf.build_id(synth.module_page("x86_64", bytes(65))) is None
    assert elf.build_id(synth.module_page("x86_64", b"")) is None


def test_text_ends_at_its_nul_and_outside_of_the_data_is_null() -> None:
    assert elf.text(b"xxlibc\0more", 2) == "libc"
    assert elf.text(b"libc", 0) == "libc"
    assert elf.text(b"libc", 1, longest=2) == "ib"
    assert elf.text(b"a\xff", 0) == "a\\xff"
    assert elf.text(b"libc", 4) is None
    assert elf.text(b"libc", -1) is None


def core() -> bytes:
    return synth.core_dump(
        synth.Core(
            architecture="x86_64",
            signal=synth.Fault(si_signo=11, si_code=1, si_addr=0),
            process=synth.Process(pid=1, fname="a", psargs="a "),
            threads=(synth.Thread(tid=1, registers={}),),
            mappings=(synth.Map(start=0x1000, end=0x2000, flags="r"),),
        )
    )
