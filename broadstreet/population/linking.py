"""One place with many different crashes is itself an outbreak: diversity, not volume.

A bug crashes again and again in the same function; failing hardware crashes anywhere. So a place is asked how many
different syndromes it has, each counted once, against how many its time at risk explains.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.cells import UNEVEN, UNEVEN_FROM
from broadstreet.population.families import LEAST
from broadstreet.population.ground import Ground
from broadstreet.population.population import Attribute, Floats
from broadstreet.statistics.dispersion import dispersion
from broadstreet.statistics.tails import negative_binomial_tail, poisson_tail


class Diverse(NamedTuple):
    """Places with at least three different syndromes: how many, how many were expected, and the chance of so many."""

    value: NDArray[np.int64]
    different: NDArray[np.int64]
    expected: Floats
    p: Floats
    uneven: float
    asked: int


def diverse(ground: Ground, attribute: Attribute, votes: NDArray[np.int64]) -> Diverse | None:
    """Ask of every place: are these more different syndromes than its time at risk explains?"""
    if not ground.told(attribute):
        return None
    hours = ground.hours(attribute, ground.measures[0])
    codes, syndrome = attribute.cases[votes], ground.population.syndrome[votes]
    known = (codes >= 0) & (syndrome >= 0) & (hours > 0)[codes]
    if not known.any():
        return None
    size = np.int64(len(attribute.values))
    pairs = np.unique(syndrome[known].astype(np.int64) * size + codes[known])
    different = np.bincount(pairs % size, minlength=len(attribute.values))
    share = hours / hours.sum()
    expected = np.zeros(len(share))
    sizes, times = np.unique(np.bincount(syndrome[known]), return_counts=True)
    for n, count in zip(sizes, times, strict=True):
        expected += count * -np.expm1(n * np.log1p(-np.minimum(share, 1 - 1e-12)))
    at_risk = hours > 0
    estimate = dispersion(different[at_risk], expected[at_risk]) if at_risk.sum() >= UNEVEN_FROM else None
    uneven = estimate.value if estimate is not None and estimate.p < UNEVEN else 0.0
    places = np.flatnonzero(different >= LEAST)
    seen, mean = different[places], expected[places]
    p = negative_binomial_tail(seen, mean, uneven) if uneven else poisson_tail(seen, mean)
    return Diverse(places, seen, mean, np.asarray(p), uneven, int(at_risk.sum()))
