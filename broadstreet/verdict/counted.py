"""What the items of evidence are worth: `items.json`, counted over simulated outbreaks, never written by hand.

The ratio of a level is the share of hardware outbreaks that have it over the share of software outbreaks that do, half
an outbreak added to each. Items depend on one another, so their product is no probability: `calibration` maps the sum
of their logarithms to what it was worth on the outbreaks that the items were fitted on.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, log, sqrt

import msgspec

from broadstreet.records.weights import Count, Interval

FILE = "items.json"
VERSION = 1
Z = 1.959964  # both sides, 95 %
MOST = exp(6)
"""No single item counts for more than 403 : 1, nor for less than its inverse: no fleet was simulated that often."""

LEAST = 10
"""Outbreaks at a level, under which its ratio is chance and is not used."""


@dataclass(frozen=True)
class Prior:
    """Of `of` outbreaks, or crashes where nobody counted outbreaks, `hardware` were the hardware's."""

    hardware: int
    of: int
    source: str


@dataclass(frozen=True)
class Block:
    """Outbreaks of the campaign whose score lies between two: how many of each cause. What they bear out is
    `ratio` of these counts, to hold against what the calibration says of them."""

    low: float
    high: float
    hardware: int
    software: int


@dataclass(frozen=True)
class Calibration:
    """What a score is worth: the logarithm of the ratio is `at_zero` + `slope` * score, between `least` and `most`.

    `spread` are the variances of the two and, between them, their covariance. The bounds are what the outbreaks bear
    out: the ratios of those scored above any software, and below any hardware but the odd one.
    """

    at_zero: float
    slope: float
    spread: tuple[float, float, float]
    least: float
    most: float
    blocks: tuple[Block, ...]


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
    calibration: Calibration
    thresholds: Thresholds
    provisional: str | None = None

    def ratio(self, item: str, level: str) -> tuple[Interval, Count, Count] | None:
        """How many times oftener hardware outbreaks are at this level, and the counts; null if that may be chance."""
        counts = self.levels.get(item, {}).get(level)
        if counts is None or counts[0].held + counts[1].held < LEAST or not counts[0].judged or not counts[1].judged:
            return None
        found = ratio(*counts)
        return None if found.low <= 1 <= found.high else (found, *counts)

    def worth(self, score: float) -> Interval:
        """The calibrated logarithm of the ratio at a score."""
        one = self.calibration
        value = one.at_zero + one.slope * score
        reach = Z * sqrt(one.spread[0] + 2 * score * one.spread[1] + score * score * one.spread[2])
        return Interval(*(min(max(end, one.least), one.most) for end in (value, value - reach, value + reach)))


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
    if items.calibration.slope <= 0:
        raise ValueError(f"{FILE}: the calibration falls")
    return items


@cache
def items() -> Items:
    """The items that ship."""
    found = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=Items)
    if found.version != VERSION:
        raise ValueError(f"{FILE} has version {found.version}, this program reads {VERSION}")
    return checked(found)
