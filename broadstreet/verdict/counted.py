"""What the items of evidence are worth: `items.json`, counted over simulated outbreaks, never written by hand.

The ratio of a level is the share of hardware outbreaks that have it over the share of software outbreaks that do, half
an outbreak added to each. Items depend on one another, so their product is no probability: `calibration` maps the sum
of their logarithms to what it was worth on the outbreaks that the items were fitted on.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp, log, sqrt

import msgspec

from broadstreet.records.weights import Count, Interval

FILE = "items.json"
VERSION = 1
Z = 1.959964  # both sides, 95 %
MOST = exp(6)
"""No single item counts for more than 403 : 1, nor for less than its inverse: no fleet was simulated that often."""


@dataclass(frozen=True)
class Prior:
    """Of `of` outbreaks, or crashes where nobody counted outbreaks, `hardware` were the hardware's."""

    hardware: int
    of: int
    source: str


@dataclass(frozen=True)
class Knot:
    """What a score is worth: the logarithm of the ratio at it, with 95 % bounds, and the outbreaks that say so."""

    score: float
    worth: float
    low: float
    high: float
    hardware: int
    software: int


@dataclass(frozen=True)
class Thresholds:
    """How probable a verdict must be, and what the fitted outbreaks had at that: right of all that were called so."""

    hardware: float
    software: float
    hardware_right: Count
    software_right: Count
    origin: str


@dataclass(frozen=True)
class Items:
    """The counts per item and level, the calibration and the thresholds, and the campaign that gave them.

    `provisional` says why these counts are not to be relied on yet; null where they come of a campaign.
    """

    version: int
    campaign: str
    command: str
    seeds: dict[str, int]
    outbreaks: dict[str, int]
    prior: Prior
    levels: dict[str, dict[str, tuple[Count, Count]]]
    calibration: tuple[Knot, ...]
    thresholds: Thresholds
    provisional: str | None = None

    def ratio(self, item: str, level: str) -> tuple[Interval, Count, Count] | None:
        """How many times oftener hardware outbreaks are at this level, and the counts; null if never counted."""
        counts = self.levels.get(item, {}).get(level)
        if counts is None or not counts[0].judged or not counts[1].judged:
            return None
        return ratio(*counts), *counts

    def worth(self, score: float) -> tuple[float, float, float]:
        """The calibrated logarithm of the ratio at a score, with its bounds. Beyond the last knot it grows no more."""
        scores = [knot.score for knot in self.calibration]
        at = bisect_right(scores, score)
        if at == 0 or at == len(scores):
            knot = self.calibration[min(at, len(scores) - 1)]
            return knot.worth, knot.low, knot.high
        left, right = self.calibration[at - 1], self.calibration[at]
        part = (score - left.score) / (right.score - left.score)
        ends = ((left.worth, right.worth), (left.low, right.low), (left.high, right.high))
        value, low, high = (one + part * (other - one) for one, other in ends)
        return value, low, high


def ratio(hardware: Count, software: Count) -> Interval:
    """The ratio of two shares with its 95 % interval, as Katz has it, with half an outbreak added to each count."""
    shares = [(one.held + 0.5) / (one.judged + 1) for one in (hardware, software)]
    spread = sum(1 / (one.held + 0.5) - 1 / (one.judged + 1) for one in (hardware, software))
    middle, reach = log(shares[0] / shares[1]), Z * sqrt(max(spread, 0.0))
    return Interval(exp(middle), exp(middle - reach), exp(middle + reach))


def capped(interval: Interval) -> tuple[Interval, bool]:
    """The same, but no more than 403 : 1 either way; and whether that changed it."""
    value, low, high = (min(max(one, 1 / MOST), MOST) for one in (interval.value, interval.low, interval.high))
    return Interval(value, low, high), value != interval.value


def checked(items: Items) -> Items:
    """These items, if the calibration rises with the score, as every law of evidence asks."""
    for left, right in pairwise(items.calibration):
        if left.score >= right.score or left.worth > right.worth:
            raise ValueError(f"{FILE}: the calibration falls between {left.score} and {right.score}")
    return items


@cache
def items() -> Items:
    """The items that ship."""
    found = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=Items)
    if found.version != VERSION:
        raise ValueError(f"{FILE} has version {found.version}, this program reads {VERSION}")
    return checked(found)
