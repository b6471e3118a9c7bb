"""Evidence that may be looked at every day, without correction for having looked.

An e-value is a bet: 1 at the beginning, and on average never more if the cell is as all others, however long it is
watched. Once it reaches N / alpha, one of N cells stands out with an error of at most alpha over all time (Ville).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
RATIOS = (2.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""The rate ratios that are bet on, in equal parts: from a hot tenant to a host that makes all crashes of a fleet."""
LARGEST = 1e300


def e_values(counts: ArrayLike, expected: ArrayLike, ratios: ArrayLike = RATIOS) -> Floats:
    """The e-value of each cell: the mean over `ratios` of ratio**count * exp(-(ratio - 1) * expected)."""
    told = np.asarray(ratios, np.float64)
    seen, mean = (np.asarray(a, np.float64)[..., None] for a in (counts, expected))
    log_bets = seen * np.log(told) - (told - 1) * mean
    log_e: Floats = special.logsumexp(log_bets, axis=-1) - np.log(len(told))
    return np.exp(np.minimum(log_e, np.log(LARGEST)))
