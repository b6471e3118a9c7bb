"""Traces into syndromes, in the order of time."""

from collections.abc import Sequence
from random import Random

import pytest

from broadstreet.cases.assignment import Assignment, Split, assigned
from broadstreet.cases.calibration import calibration
from broadstreet.cases.frame_rules import own_rules
from broadstreet.cases.trace_key import key_of
from broadstreet.statistics.agreement import adjusted_rand

DRAIN = ("drain", "serve", "main")
ADMIT = ("admit", "drain", "serve", "main")
BROKEN = ("cfree", "~admit")
ASSERTED = ("gsignal", "abort", "__assert_fail", "drain", "serve", "main")
OTHER = ("parse", "read_request", "main")
Stack = tuple[str, ...]


def decided(
    stacks: Sequence[Stack],
    before: dict[str, str] | None = None,
    into: dict[str, str] | None = None,
    splits: Sequence[Split] = (),
) -> list[Assignment]:
    traces = [(key_of(stack), stack) for stack in stacks]
    return assigned(traces, before or {}, own_rules(), calibration(), into, splits)[0]


def names(*stacks: Stack) -> list[str]:
    return [one.syndrome for one in decided(stacks)]


def test_the_first_trace_founds_a_syndrome_named_by_its_key() -> None:
    (one,) = decided([DRAIN])
    assert one.syndrome == f"S-{key_of(DRAIN)[:8]}"
    assert (one.outcome, one.similarity, one.rival) == ("new", None, None)


def test_a_callee_more_is_the_same_syndrome_in_either_order() -> None:
    for first, second in ((DRAIN, ADMIT), (ADMIT, DRAIN)):
        assert names(first, second) == [f"S-{key_of(first)[:8]}"] * 2


def test_a_broken_stack_joins_by_what_had_just_returned() -> None:
    freed = [("cfree", f"owner_{n}", f"user_{n}") for n in range(40)]
    assert len(set(names(ADMIT, BROKEN, *freed)[:2])) == 1


def test_an_assertion_in_the_same_function_is_another_syndrome() -> None:
    assert len(set(names(DRAIN, ASSERTED))) == 2


def test_a_trace_that_is_like_two_makes_them_one_under_the_elder_s_name() -> None:
    apart, bridge = (("admit", "drain", "serve"), ("reserve", "drain", "serve")), ("drain", "serve")
    assert len(set(names(*apart))) == 2
    assert set(names(*apart, bridge)) == {f"S-{key_of(apart[0])[:8]}"}


def test_a_kept_syndrome_that_is_merged_keeps_its_name_as_another_name() -> None:
    first, second, bridge = ("admit", "drain", "serve"), ("reserve", "drain", "serve"), ("drain", "serve")
    before = {key_of(first): "S-1", key_of(second): "S-2"}
    traces = [(key_of(stack), stack) for stack in (first, second, bridge)]
    found, merges = assigned(traces, before, own_rules(), calibration())
    assert [(one.trace, one.syndrome) for one in found] == [(key_of(bridge), "S-1")]
    assert [(one.syndrome, one.into, one.trace) for one in merges] == [("S-2", "S-1", key_of(bridge))]


def test_what_a_person_split_no_trace_makes_one_again() -> None:
    first, second, bridge = ("admit", "drain", "serve"), ("reserve", "drain", "serve"), ("drain", "serve")
    before = {key_of(first): "S-1", key_of(second): "S-2"}
    traces = [(key_of(stack), stack) for stack in (first, second, bridge)]
    found, merges = assigned(traces, before, own_rules(), calibration(), {}, [Split("S-1", "S-2", None)])
    assert merges == []
    assert found[0].syndrome in ("S-1", "S-2")


def test_a_split_by_a_frame_holds_for_traces_that_come_later() -> None:
    before = {key_of(DRAIN): "S-1"}
    split = [Split("S-1", "S-2", "admit")]
    later = decided([DRAIN, ADMIT, ("drain", "accept", "serve")], before, {}, split)
    assert [one.syndrome for one in later] == ["S-2", "S-1"]


def test_what_was_decided_before_is_not_decided_again() -> None:
    assert decided([DRAIN], {key_of(DRAIN): "S-kept"}) == []
    assert [one.syndrome for one in decided([DRAIN, ADMIT], {key_of(DRAIN): "S-kept"})] == ["S-kept"]


def test_a_name_that_another_syndrome_went_by_is_not_given_again() -> None:
    gone = f"S-{key_of(DRAIN)[:8]}"
    (one,) = decided([DRAIN], {}, {gone: "S-1"})
    assert one.syndrome == f"S-{key_of(DRAIN)[:12]}"


def test_traces_that_tell_nothing_are_like_their_equals_only() -> None:
    assert len(set(names(("main", "_start"), ("main", "__libc_start_main", "_start")))) == 2


def test_a_near_syndrome_that_is_refused_is_the_rival() -> None:
    helped = [("set_flags", f"bug_{n}", f"case_{n}") for n in range(3)]
    found = decided([DRAIN, *helped])
    assert found[2].rival == found[1].syndrome
    assert found[2].margin is not None
    assert found[2].margin < 0


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_arrival_changes_no_syndrome(seed: int) -> None:
    chance = Random(seed)
    stacks = [
        tuple([f"leaf_{chance.randrange(3)}"] * chance.randrange(2) + [f"site_{bug}", f"caller_{bug % 7}", "loop"])
        for bug in range(40)
        for _ in range(4)
    ]
    distinct = sorted(set(stacks))
    groups = []
    for _ in range(2):
        chance.shuffle(distinct)
        of = dict(zip(distinct, names(*distinct), strict=True))
        groups.append([of[stack] for stack in sorted(of)])
    assert adjusted_rand(*groups) == 1.0
