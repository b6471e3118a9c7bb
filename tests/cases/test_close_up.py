"""The near view: the words around the stack pointer and the last instructions, each checked by hand."""

from dataclasses import replace

import pytest

from broadstreet.cases.close_up import CloseUp, StackWord, close_up
from tests import synth
from tests.features.machines import (
    CALLERS,
    CONSTANT,
    INSIDE,
    LIBC,
    MACHINES,
    NOWHERE,
    OBJECT,
    Machine,
    core,
    walker,
)
from tests.features.read_back import dump, reading

NULL = "null pointer with a small offset"


def near(data: bytes, binaries: bool = True) -> CloseUp:
    state = reading(data, binaries).state
    assert state is not None
    return close_up(state)


def words(data: bytes, binaries: bool = True) -> dict[int, StackWord]:
    return {word.offset: word for word in near(data, binaries).words}


def with_words() -> Machine:
    laid = {
        INSIDE - 0x10: walker.after("inner", "call *rax"),
        INSIDE: OBJECT,
        INSIDE + 0x8: INSIDE + 0x40,
        INSIDE + 0x10: NOWHERE,
        INSIDE + 0x20: CONSTANT,
        INSIDE + 0x28: walker.at("inner", "store"),
        INSIDE + 0x30: INSIDE - 0x80,
        INSIDE + 0x50: LIBC + 0x3000,
    }
    return replace(MACHINES[NULL], words={**CALLERS, **laid})


@pytest.mark.parametrize(
    ("offset", "meaning"),
    [
        (-0x10, "return address into inner + 0x1f of walker"),
        (0, "data"),
        (0x8, "stack, sp+0x40"),
        (0x10, ""),
        (0x18, "return address into outer + 0x9 of walker; returns to frame 1"),
        (0x20, "data of walker"),
        (0x28, "code of inner + 0x7 of walker"),
        (0x30, "stack, sp−0x80"),
        (0x38, "return address into main + 0x9 of walker; returns to frame 2"),
        (0x40, ""),
        (0x48, "return address into _start + 0x7 of walker; returns to frame 3"),
        (0x50, "data of libc.so.6"),
    ],
)
def test_a_word_says_what_it_is(offset: int, meaning: str) -> None:
    assert words(synth.core_dump(core(with_words())))[offset].meaning == meaning


def test_a_word_has_its_value_and_its_distance() -> None:
    found = words(dump(NULL))
    assert found[0x18].value == walker.after("outer", "call inner")
    assert list(found) == list(range(-0x80, 0xC0, 8))


def test_the_red_zone_is_the_128_bytes_below_the_stack_pointer() -> None:
    assert [offset for offset, word in words(dump(NULL)).items() if word.red_zone] == list(range(-0x80, 0, 8))


def test_the_word_that_became_the_pc_is_marked() -> None:
    popped = words(dump("ret popped a heap address"))
    assert popped[-8].meaning == "the word that a return would have popped; data"
    assert not any("popped" in word.meaning for offset, word in popped.items() if offset != -8)


def test_after_a_call_of_a_bad_pointer_nothing_was_popped() -> None:
    assert not any("popped" in word.meaning for word in words(dump("call into the heap")).values())


def test_without_the_binary_an_address_in_code_is_not_called_a_return_address() -> None:
    found = words(dump(NULL), binaries=False)
    assert found[0x18].meaning == "code of walker + 0x1039; returns to frame 1"


def test_a_word_that_was_not_dumped_says_so_and_has_no_value() -> None:
    data = dump(NULL)
    end = data.index(walker.after("outer", "call inner").to_bytes(8, "little"))
    found = words(data[:end])
    assert (found[0x18].value, found[0x18].meaning) == (None, "not in the core dump")


def test_the_last_instructions_lead_to_the_crash() -> None:
    found = near(dump("write to constants"))
    assert [(line.offset, line.text, line.here) for line in found.code] == [
        (0, "sub rsp, 0x18", False),
        (4, "mov rcx, qword ptr [rax]", False),
        (7, "mov qword ptr [rax], rcx", True),
    ]
    assert found.code_source == "binary"


def test_only_the_four_instructions_before_it_are_shown() -> None:
    assert [line.text.split()[0] for line in near(dump("a trap")).code] == ["mov", "mov", "mov", "idiv", "ud2"]


def test_code_in_the_core_dump_is_shown_as_it_was_in_memory() -> None:
    assert near(dump("code one bit off")).code_source == "core"


def test_at_a_pc_that_is_no_code_no_instruction_is_shown() -> None:
    assert near(dump("ret popped zero")).code == ()
