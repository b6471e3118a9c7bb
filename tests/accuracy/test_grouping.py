"""A fifth of the lab's bugs: what `python -m tests.accuracy.grouping` measures on all of them (docs/grouping.md)."""

import pytest

from tests.accuracy.grouping import Crash, agreement, few, fitted, scores, unmistakable


@pytest.fixture(scope="module")
def given() -> list[Crash]:
    return few()


def test_syndromes_find_most_pairs_of_one_bug_and_few_of_two(given: list[Crash]) -> None:
    found = {one.way: one for one in scores(given, unmistakable(given))}
    ours, control = found["syndromes"], found["top 3 frames"]
    assert ours.precision >= 0.9
    assert ours.recall >= 0.7
    assert control.recall < ours.recall
    assert control.precision < ours.precision


def test_the_order_of_arrival_hardly_matters(given: list[Crash]) -> None:
    assert agreement(given, 3, 1854, chunks=1)[0] == 1.0
    assert agreement(given, 3, 1854)[0] >= 0.9


def test_more_alike_means_more_probably_one_cause(given: list[Crash]) -> None:
    blocks = fitted(given)
    shares = [block.same / block.pairs for block in blocks]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    assert shares[0] < 0.1
