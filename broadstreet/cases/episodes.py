"""Crash loops: the same host, the same trace, within half an hour of the last one, is one episode and has one vote."""

import numpy as np
from numpy.typing import NDArray

GAP_SECONDS = 1800.0


def episodes(
    host: NDArray[np.int32], trace: NDArray[np.int32], time: NDArray[np.float64], gap: float = GAP_SECONDS
) -> NDArray[np.bool_]:
    """Which crashes count: the first of each episode. One whose host, trace or time is not known is its own."""
    votes = np.ones(len(host), bool)
    known = np.flatnonzero((host >= 0) & (trace >= 0) & ~np.isnan(time))
    order = known[np.lexsort((time[known], trace[known], host[known]))]
    before, after = order[:-1], order[1:]
    again = (host[before] == host[after]) & (trace[before] == trace[after]) & (time[after] - time[before] <= gap)
    votes[after[again]] = False
    return votes
