"""How many of the crashes that happened were captured, by another channel than core dumps; where that broke down."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from broadstreet.records.outbreak import Test
from broadstreet.records.weights import Interval


@dataclass(frozen=True)
class Captured:
    """Of `fatal` crashes that the other channel counted, `captured` left a case; `ratio` is null where none was."""

    captured: int
    fatal: int
    ratio: Interval | None


class Span(NamedTuple):
    """The same of some time."""

    start: datetime
    end: datetime
    captured: int
    fatal: int


@dataclass(frozen=True)
class Dropout:
    """A time in which one of the two channels was down, in these regions or (none named) everywhere.

    `collector`: crashes were counted, few left a case; a fix is not to be read from it. `channel`: there are cases, few
    were counted; nothing is known of the share captured. `start` and `end` are those of the first and last hour missed.
    The test counts days of hosts, so that one host in a loop is one.
    """

    kind: Literal["collector", "channel"]
    regions: tuple[str, ...]
    start: datetime
    end: datetime
    captured: int
    fatal: int
    cases: int
    test: Test


@dataclass(frozen=True)
class Capture:
    """The whole, by region, by day and by week. `without_place` cases have no host or no time to be counted by."""

    whole: Captured
    regions: dict[str, Captured]
    days: tuple[Span, ...]
    weeks: tuple[Span, ...]
    dropouts: tuple[Dropout, ...]
    without_place: int


@dataclass(frozen=True)
class Changed:
    """The share captured before and after a moment, and how likely so large a difference is by chance."""

    before: Captured
    after: Captured
    test: Test
