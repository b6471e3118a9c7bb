"""Where in a tree do the cases lie too densely: a host, its physical host, its rack, its region? (Kulldorff, 1997.)

One bad rack is ten hosts with one case more each, of which none stands out; so every cell of every level is compared,
and the best is held against the best of trees in which cases fell by chance. That pays for all the cells looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.statistics.tails import FLOOR

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
ENOUGH = 20
"""Permutations that reach the observed tree, after which no more are drawn: its p is known to a fifth by then."""
EULER_GAMMA = 0.5772156649015329


class Level(NamedTuple):
    """One level: cases and share of the time at risk of each cell, and its parent's index in the next level.

    Parent -1: not known. The last level has none.
    """

    counts: ArrayLike
    shares: ArrayLike
    parents: ArrayLike | None = None


@dataclass(frozen=True)
class Best:
    """The cell with the largest likelihood ratio, and the p of one so large anywhere in the tree.

    `how` is counted (permutations reached it) or gumbel: none of them did, and p is the tail of the extreme-value
    distribution fitted to their best, at most 1 / (permutations + 1).
    """

    level: int
    index: int
    llr: float
    p: float
    how: Literal["counted", "gumbel"]
    permutations: int


def scan_ratio(inside: ArrayLike, expected: ArrayLike, total: ArrayLike) -> Floats:
    """Log likelihood ratio of each cell having a higher rate than all others; 0 where it has no more than expected.

    `expected` are the cases of `total` that the cell's share of the time at risk would hold.
    """
    cases, mean, all_cases = (np.asarray(a, np.float64) for a in (inside, expected, total))
    outside = special.rel_entr(all_cases - cases, np.maximum(all_cases - mean, 0))
    ratio = special.rel_entr(cases, mean) + np.where(cases >= all_cases, 0.0, outside)
    return np.where(cases > mean, ratio, 0.0)


def best_of_tree(
    levels: Sequence[Level],
    total: int,
    generator: np.random.Generator,
    permutations: int = 999,
    dispersion: float = 0.0,
) -> Best:
    """The cell that stands out most, of levels from the finest to the coarsest, with its p by Monte Carlo.

    Under the null, `total` cases fall on the finest cells by their shares; what a coarser cell holds beside the finer
    ones that are known is a cell of its own. With a dispersion each finest rate varies by a gamma of that variance.
    """
    shares = [np.asarray(level.shares, np.float64) for level in levels]
    seen = [
        scan_ratio(np.asarray(level.counts, np.float64), total * part, total)
        for level, part in zip(levels, shares, strict=True)
    ]
    best = [float(ratios.max(initial=0.0)) for ratios in seen]
    level = max(range(len(best)), key=best.__getitem__)
    leaves, paths = _leaves(levels, shares)
    drawn, reached = [], 0
    for _ in range(permutations):
        llr = _best_by_chance(leaves, paths, shares, total, generator, dispersion)
        drawn.append(llr)
        reached += llr >= best[level]
        if reached >= ENOUGH:
            break
    p = (reached + 1) / (len(drawn) + 1)
    index = int(seen[level].argmax()) if len(seen[level]) else 0
    if reached:
        return Best(level, index, best[level], p, "counted", len(drawn))
    return Best(level, index, best[level], min(p, _gumbel_tail(best[level], np.asarray(drawn))), "gumbel", len(drawn))


def _leaves(levels: Sequence[Level], shares: list[Floats]) -> tuple[Floats, list[Codes]]:
    """The shares that cases fall on, and for each level the cell in which each of them lies; -1: in none."""
    parts: list[Floats] = []
    paths: list[list[Codes]] = [[] for _ in levels]
    for at in range(len(levels)):
        remainder = shares[at].copy()
        if at:
            known = _parents(levels[at - 1])
            np.subtract.at(remainder, known[known >= 0], shares[at - 1][known >= 0])
        own = np.flatnonzero(remainder > FLOOR)
        parts.append(remainder[own])
        for other in range(len(levels)):
            paths[other].append(np.full(len(own), -1, np.intp) if other < at else own.copy())
        for other in range(at + 1, len(levels)):
            below, up = paths[other - 1][-1], _parents(levels[other - 1])
            paths[other][-1] = np.where(below >= 0, up[below], -1)
    rest = 1.0 - sum(float(part.sum()) for part in parts)
    parts.append(np.asarray([max(0.0, rest)]))
    whole = np.concatenate(parts)
    return whole / whole.sum(), [np.concatenate([*path, np.asarray([-1])]) for path in paths]


def _parents(level: Level) -> Codes:
    if level.parents is None:
        raise ValueError("every level but the last has parents")
    return np.asarray(level.parents, np.intp)


def _best_by_chance(
    leaves: Floats, paths: list[Codes], shares: list[Floats], total: int, generator: np.random.Generator, spread: float
) -> float:
    if spread > 0:
        leaves = leaves * generator.gamma(1 / spread, spread, len(leaves))
        leaves = leaves / leaves.sum()
    if total < len(leaves):
        where = np.searchsorted(np.cumsum(leaves), generator.random(total) * leaves.sum(), side="right")
        where, counts = np.minimum(where, len(leaves) - 1), np.ones(total)
    else:
        where, counts = np.arange(len(leaves)), generator.multinomial(total, leaves).astype(np.float64)
    return max(_best_of(path[where], counts, part, total) for path, part in zip(paths, shares, strict=True))


def _best_of(cells: Codes, counts: Floats, shares: Floats, total: int) -> float:
    held = np.bincount(cells[cells >= 0], weights=counts[cells >= 0], minlength=len(shares))
    some = np.flatnonzero(held)
    return float(scan_ratio(held[some], total * shares[some], total).max(initial=0.0))


def _gumbel_tail(llr: float, drawn: Floats) -> float:
    size = float(drawn.std(ddof=1)) * math.sqrt(6) / math.pi
    if not size > 0:
        return 1.0
    at = (llr - (float(drawn.mean()) - EULER_GAMMA * size)) / size
    return max(FLOOR, -math.expm1(-math.exp(-at)))
