"""Straight lines through code by hand: where they begin, and which places a jump may reach."""

import struct

from broadstreet.formats.instruction import boundaries
from broadstreet.formats.straight_line import LONGEST_LINE, Extent, Surroundings, line, reached

START = 0x1000
MOV, CALL, RET, NOP = "4889d8", "e800000000", "c3", "90"


def around(code: bytes, beyond: bytes = b"", table: bytes = b"", frameless: bool = False) -> Surroundings:
    """One function at START, another piece of code at 0x2000, and a table at 0x3000."""
    pieces = {START: code, 0x2000: beyond, 0x3000: table}

    def found(address: int, size: int) -> bytes | None:
        at = next((at for at, data in pieces.items() if at <= address < at + len(data)), None)
        return None if at is None else pieces[at][address - at : address - at + size]

    def extent(address: int) -> Extent | None:
        at = next((at for at, data in pieces.items() if at <= address < at + len(data)), None)
        return None if at is None else Extent(at, at + len(pieces[at]))

    return Surroundings(found, extent, lambda _place: frameless)


def targets(code: str, beyond: str = "", table: bytes = b"", frameless: bool = False) -> frozenset[int] | None:
    data = bytes.fromhex(code)
    place = around(data, bytes.fromhex(beyond), table, frameless)
    return reached(place, Extent(START, START + len(data)))


def names(code: str, jumped_to: frozenset[int] = frozenset()) -> list[str]:
    """Of the line that ends where the code ends."""
    data = bytes.fromhex(code)
    places = frozenset(boundaries("x86_64", data, START))
    found = line(around(data).code, places, jumped_to, START + len(data))
    return [one.name for one in found]


def test_a_line_goes_back_to_the_start() -> None:
    assert names(MOV + NOP + MOV) == ["mov", "nop", "mov"]


def test_a_line_begins_behind_a_call_a_return_and_a_jump() -> None:
    assert [names(MOV + end + MOV) for end in (CALL, RET, "eb00", "0f05", "f3a4")] == [["mov"]] * 5


def test_a_jump_that_was_not_taken_is_gone_past() -> None:
    assert names(MOV + "7500" + MOV) == ["mov", "jne", "mov"]


def test_a_line_begins_where_a_jump_leads() -> None:
    assert names(MOV + MOV + NOP, frozenset((START + 3,))) == ["mov", "nop"]
    assert names(MOV + MOV + NOP, frozenset((START + 7,))) == []


def test_a_line_is_no_longer_than_the_longest() -> None:
    assert len(names(NOP * (LONGEST_LINE + 9))) == LONGEST_LINE


def test_direct_jumps_inside_are_found() -> None:
    assert targets("7501" + NOP + MOV + "ebf8") == {START + 3, START}


def test_a_cold_part_jumps_back() -> None:
    away = "0f85" + struct.pack("<i", 0x2000 - START - 6).hex()
    back = "e9" + struct.pack("<i", START + 6 - 0x2005).hex()
    assert targets(away + MOV) == frozenset()
    assert targets(away + MOV, back) == {START + 6}


def test_the_entries_of_a_table_of_offsets_are_reached() -> None:
    code = "488d05" + struct.pack("<i", 0x3000 - START - 7).hex() + "ffe0" + MOV
    table = struct.pack("<3i", START + 9 - 0x3000, START - 0x3000, 0x5000)
    assert targets(code, table=table) == {START + 9, START}


def test_the_entries_of_a_table_of_addresses_are_reached() -> None:
    code = "ff24c500300000" + MOV  # jmp [rax * 8 + 0x3000]
    assert targets(code, table=struct.pack("<2Q", START + 7, 0x5000)) == {START + 7}


def test_a_jump_to_nobody_knows_where_leaves_nothing_known() -> None:
    assert targets("ffe0" + MOV) is None


def test_a_tail_jump_does_not() -> None:
    assert targets("ffe0" + MOV, frameless=True) == frozenset()
