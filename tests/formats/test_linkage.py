"""Entries of a procedure linkage table by hand (psABI 5.2)."""

import struct

import pytest

from broadstreet.formats import elf
from broadstreet.formats.linkage import slot, slots

JUMP_SLOT, GLOB_DAT = 7, 6


def section(offset: int, size: int, link: int = 0) -> elf.SectionHeader:
    return elf.SectionHeader(0, 4, 0, 0, offset, size, link, 0, 8, 24)


def symbol(value: int, defined: bool = True) -> bytes:
    return struct.pack("<IBBHQQ", 0, 0x12, 0, 7 if defined else 0, value, 16)


def table(kind: int = JUMP_SLOT, defined: bool = True, number: int = 1) -> dict[int, int]:
    data = symbol(0) + symbol(0x1234, defined) + struct.pack("<QQq", 0x4018, number << 32 | kind, 0)
    return slots(data, [(".dynsym", section(0, 48)), (".rela.plt", section(48, 24, link=0))])


def test_a_slot_of_a_function_of_this_file_leads_to_it() -> None:
    assert table() == {0x4018: 0x1234}


def test_no_other_slot_leads_anywhere() -> None:
    assert [table(GLOB_DAT), table(defined=False), table(number=9)] == [{}, {}, {}]


def test_a_table_that_is_cut_off_has_no_slots() -> None:
    data = symbol(0) + symbol(0x1234)
    assert slots(data, [(".dynsym", section(0, 48)), (".rela.plt", section(48, 24, link=0))]) == {}
    assert slots(data, [(".rela.plt", section(0, 24, link=7))]) == {}


@pytest.mark.parametrize("before", ["", "f30f1efa", "f2", "f30f1efaf2"])
def test_an_entry_jumps_through_its_slot(before: str) -> None:
    code = bytes.fromhex(before + "ff25" + "10200000")
    assert slot(code, 0x1000) == 0x1000 + len(code) + 0x2010


@pytest.mark.parametrize("code", ["", "ff25", "ff1510200000", "e900000000", "f30f1efa"])
def test_other_code_has_no_slot(code: str) -> None:
    assert slot(bytes.fromhex(code), 0x1000) is None
