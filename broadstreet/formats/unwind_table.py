"""How to find a caller: the call frame information of one binary, by binary search in `.eh_frame_hdr`.

Only the rows that are asked for are ever decoded, and each is kept, since the same few hundred pcs come back in every
crash of a fleet. Authorities: LSB Core 5.0 chapter 10.6 (eh_frame), DWARF 5 section 6.4, AArch64 DWARF ABI 4.1.
"""

import struct
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from broadstreet.formats.dwarf import LONGEST_EXPRESSION, OMITTED, MalformedDwarf, pointer, sleb, uleb
from broadstreet.formats.layout import Buffer

MOST_OPERATIONS = 4096
MOST_REMEMBERED = 64  # gcc nests one or two deep
LONGEST_ENTRY = 1 << 20


class Row(NamedTuple):
    """The rule in force at one pc. Registers are DWARF numbers; offsets are from the CFA."""

    cfa_register: int
    cfa_offset: int
    cfa_expression: bytes | None
    saved: tuple[tuple[int, int], ...]  # register is in the word at CFA + offset
    expressions: tuple[tuple[int, bytes, bool], ...]  # register, expression, True: it is a value and not an address
    values: tuple[tuple[int, int], ...]  # register is CFA + offset
    undefined: tuple[int, ...]
    moved: tuple[tuple[int, int], ...]  # register is in another one, as in longjmp
    signal_frame: bool
    function_start: int
    function_end: int


@dataclass(frozen=True)
class _Common:
    code_factor: int
    data_factor: int
    return_register: int
    encoding: int
    augmented: bool
    signal_frame: bool
    program: bytes


class UnwindTable:
    """The rows of one binary. `frames` holds .eh_frame and `frames_address` says where it is linked."""

    def __init__(self, header: Buffer, header_address: int, frames: Buffer, frames_address: int) -> None:
        self._frames = frames
        self._frames_address = frames_address
        self._header = header
        self._header_address = header_address
        self._count, self._table_at = _searchable(header, header_address) if len(header) else (0, 0)
        self._starts: list[int] | None = None
        self._entries: list[int] = []
        self._rows: dict[int, Row | None] = {}
        self._common = lru_cache(maxsize=4096)(self._read_common)

    def row(self, pc: int) -> Row | None:
        """The rule at this link-time pc; null where the table does not cover it."""
        if pc not in self._rows:
            try:
                self._rows[pc] = self._find(pc)
            except (IndexError, struct.error, OverflowError, MalformedDwarf):
                self._rows[pc] = None
        return self._rows[pc]

    def function(self, pc: int) -> tuple[int, int] | None:
        """Start and end of the function that covers the pc, as the table sees it."""
        row = self.row(pc)
        return (row.function_start, row.function_end) if row else None

    def _find(self, pc: int) -> Row | None:
        entry = self._search_header(pc) if self._count else self._search_frames(pc)
        return None if entry is None else self._row_of_entry(entry, pc)

    def _search_header(self, pc: int) -> int | None:
        wanted = pc - self._header_address
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if struct.unpack_from("<i", self._header, self._table_at + 8 * middle)[0] <= wanted:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            return None
        address = self._header_address + struct.unpack_from("<i", self._header, self._table_at + 8 * low - 4)[0]
        return int(address - self._frames_address)

    def _search_frames(self, pc: int) -> int | None:
        if self._starts is None:
            pairs = sorted(self._walk_frames())
            self._starts = [start for start, _ in pairs]
            self._entries = [entry for _, entry in pairs]
        index = bisect_right(self._starts, pc) - 1
        return self._entries[index] if index >= 0 else None

    def _walk_frames(self) -> list[tuple[int, int]]:
        pairs = []
        at = 0
        while at + 8 <= len(self._frames):
            size, identifier = struct.unpack_from("<II", self._frames, at)
            if size in (0, 0xFFFFFFFF):
                break
            if identifier:
                try:
                    common = self._common(at + 4 - identifier)
                    start, _ = pointer(self._frames, at + 8, common.encoding, self._frames_address + at + 8)
                    pairs.append((start, at))
                except (IndexError, struct.error, OverflowError, MalformedDwarf):
                    pass
            at += 4 + size
        return pairs

    def _row_of_entry(self, at: int, pc: int) -> Row | None:
        size, identifier = struct.unpack_from("<II", self._frames, at)
        if not 0 < size < LONGEST_ENTRY or identifier == 0:
            return None
        end = at + 4 + size
        if end > len(self._frames):
            return None  # half a program would give a wrong rule
        common = self._common(at + 4 - identifier)
        start, cursor = pointer(self._frames, at + 8, common.encoding, self._frames_address + at + 8)
        length, cursor = pointer(self._frames, cursor, common.encoding & 0x0F, 0)
        if not start <= pc < start + length:
            return None
        if common.augmented:
            skip, cursor = uleb(self._frames, cursor)
            cursor += skip
        program = bytes(self._frames[cursor:end])
        return _executed(common, program, start, length, pc)

    def _read_common(self, at: int) -> _Common:
        frames = self._frames
        size, identifier = struct.unpack_from("<II", frames, at) if at >= 0 else (0, 1)
        if identifier != 0 or not 0 < size < LONGEST_ENTRY:
            raise MalformedDwarf("no CIE here")
        end = at + 4 + size
        version = frames[at + 8]
        augmentation = bytes(frames[at + 9 : at + 25]).split(b"\0", 1)[0]
        cursor = at + 9 + len(augmentation) + 1
        code_factor, cursor = uleb(frames, cursor)
        data_factor, cursor = sleb(frames, cursor)
        return_register, cursor = (frames[cursor], cursor + 1) if version == 1 else uleb(frames, cursor)
        encoding = 0
        augmented = augmentation.startswith(b"z")
        if augmented:
            skip, cursor = uleb(frames, cursor)
            encoding = self._pointer_encoding(augmentation, cursor)
            cursor += skip
        program = bytes(frames[cursor:end])
        return _Common(code_factor, data_factor, return_register, encoding, augmented, b"S" in augmentation, program)

    def _pointer_encoding(self, augmentation: bytes, cursor: int) -> int:
        for letter in augmentation[1:].decode("latin-1"):
            if letter == "R":
                return int(self._frames[cursor])
            if letter == "L":
                cursor += 1
            elif letter == "P":
                _, cursor = pointer(self._frames, cursor + 1, self._frames[cursor] & 0x7F & ~0x70, 0)
            elif letter not in "SBG":  # signal frame; signed with the other key; stack with memory tags
                raise MalformedDwarf(f"augmentation {letter!r}")
        return 0


def _searchable(header: Buffer, address: int) -> tuple[int, int]:
    if len(header) < 12 or header[0] != 1 or header[3] != 0x3B or header[2] == OMITTED:
        return 0, 0
    try:
        _, cursor = pointer(header, 4, header[1], address + 4, address)
        count, cursor = pointer(header, cursor, header[2], address + cursor, address)
    except (MalformedDwarf, struct.error, IndexError):
        return 0, 0
    return min(count, (len(header) - cursor) // 8), cursor


class _State:
    """The row as the program builds it."""

    def __init__(self) -> None:
        self.cfa_register = 0
        self.cfa_offset = 0
        self.cfa_expression: bytes | None = None
        self.rules: dict[int, tuple[str, int | bytes]] = {}

    def copy(self) -> "_State":
        other = _State()
        other.cfa_register, other.cfa_offset = self.cfa_register, self.cfa_offset
        other.cfa_expression, other.rules = self.cfa_expression, dict(self.rules)
        return other


def _executed(common: _Common, program: bytes, start: int, length: int, pc: int) -> Row:
    state = _State()
    _run(common, common.program, state, {}, start, 1 << 64)
    _run(common, program, state, dict(state.rules), start, pc)
    rules = state.rules
    return Row(
        state.cfa_register,
        state.cfa_offset,
        state.cfa_expression,
        tuple((r, v) for r, (kind, v) in rules.items() if kind == "saved" and isinstance(v, int)),
        tuple((r, v, kind == "value") for r, (kind, v) in rules.items() if isinstance(v, bytes)),
        tuple((r, v) for r, (kind, v) in rules.items() if kind == "offset" and isinstance(v, int)),
        tuple(r for r, (kind, _) in rules.items() if kind == "undefined"),
        tuple((r, v) for r, (kind, v) in rules.items() if kind == "moved" and isinstance(v, int)),
        common.signal_frame,
        start,
        start + length,
    )


def _run(
    common: _Common, code: bytes, state: _State, initial: dict[int, tuple[str, int | bytes]], location: int, pc: int
) -> None:
    remembered: list[_State] = []
    at = operations = 0
    while at < len(code) and operations < MOST_OPERATIONS:
        operations += 1
        operation = code[at]
        at += 1
        high, low = operation & 0xC0, operation & 0x3F
        if high == 0x40 or operation in (0x01, 0x02, 0x03, 0x04):
            location, at = _advanced(common, code, at, operation, location)
            if location > pc:
                return
        elif high == 0x80:
            offset, at = uleb(code, at)
            state.rules[low] = ("saved", offset * common.data_factor)
        elif high == 0xC0:
            _restore(state, initial, low)
        elif operation == 0x0A:
            if len(remembered) == MOST_REMEMBERED:
                raise MalformedDwarf("states remembered without end")
            remembered.append(state.copy())
        elif operation == 0x0B:
            kept = remembered.pop()
            state.cfa_register, state.cfa_offset = kept.cfa_register, kept.cfa_offset
            state.cfa_expression, state.rules = kept.cfa_expression, kept.rules
        else:
            at = _operate(common, code, at, operation, state, initial)


def _advanced(common: _Common, code: bytes, at: int, operation: int, location: int) -> tuple[int, int]:
    if operation & 0xC0:
        return location + (operation & 0x3F) * common.code_factor, at
    if operation == 0x01:
        raise MalformedDwarf("DW_CFA_set_loc")
    form = {0x02: "<B", 0x03: "<H", 0x04: "<I"}[operation]
    return location + struct.unpack_from(form, code, at)[0] * common.code_factor, at + struct.calcsize(form)


def _restore(state: _State, initial: dict[int, tuple[str, int | bytes]], register: int) -> None:
    if register in initial:
        state.rules[register] = initial[register]
    else:
        state.rules.pop(register, None)


def _operate(
    common: _Common,
    code: bytes,
    at: int,
    operation: int,
    state: _State,
    initial: dict[int, tuple[str, int | bytes]],
) -> int:
    if operation in (0x00, 0x2C, 0x2D):  # nop; AARCH64_negate_ra_state_with_pc and AARCH64_negate_ra_state
        return at
    if operation == 0x0E:
        state.cfa_offset, at = uleb(code, at)
        return at
    if operation == 0x13:
        offset, at = sleb(code, at)
        state.cfa_offset = offset * common.data_factor
        return at
    if operation == 0x2E:  # GNU_args_size
        return uleb(code, at)[1]
    if operation == 0x0F:
        state.cfa_expression, at = _block(code, at)
        return at
    register, at = uleb(code, at)
    if operation in (0x0C, 0x12):
        offset, at = uleb(code, at) if operation == 0x0C else sleb(code, at)
        state.cfa_register, state.cfa_expression = register, None
        state.cfa_offset = offset if operation == 0x0C else offset * common.data_factor
    elif operation == 0x0D:
        state.cfa_register, state.cfa_expression = register, None
    elif operation in (0x05, 0x11, 0x14, 0x15, 0x2F):
        offset, at = sleb(code, at) if operation in (0x11, 0x15) else uleb(code, at)
        scaled = -offset * common.data_factor if operation == 0x2F else offset * common.data_factor
        state.rules[register] = ("offset" if operation in (0x14, 0x15) else "saved", scaled)
    elif operation == 0x06:
        _restore(state, initial, register)
    elif operation == 0x07:
        state.rules[register] = ("undefined", 0)
    elif operation == 0x08:
        state.rules.pop(register, None)
    elif operation == 0x09:
        other, at = uleb(code, at)
        state.rules[register] = ("moved", other)
    elif operation in (0x10, 0x16):
        block, at = _block(code, at)
        state.rules[register] = ("value" if operation == 0x16 else "at", block)
    else:
        raise MalformedDwarf(f"call frame operation {operation:#x}")
    return at


def _block(code: bytes, at: int) -> tuple[bytes, int]:
    size, at = uleb(code, at)
    if size > LONGEST_EXPRESSION:
        raise MalformedDwarf("long expression")
    return code[at : at + size], at + size
