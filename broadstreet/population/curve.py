"""Cases over time, as an epidemic curve: several groups of cases in bins of one width, on one scale."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

DAY = 24
# Hours that a person reads at once: parts of a day, days, weeks; beyond these, twice as long each time.
WIDTHS = (1, 2, 3, 4, 6, 12, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY, 7 * DAY, 14 * DAY, 28 * DAY)


class Curves(NamedTuple):
    """One row of counts for each group, from `start` in bins of `hours`. `most` is the largest count of all.

    `undated` of the cases have no time, or none that tells when they happened.
    """

    start: datetime
    hours: int
    rows: tuple[tuple[int, ...], ...]
    most: int
    undated: int

    def bin(self, at: datetime) -> int:
        """The bin that a time falls into: the first or the last where it lies outside."""
        number = int((at - self.start) / timedelta(hours=self.hours))
        return max(0, min(number, len(self.rows[0]) - 1 if self.rows else 0))


def curves(
    times: Mapping[str, datetime], groups: Sequence[Sequence[str]], start: datetime, end: datetime, most_bins: int
) -> Curves:
    """The cases of each group in at most so many bins. `times` lacks the cases that are not dated."""
    hours = _width(start, end, most_bins)
    first = _first(start, hours)
    bins = _bins(start, end, hours)
    empty = Curves(first, hours, ((0,) * bins,), 0, 0)
    rows = [[0] * bins for _ in groups]
    undated = 0
    for row, group in zip(rows, groups, strict=True):
        for case in group:
            if case in times:
                row[empty.bin(times[case])] += 1
            else:
                undated += 1
    return Curves(first, hours, tuple(map(tuple, rows)), max((max(row) for row in rows), default=0), undated)


def _width(start: datetime, end: datetime, most_bins: int) -> int:
    for width in WIDTHS:
        if _bins(start, end, width) <= most_bins:
            return width
    width = WIDTHS[-1]
    while _bins(start, end, width) > most_bins:
        width *= 2
    return width


def _bins(start: datetime, end: datetime, hours: int) -> int:
    return max(1, -int((_first(start, hours) - end) // timedelta(hours=hours)))


def _first(start: datetime, hours: int) -> datetime:
    """The hour or the day that a curve begins with."""
    hour = start.replace(minute=0, second=0, microsecond=0)
    return hour.replace(hour=0) if hours >= DAY else hour
