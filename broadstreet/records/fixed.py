"""Whether a fix worked: a syndrome's crashes since, against those before, each by its time at risk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from broadstreet.records.capture import Changed
from broadstreet.records.outbreak import Against, Test
from broadstreet.records.weights import Interval

Answer = Literal["fixed", "fewer", "not fixed", "not known yet", "held"]


@dataclass(frozen=True)
class Fix:
    """What was done: a date, a service release, or a host that was taken out; with a date, it took no work since."""

    since: datetime | None = None
    release: str | None = None
    without_host: str | None = None


@dataclass(frozen=True)
class Side:
    """Episodes and time at risk on one side of the fix, and how many days it lasted."""

    episodes: int
    at_risk: float
    days: float


@dataclass(frozen=True)
class Fixed:
    """Of one syndrome, or its crashes with one mechanism, and one fix.

    With a release, `after` is what ran it or a later one, `before` the rest. `expected` is what the rate before would
    have made after; `ratio` is rate after by rate before. `test` is of so few. `strata` are those within which both are
    compared; empty where that would leave too little. `a_day` is the naive ratio, by calendar days. `days_more` until
    it is known if no crash follows, `days_more_tenfold` with 80 % if the rate fell tenfold; both are null where it is
    known, or will not be within ten years. `held` is why no answer is given. `measure` is what time at risk is counted
    in, or what else is. `cases` are the ids of the first crash of each episode.
    """

    syndrome: str
    mechanism: str | None
    fix: Fix
    answer: Answer
    says: str
    held: str | None
    moment: datetime
    start: datetime
    end: datetime
    before: Side
    after: Side
    measure: str
    against: Against
    expected: Interval | None
    ratio: Interval | None
    a_day: float | None
    strata: tuple[str, ...]
    test: Test | None
    days_more: int | None
    days_more_tenfold: int | None
    known_on: datetime | None
    capture: Changed | None
    cases: tuple[str, ...]
    undated: int
    notes: tuple[str, ...]
