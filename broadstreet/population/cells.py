"""The first look: of every value of an exposure, in every part, whether the time at risk explains its episodes.

In one count over arrays, naive: what stands out is looked at from near in `comparisons.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.families import ERROR, LEAST
from broadstreet.population.ground import Cohort, Ground
from broadstreet.population.population import Attribute, Floats
from broadstreet.statistics.dispersion import dispersion
from broadstreet.statistics.tables import fisher
from broadstreet.statistics.tails import binomial_tail, negative_binomial_tail
from broadstreet.statistics.tree import scan_ratio

Rows = NDArray[np.int64]

MOST_COUNTERS = 1 << 22
Z_AT_FIRST = 2.0  # fewer are far from any level that is used here; saves the exact test
UNEVEN_FROM = 50  # values, and episodes: with fewer, how unevenly values are hit at all cannot be estimated
UNEVEN = 0.02  # the level at which it counts as uneven: at 0.05 one even fleet in twenty loses its power


class Cells(NamedTuple):
    """Every value of one exposure that `least` episodes of a part share. Arrays run in parallel.

    `part` is the number of the part, `of` its episodes of which the exposure is known, `share` the value's share of the
    time at risk, `gain` the log likelihood ratio, `uneven` the dispersion that the test allowed for. `asked` counts the
    questions: every part and every value that was at risk.
    """

    attribute: str
    part: Rows
    value: Rows
    inside: Rows
    of: Rows
    share: Floats
    p: Floats
    gain: Floats
    uneven: Floats
    asked: int


def cells(
    ground: Ground,
    attribute: Attribute,
    votes: Rows,
    part: Rows,
    parts: int,
    without: Sequence[Cohort] = (),
    least: int = LEAST,
) -> Cells | None:
    """Ask of every value of an exposure, in every part: are these more episodes than the time at risk explains?"""
    codes = attribute.cases[votes]
    size = len(attribute.values)
    told = ground.told(attribute)
    hours = ground.hours(attribute, ground.measures[0], ground.kept(without)) if told else np.ones(size)
    at_risk = hours > 0
    known = (codes >= 0) & at_risk[codes]
    if not known.any() or at_risk.sum() < 2:
        return None
    of_part = np.bincount(part[known], minlength=parts)
    keys, inside = _counted(part[known] * np.int64(size) + codes[known], parts * size, least)
    label, value = keys // size, keys % size
    asked = int((of_part >= least).sum() * at_risk.sum())
    of = of_part[label]
    if told:
        share = hours[value] / hours.sum()
        p = binomial_tail(inside, of, share)
        doubted = np.unique(label[p * asked < ERROR])
        uneven = _uneven(codes[known], part[known], doubted, of_part, hours / hours.sum())[label]
        p = np.where(uneven > 0, negative_binomial_tail(inside, of * share, uneven), p)
    else:
        controls = ground.controls(without)
        every = attribute.cases[ground.votes[controls]]
        whole = np.bincount(every[every >= 0], minlength=size)
        mine = known & controls[np.searchsorted(ground.votes, votes)]
        own, sizes = _own(part[mine], codes[mine], keys, size, parts)
        others, rest = whole[value] - own, whole.sum() - sizes[label]
        share = np.divide(others, rest, out=np.ones(len(rest)), where=rest > 0)
        uneven = np.zeros(len(keys))
        p = _oftener(inside, of, others, rest)
    gain = scan_ratio(inside, of * share, of)
    return Cells(attribute.name, label, value, inside, of, share, p, gain, uneven, asked)


def _own(part: Rows, codes: NDArray[np.int32], keys: Rows, size: int, parts: int) -> tuple[Rows, Rows]:
    """How many of these each part has itself: of each value of interest, and in all."""
    every = part * np.int64(size) + codes
    of_part = np.bincount(part, minlength=parts)
    if parts * size <= MOST_COUNTERS:
        return np.bincount(every, minlength=parts * size)[keys], of_part
    found, counts = np.unique(every, return_counts=True)
    at = np.minimum(np.searchsorted(found, keys), max(0, len(found) - 1))
    return np.where(found[at] == keys, counts[at], 0) if len(found) else np.zeros(len(keys), np.int64), of_part


def _counted(keys: Rows, size: int, least: int) -> tuple[Rows, Rows]:
    """The keys that are there at least so often, and how often."""
    if size <= MOST_COUNTERS:
        counts = np.bincount(keys, minlength=size)
        found = np.flatnonzero(counts >= least)
        return found, counts[found]
    found, counts = np.unique(keys, return_counts=True)
    return found[counts >= least], counts[counts >= least]


def _oftener(inside: Rows, of: Rows, others: Rows, rest: Rows) -> Floats:
    """The chance of so many inside if they were as frequent as among the others; 1 where they are not oftener."""
    p = np.ones(len(inside))
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = inside / of - others / rest
        whole = (inside + others) / (of + rest)
        z = apart / np.sqrt(whole * (1 - whole) * (1 / of + 1 / rest))
    asked = z > Z_AT_FIRST
    p[asked] = fisher(*(some[asked] for some in (inside, of - inside, others, rest - others))).greater
    return p


def _uneven(codes: NDArray[np.int32], part: Rows, doubted: Rows, of_part: Rows, share: Floats) -> Floats:
    """How unevenly the values are hit, of those parts that are in doubt; 0 for all others."""
    found = np.zeros(len(of_part))
    if (share > 0).sum() < UNEVEN_FROM or not (of_part[doubted] >= UNEVEN_FROM).any():
        return found
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(of_part)
    for one in doubted[of_part[doubted] >= UNEVEN_FROM]:
        mine = codes[order[ends[one] - of_part[one] : ends[one]]]
        counts = np.bincount(mine, minlength=len(share))[share > 0]
        estimate = dispersion(counts, of_part[one] * share[share > 0])
        if estimate.p < UNEVEN:
            found[one] = estimate.value
    return found
