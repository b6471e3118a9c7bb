"""Where each street of a fleet's map lies: regions beside or below one another, streets in rows.

The largest distance of dots is taken with which the map is not higher than its share of the width; so ten racks are
drawn large and a thousand small, by the same rule.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

MANY_HOSTS = 20_000  # the design language: above it one dot is ten hosts
_FOR_ONE_ROW = 1.2
_FURTHER = 1.4
_WIDER = 60.0  # pixels by which regions may stand further apart, so that a row ends where the page does
_LONGEST_REGION = 170  # pixels that the name of a region and its note want; a narrower one is given them if it can be


@dataclass(frozen=True)
class Size:
    """A way to draw: distances of dots to try (pixels), what lies between streets and regions, the height allowed."""

    pitches: tuple[float, ...]
    row: float  # the height of a street, in distances of dots
    lowest_row: float
    highest_row: float
    between: float
    regions: float
    header: float
    height: float  # of the width
    narrowest: float


WIDE = Size((9, 8, 7, 6, 5.5, 5, 4.5, 4.1, 3.6, 3.2, 2.8, 2.4, 2), 8.3, 22, 40, 13, 46, 36, 0.66, _LONGEST_REGION)
NARROW = Size((8, 7, 6, 5.5, 5, 4.5, 4.1, 3.6, 3.2, 2.8), 7, 20, 32, 9, 24, 36, 5.2, 150)
SMALL = Size((4, 3.5, 3, 2.5, 2, 1.5, 1.2, 1, 0.8, 0.6, 0.5), 5, 5, 12, 4, 14, 4, 0.55, 20)


@dataclass(frozen=True)
class Block:
    """The ground of one region: its corner, its streets in so many columns."""

    region: int
    x: float
    y: float
    width: float
    columns: int
    rows: int
    lift: float = 0.0  # more room between its name and its first row, for stacks that rise


@dataclass(frozen=True)
class Plan:
    """The whole: `pitch` from dot to dot, `step` from street to street in a row, `row` from row to row."""

    blocks: tuple[Block, ...]
    pitch: float
    step: float
    row: float
    header: float
    height: float

    def corner(self, block: Block, street: int) -> tuple[float, float]:
        """The left end of a street, on its middle line."""
        row, column = divmod(street, block.columns)
        return block.x + column * self.step, block.y + self.header + block.lift + (row + 0.5) * self.row


def planned(streets: Sequence[int], dots: int, width: float, size: Size) -> Plan:
    """A plan for regions with so many streets each, in their order, of which the longest has so many dots."""
    half = max(1, math.ceil(dots / 2))
    fitting = [pitch for pitch in size.pitches if half * pitch <= width] or [width / half]
    plans = (_lowest(streets, pitch, max(half, 3) * pitch + size.between, width, size) for pitch in fitting)
    low = next((plan for plan in plans if plan.height <= width * size.height), None)
    plan = low or _lowest(streets, fitting[-1], max(half, 3) * fitting[-1] + size.between, width, size)
    if plan.blocks and all(block.x == 0 for block in plan.blocks):
        return _filled(plan, streets, half, width, size)
    return plan


def _filled(plan: Plan, streets: Sequence[int], half: int, width: float, size: Size) -> Plan:
    # Regions below one another are as wide as the page: their dots lie a little further apart.
    columns = max(block.columns for block in plan.blocks)
    fills = ((width + size.between) / columns - size.between) / max(half, 3) * 0.9999
    pitch = max(plan.pitch, min(fills, plan.pitch * _FURTHER))
    return _lowest(streets, pitch, max(half, 3) * pitch + size.between, width, size)


def lifted(plan: Plan, rises: Sequence[float], sinks: Sequence[float]) -> Plan:
    """The plan with room above the first rows and below the last ones, by what each block needs (pixels)."""
    blocks, down = [], 0.0
    for y in sorted({block.y for block in plan.blocks}):
        shelf = [block for block in plan.blocks if block.y == y]
        lift = max(rises[block.region] for block in shelf)
        blocks += [replace(block, y=y + down, lift=lift) for block in shelf]
        down += lift + max(sinks[block.region] for block in shelf)
    return replace(plan, blocks=tuple(blocks), height=plan.height + down)


def _lowest(streets: Sequence[int], pitch: float, step: float, width: float, size: Size) -> Plan:
    row = min(size.highest_row, max(size.lowest_row, size.row * pitch))
    tries = [_shelved(streets, count, pitch, step, row, width, size) for count in range(1, len(streets) + 1)]
    found = [plan for plan in tries if plan is not None]
    if not found:
        return Plan((), pitch, pitch, size.lowest_row, size.header, size.header)
    least = min(plan.height for plan in found)
    # Side by side is compared best: it may cost some height.
    return next(plan for plan in reversed(found) if plan.height <= least * _FOR_ONE_ROW)


def _shelved(
    streets: Sequence[int], count: int, pitch: float, step: float, row: float, width: float, size: Size
) -> Plan | None:
    blocks: list[Block] = []
    y = 0.0
    for first in range(0, len(streets), count):
        shelf = streets[first : first + count]
        columns = _columns(shelf, step, width, size)
        if columns is None:
            return None
        rows = max(math.ceil(number / column) for number, column in zip(shelf, columns, strict=True))
        x = 0.0
        used = sum(columns) * step - len(columns) * size.between + (len(columns) - 1) * size.regions
        apart = size.regions + min(_WIDER, (width - used) / max(1, len(columns) - 1))
        for place, column in enumerate(columns):
            wide = column * step - size.between
            blocks.append(Block(first + place, x, y, wide, column, rows))
            x += wide + apart
        y += size.header + rows * row + size.regions / 2
    return Plan(tuple(blocks), pitch, step, row, size.header, y - size.regions / 2)


def _columns(shelf: Sequence[int], step: float, width: float, size: Size) -> list[int] | None:
    room = int((width - (len(shelf) - 1) * size.regions + len(shelf) * size.between) / step)
    least = math.ceil((size.narrowest + size.between) / step)
    if len(shelf) == 1:
        return [max(1, min(room, max(shelf[0], least)))]
    if room < len(shelf) * least:
        return None
    for rows in range(1, max(shelf) + 1):
        columns = [max(least, math.ceil(number / rows)) for number in shelf]
        if sum(columns) <= room:
            return columns
    return None
