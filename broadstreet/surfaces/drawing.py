"""Curves, bars and intervals in characters. One scale for what is compared; a thing that is there is never blank."""

import math
from collections.abc import Sequence

from broadstreet.records.weights import Interval

BLOCKS = " ▁▂▃▄▅▆▇█"
OCTAVES = range(-2, 7)  # from a quarter to 64
LAST_OCTAVE = 2.0 ** OCTAVES[-1]
NAMES = ("¼", "½", "1", "2", "4", "8", "16", "32", "64")
EVERY_SECOND = ("¼", "", "1", "", "4", "", "16", "", "64")


def blocks(counts: Sequence[int], most: int) -> str:
    """A count in each column, the full block is `most`."""
    return "".join(BLOCKS[max(1, round(8 * n / most))] if n else BLOCKS[0] for n in counts)


def bar(count: int, most: int, width: int) -> str:
    """A count as a bar, `most` is the full width."""
    long = round(count * width / most) if most else 0
    return "█" * long if long else "▏" if count else ""


def octaves(step: int, plain: bool) -> str:
    """The names of the octaves, so many columns each; every second one where all have no room, or there is ASCII."""
    names = EVERY_SECOND if plain or step < len(" 64") else NAMES
    line = "".join(name.ljust(step) for name in names).rstrip()
    return line.replace("¼  ", "1/4") if plain else line


def octave_width(step: int) -> int:
    """Columns of the axis."""
    return step * (len(OCTAVES) - 1) + 1


def ratio_line(naive: Interval, adjusted: Interval | None, step: int) -> str:
    """A rate ratio on octaves: ● adjusted with its interval, ◦ naive, │ one, an arrow where it leaves the axis."""
    cells = [" "] * octave_width(step)
    cells[_column(1.0, step)] = "│"
    shown = naive if adjusted is None else adjusted
    low, high = _column(shown.low, step), _column(shown.high, step)
    cells[low : high + 1] = "─" * (high - low + 1)
    if adjusted is not None:
        _mark(cells, naive.value, "◦", step)
    _mark(cells, shown.value, "◦" if adjusted is None else "●", step)
    if shown.high > LAST_OCTAVE:
        cells[-1] = "▶"
    if shown.low < 2.0 ** OCTAVES[0]:
        cells[0] = "◀"
    return "".join(cells)


def _mark(cells: list[str], value: float, mark: str, step: int) -> None:
    if 2.0 ** OCTAVES[0] <= value <= LAST_OCTAVE:
        cells[_column(value, step)] = mark


def _column(value: float, step: int) -> int:
    if value <= 0:
        return 0
    if math.isinf(value):
        return octave_width(step) - 1
    return max(0, min(round((math.log2(value) - OCTAVES[0]) * step), octave_width(step) - 1))
