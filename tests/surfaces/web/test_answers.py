"""An answer is made once, kept while there is room, and told again as it was."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.surfaces.web.answers import OVERHEAD, Answers


def test_equal_questions_at_a_time_are_worked_out_once() -> None:
    answers, made = Answers(), []
    begun = threading.Event()

    def slow() -> bytes:
        made.append(1)
        begun.wait(5)
        time.sleep(0.05)
        return b"the answer"

    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(answers.of, ("same",), "text", slow) for _ in range(8)]
        begun.set()
        assert {one.result().plain() for one in found} == {b"the answer"}
    assert len(made) == 1


def test_what_fails_is_not_kept_and_stops_no_other() -> None:
    answers, tries = Answers(), []

    def fails_first() -> bytes:
        tries.append(1)
        time.sleep(0.02)
        if len(tries) == 1:
            raise ValueError("the first time")
        return b"well"

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(answers.of, ("same",), "text", fails_first) for _ in range(4)]
        failed = [one for one in found if one.exception() is not None]
        assert len(failed) == 1
        assert {one.result().plain() for one in found if one not in failed} == {b"well"}


def test_a_different_question_is_another_answer() -> None:
    answers = Answers()
    assert answers.of((1, "/a"), "text", lambda: b"one").tag != answers.of((2, "/a"), "text", lambda: b"two").tag


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3000)), max_size=80), st.integers(OVERHEAD, 20_000))
def test_never_more_is_kept_than_there_is_room_for(questions: list[tuple[int, int]], room: int) -> None:
    answers = Answers(room)
    for name, size in questions:
        body = bytes((name * 7 + at * at) % 251 for at in range(size))
        assert answers.of((name, size), "text", lambda body=body: body).plain() == body
        assert answers.bytes <= room


def test_the_longest_unused_goes_first() -> None:
    answers = Answers(3 * (OVERHEAD + 40))
    for name in "abc":
        answers.of((name,), "text", name.encode)
    answers.of(("a",), "text", lambda: b"made anew")
    answers.of(("d",), "text", b"d".upper)
    with pytest.raises(ZeroDivisionError):
        answers.of(("b",), "text", lambda: bytes(1 // 0))
    assert answers.of(("a",), "text", lambda: b"made anew").plain() == b"a"
