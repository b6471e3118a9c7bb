"""A verdict: what is at fault in one outbreak, and the argument that a person can check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from broadstreet.records.outbreak import Alarm, Large, Outbreak
from broadstreet.records.weights import Count, Interval

Says = Literal["hardware", "software", "undetermined"]
Kind = Literal["confirm", "refute", "withdraw"]


@dataclass(frozen=True)
class Argument:
    """One item of evidence. `ratio`: how many times likelier it is if the hardware is at fault than if the software is.

    `says` is a sentence with its numbers; `observed` the same numbers by name. `hardware` and `software` are the counts
    of the lab from which the ratio came, `campaign` which runs those were, `capped` that no single item may count more.
    `reads` is the SQL of what was observed; `cases` are those in which it was.
    """

    name: str
    says: str
    observed: dict[str, float | str]
    ratio: Interval
    campaign: str
    hardware: Count | None = None
    software: Count | None = None
    capped: bool = False
    cases: tuple[str, ...] = ()
    reads: str = ""


@dataclass(frozen=True)
class Unchecked:
    """What could not be checked, in how many of the cases, and how to make it checkable."""

    what: str
    cases: int
    remedy: str


@dataclass(frozen=True)
class Judgement:
    """What a person said of a verdict, later: that it is right, or wrong, or that nothing is to be said of it any more.

    `outbreak` is the id that it was said under, `formerly` that of the judgement before, if it was another. `says`,
    `certainty`, `held`, `syndrome` (null: several) and `cohort` are those of the verdict of which it was said, that of
    casebook version `version`. `truth` is what it really was, `text` a note; null: not said.
    """

    number: int
    outbreak: str
    formerly: str | None
    kind: Kind
    says: Says
    certainty: float
    held: str | None
    syndrome: str | None
    cohort: Mapping[str, str]
    version: int
    truth: str | None
    text: str | None
    author: str
    made: datetime


@dataclass(frozen=True)
class HowSure:
    """How sure verdicts have been that were at least and less than so certain: how many people confirmed of how many.

    `least` confirmed is the lower bound of the share, with 97.5 %; null where nobody judged one.
    """

    at_least: float
    below: float
    confirmed: int
    judged: int
    least: float | None


@dataclass(frozen=True)
class Verdict:
    """What is at fault in one outbreak. `probability` is that of hardware, `certainty` that of what it says.

    `held` says why no verdict may be given (the capture ratio fell). `prior` is the odds before any evidence, with its
    source as an argument. `overturned_by` is the smallest new fact that would change it. `judgement` is the newest word
    of a person on it; null: nobody's, or it was withdrawn.
    """

    outbreak: Outbreak
    says: Says
    certainty: float
    probability: Interval
    prior: Argument
    evidence_against: tuple[Argument, ...]
    evidence_for: tuple[Argument, ...]
    not_checked: tuple[Unchecked, ...]
    overturned_by: str
    action: tuple[str, ...]
    title: str
    held: str | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True)
class Investigation:
    """The answer to `investigate`: from which versions it came, and the verdicts, the most certain first.

    `only` is the syndrome that was asked about; null: all of them, and alarms were asked for too.
    `hosts` were at risk, on so many physical `machines`; null where that is not told.
    `largest` are the syndromes with most crashes, whether they stand out or not.
    `captured` of `fatal` signals that another channel saw became cases; null where no such channel is told.
    `how_sure` says how verdicts of this casebook fared that people judged.
    """

    casebook: str
    casebook_version: int
    broadstreet_version: str
    weights_version: str
    simulated: bool
    cases: int
    episodes: int
    syndromes: int
    hosts: int | None
    at_risk: float | None
    measure: str | None
    start: str
    end: str
    questions: int
    families: dict[str, int]
    captured: int | None
    fatal: int | None
    capture_notes: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    alarms: tuple[Alarm, ...] = ()
    machines: int | None = None
    only: str | None = None
    largest: tuple[Large, ...] = ()
    how_sure: tuple[HowSure, ...] = ()
