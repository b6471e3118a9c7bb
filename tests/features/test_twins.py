"""Twins of a wrong value among the words of a machine by hand."""

from collections.abc import Mapping

from broadstreet.features import twins
from broadstreet.reading.machine_state import MachineState
from tests import synth
from tests.features.machines import CALLERS, INSIDE, OBJECT, STACK, Machine, core, inside, unmapped
from tests.features.read_back import reading

WRONG = OBJECT ^ 1 << 24


def state(words: Mapping[int, int] | None = None, **registers: int) -> MachineState:
    machine = Machine("", unmapped(WRONG), inside("load", **registers), {**CALLERS, **(words or {})})
    found = reading(synth.core_dump(core(machine))).state
    assert found is not None
    return found


def test_a_value_stands_in_another_register_or_on_the_stack() -> None:
    assert twins.stands(state(rbx=OBJECT), OBJECT, "rax")
    assert twins.stands(state({INSIDE + 8: OBJECT}), OBJECT, "rax")


def test_a_value_does_not_stand_in_its_own_register() -> None:
    assert not twins.stands(state(rax=OBJECT), OBJECT, "rax")


def test_a_pointer_within_512_bytes_is_near() -> None:
    assert [twins.near(state(rbx=OBJECT + far), OBJECT, "rax") for far in (512, -512, 513)] == [True, True, False]


def test_a_pair_tells_of_what_was_computed_from_it() -> None:
    pair = {INSIDE: WRONG + 0x400, INSIDE + 8: OBJECT + 0x400}
    assert twins.paired(state(pair), WRONG, 24, "rax")
    assert not twins.paired(state(pair), WRONG, 25, "rax")
    assert not twins.paired(state({INSIDE: WRONG + 0x400}), WRONG, 24, "rax")


def test_a_pointer_with_many_twins_is_turned() -> None:
    wrong, twin = STACK + 0x200, STACK + 0x1200
    many, few = ({INSIDE + 8 * at: twin for at in range(count)} for count in (3, 2))
    assert twins.turned(state(many), wrong, False) == 12
    assert twins.turned(state(few), wrong, False) is None


def test_twins_that_are_less_than_a_page_away_say_nothing() -> None:
    many = {INSIDE + at: OBJECT for at in (0, 8, 16)}
    assert twins.turned(state(many), OBJECT + 8, False) is None


def test_a_crooked_pointer_needs_one_twin() -> None:
    there = state({INSIDE + 8: OBJECT})
    assert twins.turned(there, OBJECT + 2, True) == 1
    assert twins.turned(there, OBJECT + 2, False) is None
    assert twins.turned(there, OBJECT + 8, True) is None
