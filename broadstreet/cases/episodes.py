"""Episodes: a process that crashes, is started again and crashes again has crashed once.

The same trace on the same host within half an hour of the last time is the same episode, however long the chain is. An
episode is one vote: a crash loop of 200 says no more of its cause than its first crash does. What cannot be compared,
for host, trace or time is not known, is an episode of its own.
"""

import numpy as np
from numpy.typing import NDArray

GAP_SECONDS = 1800.0


def episodes(
    host: NDArray[np.int32], trace: NDArray[np.int32], time: NDArray[np.float64], gap: float = GAP_SECONDS
) -> NDArray[np.bool_]:
    """Which crashes are the first of an episode. Codes of -1 and times of NaN are not known; times are in seconds."""
    known = (host >= 0) & (trace >= 0) & ~np.isnan(time)
    votes = ~known
    at = np.flatnonzero(known)
    order = at[np.lexsort((at, time[at], trace[at], host[at]))]
    before, after = order[:-1], order[1:]
    loops = (host[before] == host[after]) & (trace[before] == trace[after]) & (time[after] - time[before] <= gap)
    votes[order] = True
    votes[after[loops]] = False
    return votes
