"""Many stacks merged into one."""

from broadstreet.cases.merged_stack import Stack, merged
from broadstreet.records.frame import Trust


def stack(cases: int, *frames: tuple[str, Trust]) -> Stack:
    return Stack(cases, tuple((name, "app", trust) for name, trust in frames))


TWO = (
    stack(3, ("reserve", "register"), ("run", "unwind_table"), ("main", "unwind_table")),
    stack(1, ("append", "register"), ("inner", "stack_scan"), ("run", "stack_scan"), ("main", "unwind_table")),
)


def test_frames_are_in_the_order_in_which_they_lie_and_counted_in_cases() -> None:
    found = merged(TWO, 10)
    assert [(one.name, one.cases) for one in found.frames] == [
        ("reserve", 3),
        ("append", 1),
        ("run", 4),
        ("inner", 1),
        ("main", 4),
    ]
    assert (found.cases, found.others) == (4, 0)


def test_the_trust_of_a_frame_is_the_one_that_most_cases_have_it_with() -> None:
    run = next(one for one in merged(TWO, 10).frames if one.name == "run")
    assert (run.trust, run.trusted) == ("unwind_table", 3)


def test_what_had_returned_stands_before_the_crash() -> None:
    found = merged([stack(1, ("now", "register"), ("last", "below_sp"), ("earlier", "below_sp"))], 10)
    assert [(one.name, one.returned) for one in found.frames] == [("earlier", True), ("last", True), ("now", False)]


def test_a_recursion_is_one_frame() -> None:
    (walk, end) = merged([stack(2, ("walk", "unwind_table"), ("walk", "unwind_table"), ("end", "register"))], 10).frames
    assert (walk.cases, end.cases) == (2, 2)


def test_what_is_left_out_is_counted() -> None:
    found = merged(TWO, 3)
    assert [one.name for one in found.frames] == ["reserve", "run", "main"]
    assert (found.others, found.others_cases) == (2, 1)
