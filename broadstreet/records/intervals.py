"""Which rows of a group hold at the same time. An interval holds its start and not its end.

Sorted by start, two rows of a group overlap somewhere if and only if two neighbours do. So a table without a fault
costs one sort, and only one with a fault is looked at again for all its pairs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
EARLIEST, LATEST = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)  # of rows with no start, no end


class Overlaps(NamedTuple):
    """Each row that begins before an earlier one of its group ends; beside it that of the earlier which ends last."""

    late: Numbers
    early: Numbers


def overlaps(group: Numbers, start: Numbers, end: Numbers) -> Overlaps:
    """The rows of a group that hold at the same time."""
    order = np.lexsort((end, start, group))
    group, start, end = group[order], start[order], end[order]
    none = np.zeros(0, np.int64)
    if not np.any((group[1:] == group[:-1]) & (start[1:] < end[:-1])):
        return Overlaps(none, none)
    _, rank = np.unique(end, return_inverse=True)
    reach = _dense(group) * (len(end) + 1) + rank
    farthest = np.maximum.accumulate(reach)
    holder = np.maximum.accumulate(np.where(reach == farthest, np.arange(len(reach)), 0))[:-1]
    late = np.flatnonzero((group[1:] == group[holder]) & (start[1:] < end[holder]))
    return Overlaps(order[late + 1], order[holder[late]])


def ends(group: Numbers, start: Numbers, end: Numbers) -> Numbers:
    """The ends of the rows, where an open one ends as the next of its group begins."""
    order = np.lexsort((end, start, group))
    follows = group[order][1:] == group[order][:-1]
    is_open = end[order][:-1] == LATEST
    later = start[order][1:] > start[order][:-1]
    closed = np.flatnonzero(follows & is_open & later)
    result = end.copy()
    result[order[closed]] = start[order[closed + 1]]
    return result


def _dense(group: Numbers) -> Numbers:
    steps = np.ones(len(group), np.int64)
    steps[1:] = group[1:] != group[:-1]
    return np.cumsum(steps)
