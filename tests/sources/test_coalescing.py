"""Requests that cover what is wanted, and no more of them than pay."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from broadstreet.sources.coalescing import coalesced, missing

KIB = 1 << 10
SPANS = st.lists(
    st.tuples(st.integers(0, 3 << 20), st.integers(0, 100_000)).map(lambda one: (one[0], one[0] + one[1])), max_size=12
)


def test_near_ranges_are_one_request_and_far_ones_are_two() -> None:
    assert coalesced([(0, 10), (60 * KIB, 61 * KIB)], 0) == [(0, 61 * KIB)]
    assert coalesced([(0, 10), (500 * KIB, 501 * KIB)], 0) == [(0, 10), (500 * KIB, 501 * KIB)]


def test_of_more_than_two_the_smallest_gap_is_closed_as_far_as_the_bytes_go() -> None:
    spans = [(0, 10), (80 * KIB, 81 * KIB), (200 * KIB, 201 * KIB)]
    assert coalesced(spans, 64 * KIB) == [(0, 81 * KIB), (200 * KIB, 201 * KIB)]
    assert coalesced(spans, 250 * KIB) == spans


def test_empty_ranges_cost_nothing() -> None:
    assert coalesced([(5, 5), (9, 3)], 0) == []


@given(SPANS, st.integers(0, 300 * KIB))
def test_what_is_wanted_is_covered_by_ranges_apart_in_order(spans: list[tuple[int, int]], spent: int) -> None:
    asked = coalesced(spans, spent)
    assert all(missing(span, asked) == [] for span in spans)
    assert all(before[1] < after[0] for before, after in pairwise(asked))
    assert all(any(start == span[0] for span in spans) for start, _ in asked)
    assert all(any(end == span[1] for span in spans) for _, end in asked)


@given(SPANS, st.tuples(st.integers(0, 1000), st.integers(0, 1000)))
def test_what_is_missing_and_what_is_held_make_up_what_is_wanted(
    held: list[tuple[int, int]], wanted: tuple[int, int]
) -> None:
    small = [(start % 1000, start % 1000 + end % 300) for start, end in held]
    byte_by_byte = {at for at in range(*wanted) if not any(low <= at < high for low, high in small)}
    assert {at for gap in missing(wanted, small) for at in range(*gap)} == byte_by_byte
