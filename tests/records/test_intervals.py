"""The rules about intervals, held against every pair of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.records.intervals import LATEST, ends, overlaps

INTERVALS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 12), st.one_of(st.integers(1, 6), st.none())),
    max_size=14,
)
Interval = tuple[int, int, int | None]


def arrays(rows: list[Interval]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    end = [LATEST if length is None else start + length for _, start, length in rows]
    group = [group for group, *_ in rows]
    start = [start for _, start, _ in rows]
    return np.array(group, np.int64), np.array(start, np.int64), np.array(end, np.int64)


def pairs_that_overlap(rows: list[Interval]) -> set[frozenset[int]]:
    group, start, end = arrays(rows)
    return {
        frozenset((one, other))
        for one in range(len(rows))
        for other in range(one)
        if group[one] == group[other] and start[one] < end[other] and start[other] < end[one]
    }


@given(INTERVALS)
def test_a_pair_is_named_only_if_it_overlaps(rows: list[Interval]) -> None:
    found = {frozenset(pair) for pair in zip(*overlaps(*arrays(rows)), strict=True)}
    assert found <= pairs_that_overlap(rows)


@given(INTERVALS)
def test_every_row_but_the_first_of_those_that_overlap_is_named(rows: list[Interval]) -> None:
    late = {int(index) for index in overlaps(*arrays(rows))[0]}
    expected = pairs_that_overlap(rows)
    assert all(pair & late for pair in expected)
    assert len(late) >= bool(expected)


@given(INTERVALS)
def test_an_open_row_ends_where_the_next_of_its_group_begins(rows: list[Interval]) -> None:
    group, start, end = arrays(rows)
    for index, found in enumerate(ends(group, start, end)):
        later = [s for g, s in zip(group, start, strict=True) if g == group[index] and s > start[index]]
        alone = np.sum((group == group[index]) & (start == start[index])) == 1
        if end[index] != LATEST:
            assert found == end[index]
        elif alone:
            assert found == min(later, default=LATEST)


def test_an_end_is_exclusive() -> None:
    assert [len(side) for side in overlaps(*arrays([(1, 0, 5), (1, 5, 2)]))] == [0, 0]


def test_the_row_that_reaches_farthest_is_the_one_named() -> None:
    late, early = overlaps(*arrays([(1, 0, 6), (1, 1, 1), (1, 3, 1)]))
    assert list(zip(late.tolist(), early.tolist(), strict=True)) == [(1, 0), (2, 0)]
