"""How much more counts vary than chance: the dispersion a of a negative binomial, variance mu + a * mu**2.

By moments: (count - mu)**2 - count is a * mu**2 on average, also where mu is far under 1 and only pairs in one cell
tell anything. Cells are weighted by 1 / (1 + a * mu)**2, so that a few large ones do not decide alone.

The cells that stand out most are left out, because they are what is looked for. Leaving out the largest of *any*
counts makes the rest look too even, so what a fleet without outliers would have lost by it is added again: the
expectation of the upper tail of each cell, in closed form. What was expected is scaled to the counts that are left in
the same way, because one cell that holds half of all cases halves what the others had to expect.

The p is that of the score test (Dean and Lawless, 1989), with the first three moments of the Poisson: with mu far
under 1 the score is a count of pairs, nowhere near normal.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.statistics.tails import FLOOR, negative_binomial_tail

Floats = NDArray[np.float64]
AT_LEAST_OUT = 5
"""Cells left out, if that is not more than a tenth of all: five bad hosts must not look like a restless fleet."""
ROUNDS = 40
CLOSE_ENOUGH = 1e-3
BINS_PER_E = 50
"""Cells whose expectations differ by less than 2 % are taken together where only an average over cells is asked for."""


class Dispersion(NamedTuple):
    """`value` is 0 where the counts are as even as chance makes them; `p` is that of so much by chance alone."""

    value: float
    p: float


class _Model(NamedTuple):
    scale: float
    value: float


def dispersion(counts: ArrayLike, expected: ArrayLike, trimmed: float = 0.001) -> Dispersion:
    """The dispersion of counts around what was expected, without this share of cells, and the p of there being any.

    Cells of which nothing was expected tell nothing. Expectations need to be right only up to a common factor.
    """
    told = np.asarray(expected, np.float64) > 0
    count, mean = np.asarray(counts, np.float64)[told], np.asarray(expected, np.float64)[told]
    cells = len(count)
    out = max(1, int(np.ceil(trimmed * cells)), min(AT_LEAST_OUT, cells // 10))
    if np.count_nonzero(count) <= out or cells < 3:
        return Dispersion(0.0, 1.0)
    mean = mean * (count.sum() / mean.sum())
    null = _Model(1.0, 0.0)
    for _ in range(ROUNDS):
        scale, _ = _refit(null, count, mean, out)
        null, before = _Model(scale, 0.0), null
        if abs(scale - before.scale) < CLOSE_ENOUGH:
            break
    p = _score_p(null, count, mean, out)
    model = null
    for _ in range(ROUNDS):
        model, before = _refit(model, count, mean, out), model
        if abs(model.value - before.value) <= CLOSE_ENOUGH * (model.value + CLOSE_ENOUGH):
            break
    return Dispersion(model.value, p)


def _refit(model: _Model, count: Floats, mean: Floats, out: int) -> _Model:
    kept, lost_cases, lost_pairs = _left_out(model, count, mean, out)
    scale = (count[kept].sum() + lost_cases) / mean.sum()
    mu = scale * mean
    weight = 1 / (1 + model.value * mu) ** 2
    excess = (weight * ((count - mu) ** 2 - count))[kept].sum() + lost_pairs
    return _Model(scale, max(0.0, float(excess / (weight * mu**2).sum())))


def _score_p(null: _Model, count: Floats, mean: Floats, out: int) -> float:
    kept, _, lost = _left_out(null, count, mean, out)
    mu = null.scale * mean
    score = ((count - mu) ** 2 - count)[kept].sum() + lost
    variance, third = 2 * (mu**2).sum(), (4 * mu**2 + 8 * mu**3).sum()
    # A gamma with these moments; the score of rare pairs moves in steps of 2, so half a step is taken off.
    shape, size = 4 * variance**3 / third**2, third / (2 * variance)
    at = (score - 1) / size + shape
    return float(np.clip(special.gammaincc(shape, max(at, 0.0)), FLOOR, 1.0))


def _left_out(model: _Model, count: Floats, mean: Floats, out: int) -> tuple[NDArray[np.bool_], float, float]:
    """The cells that stay; the cases and the weighted excess that leaving as many out costs a fleet like the model."""
    mu = model.scale * mean
    p = np.ones_like(mu)
    some = np.flatnonzero(count > mu)
    p[some] = negative_binomial_tail(count[some], mu[some], model.value)
    kept = np.ones(len(mu), bool)
    kept[np.argpartition(p, out - 1)[:out]] = False
    bins, where = np.unique(np.round(np.log(mu) * BINS_PER_E), return_inverse=True)
    cells = np.bincount(where.ravel(), minlength=len(bins)).astype(np.float64)
    typical = np.bincount(where.ravel(), weights=mu, minlength=len(bins)) / cells
    cases, excess = _upper_part(typical, model.value, out / len(mu))
    weight = 1 / (1 + model.value * typical) ** 2
    return kept, float((cells * cases).sum()), float((cells * weight * excess).sum())


def _upper_part(mu: Floats, value: float, share: float) -> tuple[Floats, Floats]:
    """E[X] and E[(X - mu)**2 - X] over the upper `share` of X, exact: a factorial moment shifts the tail."""

    def parts(least: Floats) -> tuple[Floats, Floats, Floats]:
        tail = negative_binomial_tail(least, mu, value)
        once = mu * negative_binomial_tail(least - 1, mu * (1 + value), value / (1 + value))
        twice = mu**2 * (1 + value) * negative_binomial_tail(least - 2, mu * (1 + 2 * value), value / (1 + 2 * value))
        return tail, once, twice

    low, high = np.zeros_like(mu), np.ceil(mu + (np.sqrt(mu + value * mu**2) + 1) / np.sqrt(share))  # Cantelli
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        above = negative_binomial_tail(middle, mu, value) > share
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    beyond, at_least = parts(low + 1), parts(low)
    tie = (share - beyond[0]) / np.maximum(at_least[0] - beyond[0], FLOOR)  # of the cells with exactly `low`
    tail, once, twice = (b + tie * (a - b) for a, b in zip(at_least, beyond, strict=True))
    return once, twice - 2 * mu * once + mu**2 * tail
