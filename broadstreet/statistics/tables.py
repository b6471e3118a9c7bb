"""Two things that a case shows or does not, or has or has not: do they go together? Fisher's exact test.

Tails are summed as products of neighbouring probabilities, outward from the observed table, for all tables at once; a
lower tail is taken where that is the smaller.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from broadstreet.statistics.tails import FLOOR

Floats = NDArray[np.float64]
SAME = 1e-7
"""Tables this much likelier than the observed one still count as no likelier (as in R and scipy)."""
NEGLIGIBLE = 1e-17
"""Of a sum: a further term under this does not change it."""


class Fisher(NamedTuple):
    """`greater`: p of so many together or more. `two_sided`: p of all tables that are no likelier."""

    greater: Floats
    two_sided: Floats


class Margins(NamedTuple):
    """Of `total` cases, how many have the one thing and how many the other."""

    row: ArrayLike
    column: ArrayLike
    total: ArrayLike


def fisher(a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike) -> Fisher:
    """Exact p of 2 x 2 tables: a with both things, b with the row's only, c with the column's only, d with neither."""
    parts = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (a, b, c, d)))
    both, row_only, column_only, neither = (part.ravel() for part in parts)
    row, column, total = both + row_only, both + column_only, both + row_only + column_only + neither
    upper = _tail(both, row, column, total)
    lower = _tail(row_only, row, total - column, total)  # so few together is so many apart
    limit = _log_p(both, row, column, total) + np.log1p(SAME)
    on_top = both >= np.floor((row + 1) * (column + 1) / (total + 2))  # the likeliest table
    other = np.where(
        on_top,
        _opposite(row_only, row, total - column, total, limit),
        _opposite(both, row, column, total, limit),
    )
    shape = parts[0].shape
    two_sided = np.where(on_top, upper, lower) + other
    return Fisher(_told(upper).reshape(shape), _told(two_sided).reshape(shape))


def smallest_p(margins: Margins) -> Floats:
    """The smallest one-sided p that any table with these margins has.

    A question whose smallest p is over the level that is asked for cannot be answered, and need not be asked (Tarone).
    """
    row, column, total = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in margins))
    return _told(np.exp(_log_p(np.minimum(row, column), row, column, total)))


def _tail(least: Floats, row: Floats, column: Floats, total: Floats) -> Floats:
    """P(X >= least), X hypergeometric."""
    low, high = np.maximum(0, row + column - total), np.minimum(row, column)
    up = least > row * column / np.maximum(total, 1)
    start = np.where(up, least, least - 1)
    valid = (start >= low) & (start <= high)
    part = np.zeros_like(least)
    for side, step in ((up, 1), (~up, -1)):
        at = np.flatnonzero(side & valid)
        part[at] = _sum_outward(start[at], step, row[at], column[at], total[at])
    return np.where(up, part, 1 - part)


def _sum_outward(start: Floats, step: int, row: Floats, column: Floats, total: Floats) -> Floats:
    first = np.exp(_log_p(start, row, column, total))
    sums, term, k = np.ones_like(start), np.ones_like(start), start.copy()
    at = np.arange(len(start))
    while len(at):
        r, c, n, here = row[at], column[at], total[at], k[at]
        if step > 0:
            ratio = (r - here) * (c - here) / ((here + 1) * (n - r - c + here + 1))
        else:
            ratio = here * (n - r - c + here) / ((r - here + 1) * (c - here + 1))
        term[at] *= np.maximum(ratio, 0)
        sums[at] += term[at]
        k[at] += step
        at = at[term[at] > NEGLIGIBLE * sums[at]]
    return first * sums


def _opposite(seen: Floats, row: Floats, column: Floats, total: Floats, limit: Floats) -> Floats:
    """P of the values over `seen`, beyond the likeliest, that are no likelier than `limit`."""
    most = np.minimum(row, column)
    near, far = seen.copy(), most + 1
    while np.any(far - near > 1):
        middle = np.floor((near + far) / 2)
        unlikely = _log_p(middle, row, column, total) <= limit
        wide = far - near > 1
        far, near = np.where(wide & unlikely, middle, far), np.where(wide & ~unlikely, middle, near)
    tail = np.zeros_like(seen)
    at = np.flatnonzero(far <= most)
    tail[at] = _sum_outward(far[at], 1, row[at], column[at], total[at])
    return tail


def _log_p(k: Floats, row: Floats, column: Floats, total: Floats) -> Floats:
    def choose(n: Floats, of: Floats) -> Floats:
        inside = np.clip(of, 0, n)
        return np.asarray(special.gammaln(n + 1) - special.gammaln(inside + 1) - special.gammaln(n - inside + 1))

    return choose(row, k) + choose(total - row, column - k) - choose(total, column)


def _told(p: Floats) -> Floats:
    return np.clip(p, FLOOR, 1.0)
