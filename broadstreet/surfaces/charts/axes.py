"""Axes: time in UTC with ticks on Mondays and firsts of the month, counts from zero, logarithms."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from broadstreet.surfaces.charts.lettering import day, text_width

_GAP = 14  # pixels between two labels of an axis
_ROOM_FOR_A_YEAR = 500  # pixels of an axis; a shorter one leaves the year to the page
_TICK_GAP = 5  # pixels between two ticks, at least


@dataclass(frozen=True)
class Tick:
    """A place on an axis; `label` is empty where there is no room for one."""

    at: float
    label: str
    major: bool = True


@dataclass(frozen=True)
class TimeScale:
    """Times to pixels: `start` is at `left`, `end` at `right`."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Where a time is; one outside is at the nearer end."""
        whole = (self.end - self.start).total_seconds()
        share = (at - self.start).total_seconds() / whole if whole > 0 else 0.0
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def ticks(self) -> list[Tick]:
        """The start; then firsts of the month, Mondays or hours, labelled as far as there is room."""
        first = Tick(self.left, day(self.start, year=self.right - self.left > _ROOM_FOR_A_YEAR))
        busy = [(self.left, self.left + text_width(first.label) + _GAP)]
        ticks = [first]
        for step in _levels(self.start, self.end):
            ticks += self._level(step, busy, ticks)
        return sorted(ticks, key=lambda tick: tick.at)

    def _level(
        self, places: list[tuple[datetime, str]], busy: list[tuple[float, float]], taken: list[Tick]
    ) -> list[Tick]:
        if len(places) * _TICK_GAP > self.right - self.left:
            return []
        ticks = []
        known = {round(tick.at) for tick in taken}
        # All labels of a level or none: a ragged axis is misread. Only the start's own label may cost its neighbour.
        labelled = all(self._clear(at, label, busy[1:]) for at, label in places if round(self.x(at)) not in known)
        labelled = labelled and self._apart(places)
        for at, label in places:
            x = self.x(at)
            if any(abs(x - other.at) < 1 for other in taken):
                continue
            shown = label if (labelled or len(taken) == 1) and self._free(at, label, busy) else ""
            if shown:
                busy.append((x, x + text_width(shown) + _GAP))
            ticks.append(Tick(x, shown, bool(shown) or len(taken) == 1))
        return ticks

    def _apart(self, places: list[tuple[datetime, str]]) -> bool:
        return all(
            self.x(after) - self.x(at) >= text_width(label) + _GAP
            for (at, label), (after, _) in itertools.pairwise(places)
        )

    def _free(self, at: datetime, label: str, busy: list[tuple[float, float]]) -> bool:
        return self.x(at) + text_width(label) + 4 <= self.right and self._clear(at, label, busy)

    def _clear(self, at: datetime, label: str, busy: list[tuple[float, float]]) -> bool:
        x = self.x(at)
        end = x + text_width(label) + 4 + _GAP
        return not any(x < other_end and end > other for other, other_end in busy)


@dataclass(frozen=True)
class LogScale:
    """Positive numbers to pixels by their logarithm: `low` is at `left`, `high` at `right`."""

    low: float
    high: float
    left: float
    right: float

    def x(self, value: float) -> float:
        """Where a number is; one outside is at the nearer end."""
        if value <= self.low:
            return self.left
        share = math.log(min(value, self.high) / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)

    def tens(self, every: int = 1) -> Iterator[float]:
        """The powers of ten on the axis, one of so many."""
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        return (10.0**power for power in range(first, last + 1) if (power - first) % every == 0)


def decade(value: float) -> str:
    """A power of ten as an axis shows it: 0.01, 1, 10,000."""
    return f"{value:,.0f}" if value >= 1 else f"{value:.10f}".rstrip("0")


def round_steps(top: float, most: int) -> list[float]:
    """Whole numbers above zero for grid lines: 1, 2 or 5 times a power of ten apart, at most so many."""
    step = 1.0
    while int(top / step) > most:
        step *= 2.5 if str(int(step)).startswith("2") else 2
    return [step * place for place in range(1, int(top / step) + 1)]


def _levels(start: datetime, end: datetime) -> list[list[tuple[datetime, str]]]:
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    span = end - start
    if span <= timedelta(days=4):
        return [_days(start, end), _hours(start, end, 6), _hours(start, end, 1)]
    if span <= timedelta(days=20):
        return [_mondays(start, end), _days(start, end)]
    if span <= timedelta(days=800):
        return [_months(start, end, 1), _mondays(start, end)]
    return [_months(start, end, 12), _months(start, end, 3)]


def _months(start: datetime, end: datetime, every: int) -> list[tuple[datetime, str]]:
    found = []
    year, month = start.year, start.month
    while (at := datetime(year, month, 1, tzinfo=UTC)) <= end:
        if at > start and (month - 1) % every == 0:
            found.append((at, day(at, year=month == 1)))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def _mondays(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    return [(at, label) for at, label in _days(start, end) if at.weekday() == 0]


def _days(start: datetime, end: datetime) -> list[tuple[datetime, str]]:
    at = start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    found = []
    while at <= end:
        found.append((at, day(at)))
        at += timedelta(days=1)
    return found


def _hours(start: datetime, end: datetime, every: int) -> list[tuple[datetime, str]]:
    at = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    found = []
    while at <= end:
        if at.hour % every == 0 and at.hour:
            found.append((at, f"{at:%H:%M}"))
        at += timedelta(hours=1)
    return found
