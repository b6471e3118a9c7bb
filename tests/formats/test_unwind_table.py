"""Unwind rows: every row of installed binaries against pyelftools, single operations by hand."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from elftools.dwarf.callframe import FDE, ZERO, CFARule, RegisterRule
from elftools.elf.elffile import ELFFile

from broadstreet.formats.binary import Binary
from broadstreet.formats.unwind_table import Row, UnwindTable
from tests.installed import binaries

START, LENGTH = 0x1000, 0x100
NOT_COMPARED = 34  # the state of signed return addresses on AArch64, which pyelftools keeps as a register
ARGUMENTS_SIZE = 0x2E  # DW_CFA_GNU_args_size: says nothing of the caller, and pyelftools does not know it


def expected(cfa: CFARule, line: dict[Any, Any], data_registers: list[int]) -> tuple[Any, ...]:
    saved, expressions, values, undefined, moved = set(), set(), set(), set(), set()
    for register in data_registers:
        rule: RegisterRule | None = line.get(register)
        if rule is None:
            continue
        if rule.type == RegisterRule.OFFSET:
            saved.add((register, rule.arg))
        elif rule.type in (RegisterRule.EXPRESSION, RegisterRule.VAL_EXPRESSION):
            expressions.add((register, bytes(cast(list[int], rule.arg)), rule.type == RegisterRule.VAL_EXPRESSION))
        elif rule.type == RegisterRule.VAL_OFFSET:
            values.add((register, rule.arg))
        elif rule.type == RegisterRule.UNDEFINED:
            undefined.add(register)
        elif rule.type == RegisterRule.REGISTER:
            moved.add((register, rule.arg))
    head = (bytes(cfa.expr),) if cfa.expr is not None else (cfa.reg, cfa.offset)
    return head, saved, expressions, values, undefined, moved


def found(row: Row) -> tuple[Any, ...]:
    head = (row.cfa_expression,) if row.cfa_expression is not None else (row.cfa_register, row.cfa_offset)
    return head, set(row.saved), set(row.expressions), set(row.values), set(row.undefined), set(row.moved)


def sampled(entry: FDE) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The first and the last pc of every row, with what pyelftools says of them."""
    end = entry["initial_location"] + entry["address_range"]
    entry.instructions = [one for one in entry.instructions if int(one.opcode) != ARGUMENTS_SIZE]
    decoded = entry.get_decoded()
    rows = [row for row in decoded.table if row["pc"] < end]
    for row, following in zip(rows, [*(row["pc"] for row in rows[1:]), end], strict=True):
        if row["pc"] < following:
            rules = expected(row["cfa"], row, [r for r in decoded.reg_order if r != NOT_COMPARED])
            yield row["pc"], rules
            yield following - 1, rules


@pytest.mark.parametrize("path", binaries().values(), ids=list(binaries()))
def test_every_row_is_that_of_pyelftools(path: Path) -> None:
    binary = Binary(path.read_bytes())
    wrong = []
    compared = 0
    with path.open("rb") as file:
        for entry in ELFFile(file).get_dwarf_info(relocate_dwarf_sections=False).EH_CFI_entries():
            if isinstance(entry, ZERO) or not isinstance(entry, FDE) or not entry["address_range"]:
                continue
            for pc, rules in sampled(entry):
                row = binary.row(pc)
                compared += 1
                if row is None or found(row) != rules or row.function_start != entry["initial_location"]:
                    wrong.append((hex(pc), row, rules))
    assert compared > 1000
    assert wrong == []


def test_the_frame_of_a_signal_is_marked() -> None:
    path = binaries()["libc"]
    with path.open("rb") as file:
        entries = ELFFile(file).get_dwarf_info().EH_CFI_entries()
        marked = [e for e in entries if isinstance(e, FDE) and e.cie and b"S" in e.cie.header["augmentation"]]
    assert marked, "libc has a restorer"
    rows = [Binary(path.read_bytes()).row(entry["initial_location"]) for entry in marked]
    assert [row is not None and row.signal_frame for row in rows] == [True] * len(marked)


def table(program: str, *, augmentation: bytes = b"zR", common: str = "0c0708 9001") -> UnwindTable:
    """One CIE (CFA = rsp + 8, return address at CFA - 8; code factor 1, data factor -8), one FDE."""
    body = struct.pack("<IB", 0, 1) + augmentation + b"\0" + b"\x01\x78\x10" + b"\x01\x03" + bytes.fromhex(common)
    entry = struct.pack("<III", 8 + len(body), START, LENGTH) + b"\0" + bytes.fromhex(program)
    frames = struct.pack("<I", len(body)) + body + struct.pack("<I", len(entry)) + entry + bytes(4)
    return UnwindTable(b"", 0, frames, 0x8000)


def row(program: str, at: int = START + 0x80) -> Row:
    answer = table(program).row(at)
    assert answer is not None
    return answer


def test_a_row_holds_from_its_advance_up_to_the_next() -> None:
    program = "41 0e10 44 0e20"  # advance 1; cfa offset 16; advance 4; cfa offset 32
    offsets = [row(program, START + at).cfa_offset for at in (0, 1, 4, 5, LENGTH - 1)]
    assert offsets == [8, 16, 16, 32, 32]


@pytest.mark.parametrize("at", [START - 1, START + LENGTH, 0, -1, (1 << 64) - 1])
def test_a_pc_outside_of_every_function_has_no_row(at: int) -> None:
    assert table("0e10").row(at) is None


@pytest.mark.parametrize("advance", ["0210", "031000", "0410000000"])
def test_advances_of_one_two_and_four_bytes_move_the_row(advance: str) -> None:
    assert row(advance + "0e10", START + 0x0F).cfa_offset == 8
    assert row(advance + "0e10", START + 0x10).cfa_offset == 16


def test_rules_of_registers_are_kept_by_kind() -> None:
    answer = row("8c03 110d7e 140601 0707 090e02 1003027708 1608027710")
    assert answer.saved == ((16, -8), (12, -24), (13, 16))
    assert answer.values == ((6, -8),)
    assert answer.undefined == (7,)
    assert answer.moved == ((14, 2),)
    assert answer.expressions == ((3, b"\x77\x08", False), (8, b"\x77\x10", True))


def test_offset_and_offset_extended_say_the_same() -> None:
    assert row("8602").saved == row("050602").saved == ((16, -8), (6, -16))


def test_restore_goes_back_to_the_common_rule() -> None:
    assert row("9005 d0").saved == ((16, -8),)
    assert row("9005 0610").saved == ((16, -8),)
    assert row("8602 c6").saved == ((16, -8),)


def test_remembered_state_comes_back_whole() -> None:
    program = "0e10 8602 0a 41 0d06 0e40 07 06 42 0b"
    inside, after = row(program, START + 1), row(program, START + 3)
    assert (inside.cfa_register, inside.cfa_offset, inside.undefined) == (6, 64, (6,))
    assert (after.cfa_register, after.cfa_offset, after.saved) == (7, 16, ((16, -8), (6, -16)))


def test_a_remembered_expression_comes_back_too() -> None:
    program = "0f02 7708 0a 41 0c0610 42 0b"
    assert row(program, START + 1).cfa_expression is None
    assert row(program, START + 3).cfa_expression == b"\x77\x08"


def test_the_old_negative_offset_is_negated() -> None:
    assert row("2f0602").saved == ((16, -8), (6, 16))


def test_the_cfa_may_be_an_expression_and_a_register_again() -> None:
    assert row("0f02 7708").cfa_expression == b"\x77\x08"
    again = row("0f02 7708 0c0610")
    assert (again.cfa_expression, again.cfa_register, again.cfa_offset) == (None, 6, 16)


def test_signed_forms_are_scaled() -> None:
    assert row("12077e").cfa_offset == 16
    assert row("137d").cfa_offset == 24


def test_operations_without_meaning_here_are_passed() -> None:
    assert row("00 2d 2e10 0e18").cfa_offset == 24


@pytest.mark.parametrize("program", ["0b", "0155", "3f", "0f8080808010", "0e80", "0590"])
def test_a_program_that_is_unknown_or_cut_gives_no_row(program: str) -> None:
    assert table(program).row(START + 0x80) is None


def test_states_remembered_without_end_give_no_row() -> None:
    assert table("0a" * 4000).row(START + 0x80) is None


def test_a_table_is_found_without_its_header_and_marks_signal_frames() -> None:
    marked = table("0e10", augmentation=b"zRS").row(START)
    assert marked is not None
    assert (marked.signal_frame, marked.function_start, marked.function_end) == (True, START, START + LENGTH)
    assert row("0e10").signal_frame is False


def test_an_augmentation_that_nobody_writes_gives_no_row() -> None:
    assert table("0e10", augmentation=b"zX").row(START) is None


@pytest.mark.parametrize("size", range(41))
def test_a_table_that_is_cut_off_has_no_rows(size: int) -> None:
    whole = table("0e10")._frames
    assert UnwindTable(b"", 0, whole[:size], 0x8000).row(START) is None


@pytest.mark.parametrize("first", [0x7FFF_FFFF, -0x8000_0000, 0])
def test_a_header_that_points_out_of_the_frames_gives_no_row(first: int) -> None:
    header = bytes([1, 0x1B, 0x03, 0x3B]) + struct.pack("<iIii", 0, 1, -0x7000_0000, first)
    assert UnwindTable(header, 0x7FFF_FFFF_FFFF_0000, bytes(64), 0x8000).row(0x7FFF_FFFF_FFFF_FFFF) is None
