"""Rates of many places, pulled to the mean where little was seen: a gamma prior by moments (Clayton, Kaldor 1987).

A street of one host with one crash has the highest rate of a map by chance. How far the true rates differ is what the
counts vary beyond Poisson; where they do not, every place has the mean.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def shrunken(counts: ArrayLike, at_risk: ArrayLike) -> Floats:
    """The rate of each place; NaN where nothing was at risk."""
    k, t = np.asarray(counts, np.float64), np.asarray(at_risk, np.float64)
    known = t > 0
    rates = np.full(len(k), np.nan)
    if not known.any():
        return rates
    k, t = k[known], t[known]
    mean = k.sum() / t.sum()
    between = float(((k - mean * t) ** 2 - mean * t).sum() / (t**2).sum())
    if between <= 0 or mean == 0:
        rates[known] = mean
        return rates
    shape, scale = mean**2 / between, mean / between
    rates[known] = (k + shape) / (t + scale)
    return rates
