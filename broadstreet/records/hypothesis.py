"""Hypotheses of how often something goes wrong: a product of factors, and what it predicts."""

from dataclasses import dataclass, field
from typing import Literal

from broadstreet.records.weights import Interval

Answer = Literal["compatible", "predicts too few", "predicts too many"]
Follows = Literal["in proportion", "grows otherwise", "does not follow", "cannot tell"]


@dataclass(frozen=True)
class Range:
    """What a factor may be: it lies between `low` and `high`, as likely under `mid` as over it."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class Landmark:
    """What a value of at least `least` means, in words."""

    least: float
    says: str


@dataclass(frozen=True)
class Factor:
    """One factor of a hypothesis. `usual` is its range where nobody sets one, null if that has no source."""

    unit: str
    means: str
    usual: Range | None = None
    source: str = ""
    landmarks: tuple[Landmark, ...] = ()


@dataclass(frozen=True)
class Template:
    """A kind of hypothesis. The product of its factors, times `per_hour`, is its crashes per hour at risk."""

    says: str
    per_hour: float
    source: str
    factors: dict[str, Factor]


@dataclass(frozen=True)
class Plausibility:
    """What a hypothesis predicts for the time at risk, beside what was observed.

    `predicted` is the number of crashes: median and 95 %, chance included. `hours_between` crashes
    are its mean times, without chance.
    `observed` has the interval of the means that such a count may come from. `at_least` and `at_most` are the chances
    that the hypothesis makes so many as were observed or more, or fewer. `powers` of ten part the two where it is not
    compatible.
    """

    template: str
    factors: dict[str, Range]
    at_risk_hours: float
    predicted: Interval
    hours_between: Interval
    observed: Interval
    at_least: float
    at_most: float
    answer: Answer
    powers: float
    says: str
    draws: int
    seed: int


@dataclass(frozen=True)
class Solved:
    """What one factor has to be for the rest of the hypothesis to make what was observed."""

    template: str
    factor: str
    unit: str
    value: Interval
    given: dict[str, Range]
    at_risk_hours: float
    observed: int
    says: str
    draws: int
    seed: int


@dataclass(frozen=True)
class DoseResponse:
    """How the rate follows the dose, over cohorts: rate ~ dose ** slope. 1 is in proportion, 0 is not at all.

    `p_flat` and `p_proportional` are those of the observed counts, if the slope were 0 or 1; `p_fit`, if the cohorts
    followed the best slope and differed in nothing else. Null: fewer than two doses over 0, or three for the fit.
    `without_dose` are the cases in cohorts of dose 0, `p_without` that of so few, were they as prone as the others.
    """

    cohorts: int
    cases: int
    slope: Interval | None
    p_flat: float | None
    p_proportional: float | None
    p_fit: float | None
    without_dose: int | None
    p_without: float | None
    follows: Follows
    says: str
    doses: dict[str, tuple[float, int, float]] = field(default_factory=dict)
