"""How alike two stacks are, and what the population says of a frame."""

import pytest

from broadstreet.cases.alignment import alignment, similarity, weighed
from broadstreet.cases.calibration import Block, Calibration, calibration, pooled
from broadstreet.cases.frame_rules import own_rules
from broadstreet.cases.relevance import Population, Relevant, relevant

DISPATCHED = [[f"bug_{n}", "run_loop", "main"] for n in range(60)]


def alike(one: list[str], other: list[str], *others: list[str]) -> float:
    stacks = [relevant(frames, own_rules()) for frames in (one, other, *others)]
    population = Population(list(dict.fromkeys(stacks)))
    first, second = (weighed(stack, population) for stack in stacks[:2])
    assert similarity(first, second) == similarity(second, first)
    return similarity(first, second)


def test_equal_stacks_are_as_alike_as_can_be() -> None:
    assert alike(["drain", "serve"], ["drain", "serve"]) > 0.95


def test_stacks_without_a_common_frame_are_not_alike() -> None:
    assert alike(["drain", "serve"], ["admit", "accept"]) == 0.0


def test_a_stack_with_one_more_frame_inside_contains_the_other() -> None:
    assert alike(["drain", "serve"], ["admit", "drain", "serve"]) > 0.85


def test_two_stacks_with_something_telling_each_are_not_alike() -> None:
    assert alike(["null_field", "run_loop"], ["bad_index", "run_loop"], *DISPATCHED) < 0.1


def test_what_only_shares_a_dispatcher_shares_nothing() -> None:
    assert alike(["run_loop", "main"], ["bug_1", "run_loop", "main"], *DISPATCHED) < 0.3


def test_a_helper_of_many_callers_tells_little() -> None:
    helped = [["set_flags", f"bug_{n}", "run_loop"] for n in range(60)]
    assert alike(["set_flags"], ["set_flags", "bug_1", "run_loop"], *helped) < 0.3


def test_an_assertion_is_not_like_a_crash_of_the_same_function() -> None:
    assert alike(["gsignal", "abort", "__assert_fail", "drain", "serve"], ["drain", "serve"]) == 0.0


def test_shared_code_alone_must_be_alike_both_ways() -> None:
    assert alike(["_PyEval_Vector", "PyEval_EvalCode"], ["ffi_call", "_PyEval_Vector", "PyEval_EvalCode"]) < 0.7


def test_what_had_returned_is_not_taken_for_what_is_on_the_stack() -> None:
    there = alike(["on_crash"], ["on_crash", "drain"])
    assert alike(["on_crash"], ["~on_crash", "drain"]) < there * 0.75


def test_the_frames_of_an_alignment_add_up_to_what_is_shared() -> None:
    stacks = [relevant(frames, own_rules()) for frames in (["admit", "drain", "serve"], ["drain", "serve"])]
    first, second = (weighed(stack, Population(stacks)) for stack in stacks)
    found = alignment(first, second)
    assert [frame for frame, _ in found.frames] == ["drain", "serve"]
    assert sum(counts for _, counts in found.frames) == pytest.approx(found.shared)


def test_a_bug_that_left_many_traces_does_not_make_its_frames_tell_less() -> None:
    few = [Relevant(("admit", "drain"), (1.0, 1.0), ""), Relevant(("drain",), (1.0,), "")]
    many = [*few, *(Relevant(("admit", "drain", f"gone_{n}"), (1.0, 1.0, 0.5), "") for n in range(50))]
    assert Population(many).tells["drain"] == pytest.approx(Population(few).tells["drain"])


def test_blocks_are_pooled_until_the_share_never_falls() -> None:
    counts = [Block(0.0, 0.2, 1, 10), Block(0.2, 0.4, 5, 10), Block(0.4, 0.6, 3, 10), Block(0.6, 1.0, 9, 10)]
    assert pooled(counts) == (Block(0.0, 0.2, 1, 10), Block(0.2, 0.6, 8, 20), Block(0.6, 1.0, 9, 10))


def test_a_probability_never_falls_with_similarity_and_runs_straight_between_blocks() -> None:
    shipped = calibration()
    chances = [shipped(n / 200) for n in range(201)]
    assert chances == sorted(chances)
    two = Calibration((Block(0.0, 0.4, 0, 99), Block(0.4, 1.0, 99, 99)))
    assert two(0.45) == pytest.approx((0.005 + 0.995) / 2)
    assert two(1.0) == pytest.approx(0.995)


def test_the_calibration_that_ships_stands_on_hundreds_of_pairs() -> None:
    assert sum(block.pairs for block in calibration().blocks) > 500
