"""The instructions that must have been executed just before a place in a function, in one straight line.

Going back from the place, the line ends at a call, at an instruction that does not go on to the next, at one that
replay may not go past, and behind every place that a jump can reach: of the function itself, of its cold part, which
compilers put elsewhere (`name.cold`), and of tables. Tables are found by what the code names: 32-bit offsets from
their own start, or 64-bit addresses, read as long as they lead into the function. Where a jump goes through a register
and no table was found, nothing is known of where it goes, and there is no line; a tail jump, made when the frame is
gone, does not count.

Several lines that meet are not followed: one of them nearly always agrees with any registers (measured).
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

from broadstreet.formats.instruction import LONGEST_X86, jumps
from broadstreet.formats.operation import Operation, operation

LONGEST_LINE = 32  # instructions: more were never needed
LONGEST_TABLE = 1024  # entries; python3's interpreter has 256
MOST_COLD_PARTS = 8
Code = Callable[[int, int], bytes | None]


class Extent(NamedTuple):
    """A function's start and end, as the unwind table says."""

    start: int
    end: int


class Surroundings(NamedTuple):
    """What a binary says: bytes at an address, the extent of the function there, and whether its frame is gone."""

    code: Code
    extent: Callable[[int], Extent | None]
    frameless: Callable[[int], bool]


def reached(around: Surroundings, whole: Extent) -> frozenset[int] | None:
    """Every place inside of a function that a jump may go to; null where that is not known."""
    own = jumps(around.code(whole.start, whole.end - whole.start) or b"", whole.start)
    found = {target for target in own.targets if whole.start <= target < whole.end}
    cold = _cold_parts(around, whole, own.conditional)
    for extent in cold:
        found |= jumps(around.code(extent.start, extent.end - extent.start) or b"", extent.start).targets
    if any(not around.frameless(place) for place in own.through):
        listed = {target for table in own.tables for target in _table(around.code, table, (whole, *cold))}
        if not listed:
            return None
        found |= listed
    return frozenset(found)


def line(code: Code, places: frozenset[int], targets: frozenset[int], pc: int) -> tuple[Operation, ...]:
    """The operations before the pc. `places`: where instructions begin; `targets`: what jumps may go to."""
    found: list[Operation] = []
    at = pc
    while len(found) < LONGEST_LINE and at not in targets:
        before = next((at - size for size in range(1, LONGEST_X86 + 1) if at - size in places), None)
        data = None if before is None else code(before, at - before)
        one = operation(data, before) if data and before is not None else None
        if one is None or one.size != at - one.address or not one.plain or one.name in ("jmp", "notrack", "bnd"):
            break
        found.append(one)
        at = one.address
    return tuple(reversed(found))


def _cold_parts(around: Surroundings, whole: Extent, entries: frozenset[int]) -> set[Extent]:
    found: set[Extent] = set()
    for entry in entries:
        extent = None if whole.start <= entry < whole.end else around.extent(entry)
        if extent is not None and len(found) < MOST_COLD_PARTS:
            found.add(extent)
    return found


def _table(code: Code, at: int, parts: tuple[Extent, ...]) -> list[int]:
    offsets = _entries(code(at, 4 * LONGEST_TABLE) or b"", "i", at, parts)
    return offsets or _entries(code(at, 8 * LONGEST_TABLE) or b"", "Q", 0, parts)


def _entries(data: bytes, kind: str, base: int, parts: tuple[Extent, ...]) -> list[int]:
    size = struct.calcsize(kind)
    found = []
    for (entry,) in struct.iter_unpack(f"<{kind}", data[: len(data) // size * size]):
        if not any(part.start <= base + entry < part.end for part in parts):
            break
        found.append(base + entry)
    return found
