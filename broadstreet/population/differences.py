"""What tells two populations apart: each value that cases may have, asked of both.

Every value of every column is one question, answered by Fisher's exact test of who has it and who has not; cases in
which the column is not known are left out of its questions, so their totals differ. All questions that were asked are
one family. Where a column has two values, each case that lacks the one has the other: that is one question.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from broadstreet.records.outbreak import Test
from broadstreet.records.weights import Interval
from broadstreet.statistics.discoveries import q_values
from broadstreet.statistics.intervals import share_interval
from broadstreet.statistics.tables import fisher

DISCOVERED = 0.01
"""The share of false ones that is accepted among differences, as among outbreaks (families.ERROR)."""
PLAIN = ("true", "yes")
"""Of a pair of values that say the same, the one that is told."""


@dataclass(frozen=True)
class Counted:
    """Of `known_a` cases of the first population `a` have a value of a column; and so of the second, `b`."""

    column: str
    value: str
    a: int
    known_a: int
    b: int
    known_b: int


@dataclass(frozen=True)
class Difference:
    """A value with its share in each population, each with its interval, and the test whether it is the same share."""

    of: Counted
    share_a: Interval
    share_b: Interval
    test: Test

    @property
    def apart(self) -> float:
        """How far the shares are apart, 0 to 1."""
        return abs(self.share_a.value - self.share_b.value)


def differences(counted: Sequence[Counted], not_told: int = 0) -> tuple[Difference, ...]:
    """Every question with its answer, the surest first, of equally sure ones the widest.

    What is known of one population only is no question. The values of one column stand together. `not_told` values
    were asked as well, and are so rare that they are left out: they count as questions without an answer.
    """
    asked = [one for one in _once(counted) if one.known_a and one.known_b]
    if not asked:
        return ()
    a, known_a, b, known_b = (
        np.array([getattr(one, name) for one in asked]) for name in ("a", "known_a", "b", "known_b")
    )
    p = fisher(a, known_a - a, b, known_b - b).two_sided
    family = len(asked) + not_told
    q = q_values(p, family)
    found = [
        Difference(
            one,
            _share(one.a, one.known_a),
            _share(one.b, one.known_b),
            Test("tables.fisher", _arguments(one), float(p[at]), float(q[at]), "differences", family),
        )
        for at, one in enumerate(asked)
    ]
    return tuple(sorted(found, key=lambda one: (one.test.p, -one.apart, one.of.column, one.of.value)))


def discovered(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """Those that are told: of these so many (`DISCOVERED`) are false on average."""
    return tuple(one for one in found if one.test.q is not None and one.test.q <= DISCOVERED)


def _once(counted: Sequence[Counted]) -> Iterator[Counted]:
    """Each question once: of two values that part the same cases, the plainer, else the commoner one."""
    for _, group in groupby(counted, key=lambda one: one.column):
        values = list(group)
        if len(values) == 2 and _opposite(*values):
            yield max(values, key=lambda one: (one.value.lower() in PLAIN, one.a + one.b))
        else:
            yield from values


def _opposite(one: Counted, other: Counted) -> bool:
    same = (one.known_a, one.known_b) == (other.known_a, other.known_b)
    return same and one.a + other.a == one.known_a and one.b + other.b == one.known_b


def _share(held: int, known: int) -> Interval:
    low, high = share_interval(held, known)
    return Interval(held / known, float(low), float(high))


def _arguments(one: Counted) -> dict[str, float | tuple[float, ...]]:
    return {"a": one.a, "b": one.known_a - one.a, "c": one.b, "d": one.known_b - one.b}
