"""Outbreaks: a syndrome, or a part of one, in a cohort and an interval, with the tests that say so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from broadstreet.records.weights import Interval

Against = Literal["time at risk", "other crashes"]


@dataclass(frozen=True)
class Test:
    """One question and its answer: enough to ask it again by one paste in Python.

    `name` is a function of broadstreet.statistics, `arguments` are what it was given; lists have a place a stratum.
    `q` is `p` corrected for the `asked` questions of its `family`; null where the test stands alone.
    """

    name: str
    arguments: dict[str, float | tuple[float, ...]]
    p: float
    q: float | None = None
    family: str = ""
    asked: int = 1


@dataclass(frozen=True)
class Comparison:
    """The crashes that share an exposure against all others, naive and adjusted side by side.

    `inside` of `of` episodes have this value; `share` is its share of the time at risk, or of the other crashes.
    `adjusted` and `adjusted_test` are stratified by `strata`; null where they cannot be told apart from them
    (`same_as`), or where nothing is known to stratify by. `adjusted_by` is the function of broadstreet.statistics that
    gives `adjusted`, with its arguments: lists with a place a stratum.
    """

    attribute: str
    value: str
    inside: int
    of: int
    share: float
    against: Against
    measure: str
    naive: Interval
    test: Test
    strata: tuple[str, ...] = ()
    adjusted: Interval | None = None
    adjusted_test: Test | None = None
    same_as: tuple[str, ...] = ()
    adjusted_by: tuple[str, Mapping[str, float | tuple[float, ...]]] | None = None


@dataclass(frozen=True)
class Onset:
    """When an outbreak began, and ended, as likelihood has it; null where it holds from the first day, or goes on.

    `low` and `high` bound the beginning with 95 %. `rates` are those per day before, within and after.
    """

    at: datetime | None
    low: datetime | None
    high: datetime | None
    end: datetime | None
    end_low: datetime | None
    end_high: datetime | None
    rates: tuple[float | None, float, float | None]
    test: Test | None


@dataclass(frozen=True)
class Arrival:
    """A value of an exposure that was not in the fleet before `at`: a release, a kernel, a make of machine."""

    attribute: str
    value: str
    at: datetime


@dataclass(frozen=True)
class Split:
    """Why one syndrome is more than one: a sign that goes with an exposure, or a cohort that stands out of the rest.

    `part` and `rest` are numbers of episodes.
    """

    syndrome: str
    by: str
    goes_with: str
    part: int
    rest: int
    test: Test


@dataclass(frozen=True)
class Outbreak:
    """A syndrome, or a part of one, that a cohort has more of than its time at risk explains; or that has an onset.

    `kind` is cohort (who is hit), everywhere (nobody in particular), or linked (one place with many different crashes).
    `cohort` is empty where everybody is hit. `parts` are the signs that they were parted by, `not SIGN` for the rest.
    `arrivals` are what came into the fleet shortly before it began; that is no proof that they did it.
    `cases`, `elsewhere` and `unplaced` are case ids: those inside, those of the same part that are known to be outside
    of the cohort, and those of which that is not known. `of_mechanism` episodes have the mechanism, which is that of
    most.
    """

    id: str
    rank: int
    kind: Literal["cohort", "everywhere", "linked"]
    syndrome: str
    mechanism: str
    cohort: dict[str, str]
    parts: tuple[str, ...]
    cases: tuple[str, ...]
    elsewhere: tuple[str, ...]
    episodes: int
    onset: Onset | None
    comparison: Comparison | None
    others: tuple[Comparison, ...]
    splits: tuple[Split, ...]
    arrivals: tuple[Arrival, ...] = ()
    unplaced: tuple[str, ...] = ()
    of_mechanism: int | None = None


@dataclass(frozen=True)
class Alarm:
    """A syndrome that came oftener than it used to: `seen` episodes where its past had made `expected` likely.

    `since` and `until` are seconds since 1970: when the chart began to rise, and when it was sure.
    """

    syndrome: str
    since: float
    until: float
    seen: int
    expected: float

    @property
    def days(self) -> float:
        """How long it rose until the alarm."""
        return (self.until - self.since) / 86_400


@dataclass(frozen=True)
class Survey:
    """Everything that was asked of a population, and what came of it: the outbreaks, the most certain first.

    `families` says how many questions each family had. `start` and `end` bound what was observed.
    """

    start: datetime
    end: datetime
    cases: int
    episodes: int
    questions: int
    families: dict[str, int]
    outbreaks: tuple[Outbreak, ...]
    alarms: tuple[Alarm, ...] = ()


@dataclass(frozen=True)
class Large:
    """A syndrome with many crashes: how many, on how many hosts (null: not known), where in the code, how they die."""

    syndrome: str
    cases: int
    hosts: int | None
    host: str | None
    site: str
    mechanism: str
