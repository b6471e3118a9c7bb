"""How far two groupings of the same things agree, counted over pairs by the sizes of the groups and their overlaps."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Pairs(NamedTuple):
    """Of pairs that `found` puts together, the share that is together in truth; and the other way round.

    Null where there is no such pair.
    """

    precision: float | None
    recall: float | None


def adjusted_rand(first: ArrayLike, second: ArrayLike) -> float:
    """The adjusted Rand index: 1 for the same groups under other names, about 0 for unrelated ones."""
    both, one, other, of = _pair_counts(first, second)
    expected = one * other / of if of else 0.0
    most = (one + other) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def pairwise(found: ArrayLike, truth: ArrayLike) -> Pairs:
    """Precision and recall of a grouping over all pairs."""
    both, one, other, _ = _pair_counts(found, truth)
    return Pairs(both / one if one else None, both / other if other else None)


def _pair_counts(first: ArrayLike, second: ArrayLike) -> tuple[float, float, float, float]:
    codes = [np.unique(np.asarray(labels), return_inverse=True)[1].ravel() for labels in (first, second)]
    if len(codes[0]) != len(codes[1]):
        raise ValueError(f"{len(codes[0])} labels against {len(codes[1])}")
    joint = codes[0].astype(np.int64) * (int(codes[1].max(initial=0)) + 1) + codes[1]
    cells = np.unique(joint, return_counts=True)[1]
    sizes = cells, np.bincount(codes[0]), np.bincount(codes[1]), np.asarray([len(joint)])
    both, one, other, of = (_pairs(counts) for counts in sizes)
    return both, one, other, of


def _pairs(counts: NDArray[np.int64]) -> float:
    held = counts.astype(np.float64)
    return float((held * (held - 1)).sum() / 2)
