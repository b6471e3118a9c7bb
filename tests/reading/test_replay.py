"""Replay of straight lines by hand: what must stand in which register, and what cannot be known."""

import struct
from collections.abc import Mapping

import pytest

from broadstreet.formats.instruction import boundaries
from broadstreet.formats.operation import operation
from broadstreet.reading.replay import Memory, Outcome, replayed

START = 0x1000
STACK = 0x7FFE_0000_1000
NAMES = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()


def memory(words: Mapping[int, int]) -> Memory:
    data = {address + at: byte for address, word in words.items() for at, byte in enumerate(struct.pack("<Q", word))}

    def read(address: int, size: int) -> bytes | None:
        found = [data.get(address + at) for at in range(size)]
        return None if None in found else bytes(byte for byte in found if byte is not None)

    return read


def replay(code: str, words: Mapping[int, int] | None = None, unknown: tuple[str, ...] = (), **end: int) -> Outcome:
    data = bytes.fromhex(code)
    line = []
    for place in boundaries("x86_64", data, START):
        one = operation(data[place - START :], place)
        assert one is not None
        line.append(one)
    registers = {**dict.fromkeys(NAMES, 0), "rsp": STACK, "fs_base": 0x9000, **end}
    return replayed(line, registers, unknown, memory(words or {}), 0)


def numbers(outcome: Outcome) -> dict[str, int]:
    return {name: value.number for name, value in outcome.registers.items()}


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("b878563412", 0x12345678),  # mov eax, 0x12345678
        ("48c7c0ffffffff", (1 << 64) - 1),  # mov rax, -1
        ("31c0", 0),  # xor eax, eax
        ("4889d8", 0x1122334455667788),  # mov rax, rbx
        ("89d8", 0x55667788),  # mov eax, ebx
        ("488d430f", 0x1122334455667797),  # lea rax, [rbx + 0xf]
        ("488d0510000000", START + 7 + 0x10),  # lea rax, [rip + 0x10]
        ("488d04cb", 0x11223344556677A0),  # lea rax, [rbx + rcx * 8]
        ("0fb6c3", 0x88),  # movzx eax, bl
        ("480fbec3", 0xFFFFFFFFFFFFFF88),  # movsx rax, bl
        ("4863c3", 0x55667788),  # movsxd rax, ebx
        ("4889d8" + "48f7d8", 0xEEDDCCBBAA998878),  # neg rax
        ("4889d8" + "48f7d0", 0xEEDDCCBBAA998877),  # not rax
        ("4889d8" + "48c1e004", 0x1223344556677880),  # shl rax, 4
        ("4889d8" + "48c1e804", 0x0112233445566778),  # shr rax, 4
        ("4889d8" + "d3f8", 0x0AACCEF1),  # sar eax, cl
        ("4889d8" + "83e00f", 8),  # and eax, 0xf
        ("4889d8" + "4883e0f8", 0x1122334455667788),  # and rax, -8
        ("4869c3e8030000", 0x1122334455667788 * 1000 & (1 << 64) - 1),  # imul rax, rbx, 1000
        ("4889d8" + "b0ff", 0x11223344556677FF),  # mov al, 0xff
        ("4889d8" + "66b8ffff", 0x112233445566FFFF),  # mov ax, 0xffff
    ],
)
def test_arithmetic_is_that_of_the_processor(code: str, wanted: int) -> None:
    assert numbers(replay(code, rbx=0x1122334455667788, rcx=3))["rax"] == wanted


def test_a_word_that_was_loaded_is_that_of_memory() -> None:
    words = {0x5010: 0xAABB, 0x9028: 0xCC}
    assert numbers(replay("488b4310", words, rbx=0x5000)) == {"rax": 0xAABB}  # mov rax, [rbx + 0x10]
    assert numbers(replay("64488b042528000000", words)) == {"rax": 0xCC}  # mov rax, fs:[0x28]


def test_a_load_through_a_load() -> None:
    found = replay("488b03" + "488b08", {0x5000: 0x6000, 0x6000: 7}, rbx=0x5000)
    assert numbers(found) == {"rax": 0x6000, "rcx": 7}
    assert found.registers["rcx"].through == (0x6000, 0x5000)


def test_memory_that_is_not_at_hand_is_wanted() -> None:
    found = replay("488b4310" + "488b08", rbx=0x5000)
    assert (numbers(found), found.wanted) == ({}, ((0x5010, 8),))
    assert found.through["rcx"] == (0x5000,)


def test_what_was_stored_to_since_is_not_known() -> None:
    load, store = "488b03", "48890b"  # mov rax, [rbx]; mov [rbx], rcx
    assert numbers(replay(load + store, {0x5000: 1}, rbx=0x5000)) == {}
    assert numbers(replay(load + "48894b08", {0x5000: 1}, rbx=0x5000)) == {"rax": 1}
    assert numbers(replay(load + "48894b07", {0x5000: 1}, rbx=0x5000)) == {}


def test_a_store_to_an_unknown_place_may_have_been_there() -> None:
    loads = "488b03" + "488b12" + "48890a"  # mov rax, [rbx]; mov rdx, [rdx]; mov [rdx], rcx, but rdx is set again
    assert "rax" not in numbers(replay(loads + "31d2", {0x5000: 1}, rbx=0x5000))


def test_what_was_stored_and_loaded_again_is_the_same() -> None:
    assert numbers(replay("48890b" + "488b03", rbx=0x5000, rcx=9)) == {"rax": 9}


def test_a_byte_that_was_stored_is_a_byte() -> None:
    assert numbers(replay("c603ff" + "0fb603", rbx=0x5000)) == {
        "rax": 0xFF
    }  # mov byte [rbx], -1; movzx eax, byte [rbx]


def test_the_start_of_a_register_is_found_from_its_end() -> None:
    found = replay("4889d8" + "4883c310", rbx=0x5010)  # mov rax, rbx; add rbx, 0x10
    assert (numbers(found)["rax"], found.start["rbx"]) == (0x5000, 0x5000)


def test_the_start_of_a_register_is_found_from_a_word_that_was_stored() -> None:
    code = "48890b" + "488d4108" + "31c9"  # mov [rbx], rcx; lea rax, [rcx + 8]; xor ecx, ecx
    found = replay(code, {0x5000: 0x77}, ("rax",), rbx=0x5000)
    assert numbers(found)["rax"] == 0x7F


def test_a_stack_is_pushed_to_and_popped_from() -> None:
    assert numbers(replay("53" + "58", rbx=5))["rax"] == 5  # push rbx; pop rax
    assert numbers(replay("58", {STACK - 8: 6}))["rax"] == 6


def test_two_copies_of_one_register_must_be_equal() -> None:
    found = replay("4889f8" + "4889fb" + "31ff", rax=0x5000, rbx=0x5001)  # mov rax, rdi; mov rbx, rdi; xor edi, edi
    assert numbers(found)["rbx"] != 0x5001 or numbers(found)["rax"] != 0x5000


@pytest.mark.parametrize("code", ["0f44c3", "0f94c0", "4887d8", "480fc8", "660f6ec0" + "66480f7ec0"])
def test_what_is_not_computed_is_not_known(code: str) -> None:
    assert "rax" not in numbers(replay(code, rbx=5))


def test_a_register_that_the_place_has_changed_already_counts_for_nothing() -> None:
    assert numbers(replay("4889f8", rdi=5))["rax"] == 5
    assert numbers(replay("4889f8", unknown=("rdi",), rdi=5, rax=7))["rax"] == 7


def test_what_a_register_held_before_is_told() -> None:
    assert replay("b805000000" + "4889d8", rbx=9).before == {"rax": 5}


def test_a_word_at_no_multiple_of_its_size_is_told() -> None:
    assert replay("488b4308", {0x5009: 1}, rbx=0x5001).crooked == {0x5001}
    assert replay("488b4307", {0x5008: 1}, rbx=0x5001).crooked == set()
