"""Calls before a return address by hand and against capstone; what else a decoded instruction says."""

from itertools import product

import capstone
import pytest

from broadstreet.formats.instruction import boundaries, branches, call_before, decode, direct_target

NOPS = b"\x90" * 8

INDIRECT = [
    "ffd0",  # call rax
    "41ffd3",  # call r11
    "ff10",  # call [rax]
    "ff5008",  # call [rax + 8]
    "ff5500",  # call [rbp + 0]
    "ff90e8000000",  # call [rax + 0xe8]
    "ff1424",  # call [rsp]
    "41ff1424",  # call [r12]
    "ff14c8",  # call [rax + rcx * 8]
    "42ff14f8",  # call [rax + r15 * 8]
    "ff542410",  # call [rsp + 0x10]
    "ff942400010000",  # call [rsp + 0x100]
    "41ff942400010000",  # call [r12 + 0x100]
    "ff152f2e0000",  # call [rip + 0x2e2f]
    "ff14c5602f4000",  # call [rax * 8 + 0x402f60]
    "ff142500004000",  # call [0x400000]
    "64ff142510000000",  # call fs:[0x10]
    "3effd0",  # notrack call rax
    "f2ff152f2e0000",  # bnd call [rip + 0x2e2f]
]


@pytest.mark.parametrize("code", INDIRECT)
def test_an_indirect_call_is_seen(code: str) -> None:
    assert call_before("x86_64", (NOPS + bytes.fromhex(code))[-8:]) == "indirect"


@pytest.mark.parametrize(
    "code",
    [
        "ffe0",  # jmp rax
        "ff20",  # jmp [rax]
        "ff252f2e0000",  # jmp [rip + 0x2e2f]
        "ff30",  # push [rax]
        "ff00",  # inc dword [rax]
        "ffd090",  # call rax; nop
        "ff152f2e00",  # cut
        "e92f2e0000",  # jmp
        "e82f2e000090",  # call; nop
        "c3",
        "cc",
    ],
)
def test_what_does_not_end_with_a_call_is_none(code: str) -> None:
    assert call_before("x86_64", (NOPS + bytes.fromhex(code))[-8:]) == "none"


def test_a_direct_call_is_seen_with_its_target() -> None:
    code = NOPS + bytes.fromhex("e8fbffffff")
    assert call_before("x86_64", code[-8:]) == "direct"
    assert direct_target("x86_64", code, 0x1005) == 0x1000
    assert direct_target("x86_64", NOPS + bytes.fromhex("e810000000"), 0x1005) == 0x1015
    assert direct_target("x86_64", NOPS, 0x1005) is None


@pytest.mark.parametrize("size", range(5))
def test_fewer_bytes_than_a_call_are_no_direct_call(size: int) -> None:
    assert call_before("x86_64", bytes.fromhex("e800000000")[-size:] if size else b"") == "none"
    assert direct_target("x86_64", bytes(size), 0x1000) is None


def every_form() -> list[bytes]:
    """Opcode ff with every mod, reg and rm, every base in the SIB byte, and the displacement that each asks for."""
    forms = []
    for mode, digit, low, base in product(range(4), range(8), range(8), range(8)):
        if base and (mode == 3 or low != 4):
            continue
        code = bytes([0xFF, mode << 6 | digit << 3 | low])
        sib = mode != 3 and low == 4
        code += bytes([0x20 | base]) if sib else b""
        wide = mode == 2 or (mode == 0 and (low == 5 or (sib and base == 5)))
        code += b"\x11\x01\x01\x01" if wide else b"\x11" if mode == 1 else b""
        forms += [code, b"\x41" + code]
    return forms


def test_every_form_of_ff_is_judged_as_capstone_decodes_it() -> None:
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    wrong, calls = [], 0
    for form in every_form():
        whole = [one for one in engine.disasm(form, 0) if one.size == len(form)]
        is_call = bool(whole) and whole[0].mnemonic == "call" and not whole[0].op_str.startswith("ptr")  # far
        calls += is_call
        if (call_before("x86_64", (NOPS + form)[-8:]) == "indirect") != is_call:
            wrong.append((form.hex(), whole))
    assert calls == 2 * (8 + 3 * (7 + 8)), "8 registers; 7 bases and 8 with SIB in 3 modes; with and without a prefix"
    assert wrong == []


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        (0x94000001, "direct"),  # bl +4
        (0x97FFFFFF, "direct"),  # bl -4
        (0xD63F0100, "indirect"),  # blr x8
        (0xD63F03C0, "indirect"),  # blr x30
        (0xD73F0909, "indirect"),  # blraa x8, x9
        (0xD73F0D09, "indirect"),  # blrab x8, x9
        (0xD63F091F, "indirect"),  # blraaz x8
        (0xD63F0D1F, "indirect"),  # blrabz x8
        (0xD61F0100, "none"),  # br x8
        (0xD65F03C0, "none"),  # ret
        (0x14000001, "none"),  # b +4
        (0xD503201F, "none"),  # nop
        (0, "none"),
    ],
)
def test_calls_of_aarch64_are_seen(word: int, kind: str) -> None:
    assert call_before("aarch64", bytes(4) + word.to_bytes(4, "little")) == kind


def test_the_target_of_bl_is_relative_to_the_call() -> None:
    assert direct_target("aarch64", (0x94000001).to_bytes(4, "little"), 0x1004) == 0x1004
    assert direct_target("aarch64", (0x97FFFFFF).to_bytes(4, "little"), 0x1004) == 0xFFC
    assert direct_target("aarch64", (0xD63F0100).to_bytes(4, "little"), 0x1004) is None
    assert direct_target("aarch64", b"\x01\x00\x00", 0x1004) is None


@pytest.mark.parametrize(
    ("code", "kind", "indirect"),
    [
        ("c3", "return", False),
        ("f3c3", "return", False),
        ("0f0b", "trap", False),
        ("cc", "trap", False),
        ("f7f9", "divide", False),
        ("48f7f1", "divide", False),
        ("0f05", "syscall", False),
        ("f4", "privileged", False),
        ("e800000000", "call", False),
        ("ffd0", "call", True),
        ("ff20", "jump", True),
        ("7400", "jump", False),
        ("4889d8", "other", False),
    ],
)
def test_an_instruction_has_its_kind(code: str, kind: str, indirect: bool) -> None:
    found = decode("x86_64", bytes.fromhex(code), 0x1000)
    assert found is not None
    assert (found.kind, found.indirect, found.size) == (kind, indirect, len(code) // 2)


def test_a_memory_operand_has_all_its_parts() -> None:
    found = decode("x86_64", bytes.fromhex("488b44cb10"), 0x1000)  # mov rax, [rbx + rcx * 8 + 0x10]
    assert found is not None
    (operand,) = found.memory
    assert (operand.base, operand.index, operand.scale, operand.displacement) == ("rbx", "rcx", 8, 0x10)
    assert (operand.segment, operand.size, operand.reads, operand.writes) == (None, 8, True, False)
    assert found.written == ("rax",)


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("488903", False, True),  # mov [rbx], rax
        ("480103", True, True),  # add [rbx], rax
        ("488d03", False, False),  # lea rax, [rbx]
        ("0f1f00", False, False),  # nop [rax]
        ("62f17c481103", False, True),  # vmovups [rbx], zmm0
        ("62f17c481003", True, False),  # vmovups zmm0, [rbx]
    ],
)
def test_an_operand_is_read_or_written(code: str, reads: bool, writes: bool) -> None:
    found = decode("x86_64", bytes.fromhex(code), 0x1000)
    assert found is not None
    assert [(operand.reads, operand.writes) for operand in found.memory] == [(reads, writes)]


def test_a_displacement_from_rip_counts_from_the_start_of_the_instruction() -> None:
    found = decode("x86_64", bytes.fromhex("488b0510000000"), 0x1000)  # mov rax, [rip + 0x10], seven bytes
    assert found is not None
    assert (found.memory[0].base, found.memory[0].displacement) == ("rip", 0x17)


def test_bytes_that_are_no_instruction_are_null() -> None:
    assert decode("x86_64", bytes.fromhex("06"), 0) is None
    assert decode("x86_64", bytes.fromhex("488b"), 0) is None
    assert decode("x86_64", b"", 0) is None
    assert decode("aarch64", b"\x01\x00", 0) is None


def test_a_sweep_ends_at_the_first_bytes_that_are_no_instruction() -> None:
    assert boundaries("x86_64", bytes.fromhex("55 4889e5 c3 06 90"), 0x1000) == [0x1000, 0x1001, 0x1004]


def test_branches_are_calls_and_indirect_jumps() -> None:
    code = bytes.fromhex("e800000000 7400 ffd0 ffe0 e900000000 c3")
    found = [(one.address, one.call, one.indirect_jump) for one in branches("x86_64", code, 0)]
    assert found == [(0, True, False), (7, True, False), (9, False, True)]


@pytest.mark.parametrize(
    ("code", "reads", "writes"),
    [
        ("62e17f2a6f16", True, False),  # vmovdqu8 ymm18 {k2}, [rsi]: capstone 5 says neither
        ("62f37d423f0f00", True, False),  # vpcmpub k1 {k2}, zmm0, [rdi], 0
        ("62e17f2a7f16", False, True),  # vmovdqu8 [rsi] {k2}, ymm18
    ],
)
def test_a_masked_vector_access_is_one(code: str, reads: bool, writes: bool) -> None:
    found = decode("x86_64", bytes.fromhex(code), 0)
    assert found is not None
    assert [(one.reads, one.writes) for one in found.memory] == [(reads, writes)]
