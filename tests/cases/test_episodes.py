"""Crash loops: one vote for a chain of crashes."""

import numpy as np

from broadstreet.cases.episodes import episodes

NAN = float("nan")


def votes(*crashes: tuple[int, int, float]) -> list[bool]:
    host, trace, time = zip(*crashes, strict=True)
    return episodes(np.array(host, np.int32), np.array(trace, np.int32), np.array(time, float)).tolist()


def test_the_same_trace_on_the_same_host_within_half_an_hour_is_one_vote() -> None:
    assert votes((0, 0, 0), (0, 0, 1800), (0, 0, 3601)) == [True, False, True]


def test_a_chain_of_crashes_is_one_vote_however_long_it_is() -> None:
    assert sum(votes(*((0, 0, 1700.0 * n) for n in range(100)))) == 1


def test_another_host_or_another_trace_is_another_vote() -> None:
    assert votes((0, 0, 0), (1, 0, 1), (0, 1, 2), (0, 0, 3)) == [True, True, True, False]


def test_the_order_of_the_crashes_does_not_matter() -> None:
    assert votes((0, 0, 100), (0, 0, 0)) == [False, True]


def test_what_cannot_be_compared_is_a_vote_of_its_own() -> None:
    assert votes((-1, 0, 0), (-1, 0, 1), (0, -1, 0), (0, -1, 1), (0, 0, NAN), (0, 0, NAN)) == [True] * 6


def test_of_two_crashes_at_one_moment_the_first_listed_votes() -> None:
    assert votes((0, 0, 5), (0, 0, 5)) == [True, False]


def test_no_crashes_are_no_votes() -> None:
    nothing = np.array([], np.int32)
    assert episodes(nothing, nothing, np.array([], float)).tolist() == []
