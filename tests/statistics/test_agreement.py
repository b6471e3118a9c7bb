"""Agreement of groupings against all pairs counted one by one."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.statistics.agreement import adjusted_rand, pairwise

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30)


@given(LABELS)
def test_precision_and_recall_are_those_of_all_pairs(labels: list[tuple[int, int]]) -> None:
    pairs = list(combinations(labels, 2))
    found = [one[0] == other[0] for one, other in pairs]
    truth = [one[1] == other[1] for one, other in pairs]
    both = sum(f and t for f, t in zip(found, truth, strict=True))
    told = pairwise([one for one, _ in labels], [one for _, one in labels])
    assert told.precision == (pytest.approx(both / sum(found)) if any(found) else None)
    assert told.recall == (pytest.approx(both / sum(truth)) if any(truth) else None)


def test_the_index_of_a_known_example() -> None:
    # Hubert and Arabie's formula by hand: pairs 2 and 3 of 6 cells ... 2 both, 7 and 6 of 15.
    first, second = [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]
    both, one, other, of = 2, 6, 3, 15
    expected = one * other / of
    assert adjusted_rand(first, second) == pytest.approx((both - expected) / ((one + other) / 2 - expected))


def test_other_names_for_the_same_groups_agree_wholly() -> None:
    assert adjusted_rand(["a", "b", "a", "c"], [7, 1, 7, 2]) == 1
    assert adjusted_rand([1, 1, 1], [2, 2, 2]) == 1


def test_unrelated_groupings_have_an_index_around_zero() -> None:
    generator = np.random.default_rng(3)
    assert abs(adjusted_rand(generator.integers(0, 50, 20000), generator.integers(0, 50, 20000))) < 0.002


def test_groupings_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="3 labels against 2"):
        pairwise([1, 2, 3], [1, 2])
