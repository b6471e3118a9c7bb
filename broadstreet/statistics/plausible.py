"""Can a hypothesis make as many cases as there were? A product of factors, each known only to some powers of ten.

A factor is drawn log-uniform between its low and its middle value in one half of the draws, between the middle and the
high one in the other. The products are means of Poisson counts; the chance of a count is the mean of the exact tails,
so that only the factors are drawn.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.records.hypothesis import Answer, Range
from broadstreet.records.weights import Interval
from broadstreet.statistics.intervals import poisson_interval
from broadstreet.statistics.tails import poisson_head, poisson_tail

Floats = NDArray[np.float64]
DRAWS = 10_000
"""The ends of an interval over one power of ten are then known to 3 %."""
UNLIKELY = 0.025
LARGEST = 1e15
"""Of a mean of which a count is drawn; over it chance is nothing beside the factors."""


class Prediction(NamedTuple):
    """`counts` with chance, `means` without; median and 95 %. The chances are those of `observed` or more, or fewer."""

    counts: Interval
    means: Interval
    at_least: float
    at_most: float
    answer: Answer
    powers: float


def drawn(factor: Range, draws: int, generator: np.random.Generator) -> Floats:
    """Values of a factor, of which half lie under its middle."""
    logs = np.log([factor.low, factor.mid, factor.high])
    return np.exp(np.interp(generator.random(draws), [0, 0.5, 1], logs))


def predicted(
    factors: Sequence[Range], times: float, observed: int, generator: np.random.Generator, draws: int = DRAWS
) -> Prediction:
    """The counts that the product of the factors, `times` the time at risk in its unit, makes; beside the observed.

    Compatible: neither so many nor so few have a chance under 2.5 %. If not, `powers` of ten lie between the nearest
    ends of what was predicted and what the observed count may come from.
    """
    means = _product(factors, draws, generator) * times
    counts = np.where(means < LARGEST, generator.poisson(np.minimum(means, LARGEST)), means)
    at_least, at_most = (float(tail(observed, means).mean()) for tail in (poisson_tail, poisson_head))
    spread = _interval(means)
    low, high = (float(end) for end in poisson_interval(observed))
    answer: Answer = "compatible"
    powers = 0.0
    if at_least < UNLIKELY:
        answer, powers = "predicts too few", math.log10(max(low, 1e-300) / spread.high)
    elif at_most < UNLIKELY:
        answer, powers = "predicts too many", math.log10(spread.low / high)
    return Prediction(_interval(counts), spread, at_least, at_most, answer, max(0.0, powers))


def solved(
    others: Sequence[Range], times: float, observed: int, generator: np.random.Generator, draws: int = DRAWS
) -> Interval:
    """What the missing factor must be: median and 95 %, of the factors and of the count (a gamma, by Jeffreys)."""
    means = generator.gamma(observed + 0.5, 1.0, draws)
    return _interval(means / (_product(others, draws, generator) * times))


def _product(factors: Sequence[Range], draws: int, generator: np.random.Generator) -> Floats:
    product = np.ones(draws)
    for factor in factors:
        product = product * drawn(factor, draws, generator)
    return product


def _interval(values: Floats) -> Interval:
    low, middle, high = (float(v) for v in np.quantile(values, [0.025, 0.5, 0.975]))
    return Interval(middle, low, high)
