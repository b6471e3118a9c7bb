"""Instructions as operations, against the manual by hand."""

import pytest

from broadstreet.formats.instruction import Operand
from broadstreet.formats.operation import Operation, Part, operation


def decoded(code: str) -> Operation:
    found = operation(bytes.fromhex(code), 0x1000)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "name", "arguments", "written"),
    [
        ("4889d8", "mov", (Part("rax", 64), Part("rbx", 64)), ("rax",)),
        ("89d8", "mov", (Part("rax", 32), Part("rbx", 32)), ("rax",)),
        ("4489f8", "mov", (Part("rax", 32), Part("r15", 32)), ("rax",)),
        ("88d8", "mov", (Part("rax", 8), Part("rbx", 8)), ("rax",)),
        ("88f8", "mov", (Part("rax", 8), None), ("rax",)),  # bh
        ("4883e8f8", "sub", (Part("rax", 64), -8), ("rax",)),
        ("4899", "cqo", (), ("rax", "rdx")),  # capstone's, and on the safe side
        ("48f7f9", "idiv", (Part("rcx", 64),), ("rax", "rdx")),
        ("4887d9", "xchg", (Part("rcx", 64), Part("rbx", 64)), ("rbx", "rcx")),
        ("0fa2", "cpuid", (), ("rax", "rbx", "rcx", "rdx")),
    ],
)
def test_registers_are_named_by_their_64_bits(
    code: str, name: str, arguments: tuple[object, ...], written: tuple[str, ...]
) -> None:
    found = decoded(code)
    assert (found.name, found.arguments, found.written, found.stores) == (name, arguments, written, False)


def test_a_memory_argument_keeps_its_parts() -> None:
    memory = decoded("488b4cd810").arguments[1]  # mov rcx, [rax + rbx * 8 + 0x10]
    assert isinstance(memory, Operand)
    assert (memory.base, memory.index, memory.scale, memory.displacement, memory.size) == ("rax", "rbx", 8, 16, 8)


@pytest.mark.parametrize(
    "code", ["488908", "480108", "6a01", "ff30", "f30f1100", "dd5c2408", "62f17e487f00", "4887 08"]
)
def test_what_writes_memory_is_a_store(code: str) -> None:
    assert decoded(code).stores


@pytest.mark.parametrize("code", ["488b08", "488d08", "483908", "8500", "0f1f00", "62e17f2a6f16"])
def test_what_reads_or_only_names_memory_is_none(code: str) -> None:
    assert not decoded(code).stores


@pytest.mark.parametrize("code", ["f3a4", "e800000000", "c3", "0f05", "0f0b", "0fae20", "c8100000"])
def test_replay_may_not_go_past_what_does_more(code: str) -> None:
    assert not decoded(code).plain


@pytest.mark.parametrize("code", ["4889d8", "7502", "488908", "48f7f9", "0fa2"])
def test_replay_may_go_past_the_rest(code: str) -> None:
    assert decoded(code).plain


def test_bytes_that_are_no_instruction_are_none() -> None:
    assert operation(b"\x06", 0) is None
    assert operation(b"", 0) is None


def test_the_place_is_the_address_asked_for() -> None:
    assert (decoded("4889d8").address, decoded("4889d8").size) == (0x1000, 3)
