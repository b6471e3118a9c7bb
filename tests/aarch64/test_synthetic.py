"""aarch64 where no emulator shows it: synthetic core dumps. These tests need nothing that is not in the package."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from broadstreet import features, labels
from broadstreet.formats.binary import Binary
from broadstreet.formats.instruction import boundaries, branches, decode
from broadstreet.formats.linux_core import MappedFile
from broadstreet.formats.unwind_table import UnwindTable
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.modules import Modules, attach, mapped_modules
from broadstreet.reading.operands import accesses
from broadstreet.records.finding import Value
from tests import synth
from tests.aarch64.specimens import (
    AT,
    BUILD_ID,
    NT_ARM_TLS,
    PATH,
    PID,
    PROGRAM,
    SIGRETURN,
    SP,
    STACK,
    VDSO,
    Crash,
    find_program,
    program_page,
    words,
)
from tests.kernel_cores import said_by
from tests.reading.driving import driven
from tests.synth.arm_signal_frame import ARM_FRAME_BYTES, arm_signal_frame

NULL_READ = synth.Fault(si_signo=11, si_code=1, si_addr=0)
ABORTED = synth.Sent(si_signo=6, si_code=-6, si_pid=PID, si_uid=0)
RAISED = synth.Sent(si_signo=11, si_code=-6, si_pid=PID, si_uid=0)
LOADER = Path("/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1")
PAC = 0x55 << 48  # some authentication code


def record(at: int, saved: int, link: int) -> dict[int, bytes]:
    return {at: words(saved, link)}


def mechanism(state: MachineState) -> str:
    return labels.mechanism(labels.findings(features.row(state)))


def pcs(state: MachineState) -> list[int]:
    return [frame.pc for frame in state.frames]


CALLERS = record(SP, SP + 0x20, AT["after bl"]) | record(SP + 0x20, SP + 0x40, AT["after bl again"])
LOADING = {"pc": AT["load"], "sp": SP, "x29": SP, "x30": AT["after blr"], "x1": 0}


def test_the_callers_are_found_by_link_register_and_frame_records() -> None:
    state = Crash(LOADING, NULL_READ, CALLERS).state()
    assert pcs(state) == [AT["load"], AT["after blr"], AT["after bl"], AT["after bl again"]]
    assert [frame.build_id for frame in state.frames] == [BUILD_ID.hex()] * 4


def test_what_the_kernel_says_of_a_null_read_is_understood() -> None:
    state = Crash(LOADING, NULL_READ, CALLERS).state()
    assert (state.signal.number, state.signal.code, state.signal.address) == (11, 1, 0)
    assert mechanism(state) == "null_dereference"


def signed(code: int, *, bits: int) -> dict[int, bytes]:
    top = code << bits & (1 << 55) - 1
    low = 0x7F_FFFD_0000 if bits == 39 else STACK
    at = low + 0x8000
    return record(at, at + 0x20, top | AT["after bl"]) | record(at + 0x20, at + 0x40, top | AT["after bl again"])


def test_authentication_codes_are_taken_off_return_addresses() -> None:
    registers = {**LOADING, "x30": PAC | AT["after blr"]}
    state = Crash(registers, NULL_READ, signed(0x55, bits=48)).state()
    assert pcs(state) == [AT["load"], AT["after blr"], AT["after bl"], AT["after bl again"]]


def test_the_bits_that_hold_a_code_follow_from_the_highest_mapping() -> None:
    low = AddressSpace([(1, 6, 0, 0x7F_FFFD_0000, 0, 0, 0x3_0000, 0), (1, 5, 0, 0x55_0000_0000, 0, 0, 0x1000, 0)])
    state = Crash(LOADING, NULL_READ, CALLERS).state()
    process = type(state.process)(state.architecture, low, Modules([]))
    assert process.code_pointer(0x7F_FF80_0000_0000 | 0x55_0000_0800) == 0x55_0000_0800
    assert process.code_pointer(1 << 55 | 0x55_0000_0800) == 1 << 55 | 0x55_0000_0800
    assert state.process.code_pointer(0x7F << 48 | 0xAAAA_AAAA_0800) == 0xAAAA_AAAA_0800
    assert state.process.code_pointer(0x7F << 48 | 0x55_0000_0800) == 0x55_0000_0800


def test_a_signed_return_address_is_found_by_the_scan() -> None:
    registers = {"pc": 0x1234_5678_9000, "sp": SP, "x30": 0x1234_5678_9000, "x29": 0}
    fault = synth.Fault(si_signo=11, si_code=1, si_addr=0x1234_5678_9000)
    state = Crash(registers, fault, {SP + 0x18: words(PAC | AT["after bl"])}).state()
    assert pcs(state)[1:] == [AT["after bl"]]
    assert state.frames[1].trust == "stack_scan"


@pytest.mark.parametrize(
    ("registers", "wanted"),
    [
        ({"pc": 0, "x30": AT["after blr"], "x2": 0}, "call_to_null"),
        ({"pc": 0, "x30": AT["after bl"]}, "call_to_null"),
        ({"pc": 0, "x30": 0}, "return_to_null"),
        ({"pc": 0x1234_5678_9000, "x30": 0x1234_5678_9000}, "return_to_nonexecutable"),
        ({"pc": 0x20 << 48, "x30": 0x20 << 48}, "return_to_nonexecutable"),  # autiasp found another code than it made
        ({"pc": 0x20_1234_5678_9000, "x30": 0x55_1234_5678_9000}, "return_to_nonexecutable"),  # as did retaa
        ({"pc": 0x1234_5678_9000, "x30": AT["after blr"], "x2": 0x1234_5678_9000}, "jump_to_nonexecutable"),
    ],
)
def test_how_control_was_lost_is_told_by_the_link_register(registers: dict[str, int], wanted: str) -> None:
    fault = synth.Fault(si_signo=11, si_code=1, si_addr=registers["pc"])
    assert mechanism(Crash({"sp": SP, "x29": SP, **registers}, fault, CALLERS).state()) == wanted


def test_after_a_call_to_null_the_caller_is_not_passed_over() -> None:
    registers = {"pc": 0, "sp": SP, "x29": SP, "x30": AT["after blr"]}
    assert pcs(Crash(registers, NULL_READ, CALLERS).state())[:3] == [0, AT["after blr"], AT["after bl"]]


def handled(frame: bytes) -> Crash:
    """A handler called `abort`: its frame record, the signal frame above, and the interrupted function's records."""
    inner = SP - 0x3000
    stack = record(inner, inner + 0x10, AT["after bl"]) | record(inner + 0x10, SP, SIGRETURN)
    registers = {"pc": AT["ret"], "sp": inner, "x29": inner, "x30": AT["after bl again"]}
    return Crash(registers, ABORTED, {**CALLERS, **stack, inner + 0x20: frame})


INTERRUPTED = {**LOADING, "x19": 19, "pstate": 0x6000_0000}


def test_behind_a_handler_that_aborts_the_fault_is_found_in_its_signal_frame() -> None:
    state = handled(arm_signal_frame(INTERRUPTED, NULL_READ, fault_address=0, esr=0x92000006)).state()
    assert state.context == "signal_frame"
    assert {name: state.registers[name] for name in INTERRUPTED} == INTERRUPTED
    assert (state.signal.number, state.signal.code, state.signal.address) == (11, 1, 0)
    assert pcs(state) == [AT["load"], AT["after blr"], AT["after bl"], AT["after bl again"]]
    assert [step.registers["pc"] for step in state.handler_steps] == [AT["ret"], AT["after bl again"], AT["after bl"]]
    assert mechanism(state) == "null_dereference"


def test_a_signal_frame_lies_somewhat_above_where_a_handler_seems_to_end() -> None:
    crash = handled(b"")
    at = SP - 0x3000 + 0x20 + 0x40
    shifted = {**crash.stack, at: arm_signal_frame(INTERRUPTED, NULL_READ)}
    assert Crash(crash.registers, ABORTED, shifted).state().context == "signal_frame"


def test_without_sa_siginfo_no_fault_is_made_up() -> None:
    state = handled(arm_signal_frame(INTERRUPTED, None)).state()
    assert state.context == "notes"
    assert (state.signal.number, state.signal.address) == (6, None)


def test_words_that_only_look_like_a_context_are_no_signal_frame() -> None:
    frame = bytearray(arm_signal_frame(INTERRUPTED, NULL_READ))
    frame[592:596] = bytes(4)  # the record of FPSIMD, which the kernel always writes first
    assert handled(bytes(frame)).state().context == "notes"


def test_behind_a_signal_that_was_raised_again_the_fault_is_found_in_the_dead_frame() -> None:
    frame = arm_signal_frame(INTERRUPTED, NULL_READ)
    state = Crash(INTERRUPTED, RAISED, {**CALLERS, SP - 0x1800: frame}).state()
    assert (state.context, state.signal.address) == ("recovered", 0)
    assert mechanism(state) == "null_dereference"


def test_the_frame_of_a_handler_agrees_with_the_headers_of_the_c_library(tmp_path: Path) -> None:
    source = (
        "#include <stddef.h>\n#include <ucontext.h>\n#include <signal.h>\n"
        "struct frame { siginfo_t info; ucontext_t uc; };\n"
        "#define AT(field) offsetof(struct frame, uc.uc_mcontext.field)\n"
        "long at[] = {AT(fault_address), AT(regs), AT(sp), AT(pstate), AT(__reserved), sizeof(struct frame),\n"
        " FPSIMD_MAGIC, ESR_MAGIC};\n"
    )
    (tmp_path / "offsets.c").write_text(source)
    said_by("aarch64-linux-gnu-gcc", "-c", "-o", str(tmp_path / "offsets.o"), str(tmp_path / "offsets.c"))
    copy = ("aarch64-linux-gnu-objcopy", "-O", "binary", "-j", ".data")
    said_by(*copy, str(tmp_path / "offsets.o"), str(tmp_path / "offsets"))
    found = struct.unpack("<8q", (tmp_path / "offsets").read_bytes())
    assert found == (304, 312, 560, 576, 592, ARM_FRAME_BYTES, 0x46508001, 0x45535201)


def test_gdb_unwinds_through_the_frame_of_a_handler(tmp_path: Path) -> None:
    if shutil.which("gdb-multiarch") is None:
        pytest.skip("gdb-multiarch is not installed")
    frame = arm_signal_frame(INTERRUPTED, NULL_READ)
    crash = Crash({"pc": SIGRETURN, "sp": SP - 0x3000}, ABORTED, {SP - 0x3000: frame})
    (tmp_path / "core").write_bytes(crash.core())
    command = ["gdb-multiarch", "-nx", "-batch", "-ex", "bt 1", "-ex", "frame 1", "-ex", "info registers x19 x30 sp pc"]
    said = subprocess.run([*command, "-c", str(tmp_path / "core")], capture_output=True, text=True, check=False).stdout
    assert "<signal handler called>" in said
    rows = {
        line.split()[0]: line.split()[1] for line in said.splitlines() if line.startswith(("x19", "x30", "sp", "pc"))
    }
    assert rows == {name: hex(INTERRUPTED[name]) for name in ("x19", "x30", "sp", "pc")}


def row(registers: dict[str, int], fault: synth.Fault) -> dict[str, Value]:
    return features.row(Crash({"sp": SP, "x29": SP, "x30": AT["after blr"], **registers}, fault, CALLERS).state())


def test_a_tag_in_the_top_byte_is_no_part_of_the_address() -> None:
    fault = synth.Fault(si_signo=11, si_code=1, si_addr=0x1234_5678)
    found = row({"pc": AT["load"], "x1": 0xB4 << 56 | 0x1234_5678}, fault)
    assert (found["access_matches"], found["access_in"]) == (True, "unmapped")


def test_an_index_is_extended_by_its_sign_and_shifted() -> None:
    fault = synth.Fault(si_signo=11, si_code=1, si_addr=0x7000_0000 - 8)
    found = row({"pc": AT["store indexed"], "x1": 0x7000_0000, "x2": 0xFFFF_FFFE}, fault)
    assert (found["access_matches"], found["access_kind"]) == (True, "write")


def test_zeroing_a_block_is_a_write() -> None:
    found = row({"pc": AT["zero block"], "x1": 0}, NULL_READ)
    assert (found["access_kind"], found["access_matches"], found["null_base"]) == ("write", True, True)


@pytest.mark.parametrize(
    ("label", "number", "code", "wanted"),
    [("brk", 5, 1, "deliberate_trap"), ("udf", 4, 1, "deliberate_trap"), ("retaa", 4, 2, "illegal_instruction")],
)
def test_traps_are_told_from_illegal_instructions(label: str, number: int, code: int, wanted: str) -> None:
    fault = synth.Fault(si_signo=number, si_code=code, si_addr=AT[label])
    assert mechanism(Crash({**LOADING, "pc": AT[label]}, fault, CALLERS).state()) == wanted


def test_a_whole_chain_needs_no_shift_of_the_stack_pointer() -> None:
    found = row({"pc": AT["load"], "x1": 0}, NULL_READ)
    assert found["chain"] is None  # no unwind table here: nothing is known, and nothing is said
    assert (found["stack_shift"], found["one_bit_sp"]) == (None, None)


def test_the_thread_pointer_is_read_and_the_cpu_is_null_without_the_loader() -> None:
    block = SP + 0x1000
    area = struct.pack("<IIQIII", 1, 1, 0, 0, 0, 0).ljust(32, b"\0")
    note = synth.Note("LINUX", NT_ARM_TLS, words(block, 0))
    crash = Crash(LOADING, NULL_READ, {**CALLERS, block - 32: area}, notes=(note,))
    reading = driven(crash.core(), find=find_program).reading
    assert reading.threads[0].tls == block
    assert (reading.cpu, reading.numa_node) == (None, None)


def test_the_cpu_is_that_of_the_area_that_the_loader_names() -> None:
    if not LOADER.exists():
        pytest.skip(f"{LOADER} is not installed")
    with LOADER.open("rb") as file:
        elf = ELFFile(file)
        symbols = next(one for one in elf.iter_sections() if isinstance(one, SymbolTableSection))
        symbol = (symbols.get_symbol_by_name("__rseq_offset") or [])[0]
        loads = [
            (one["p_vaddr"], one["p_memsz"], one["p_offset"], one["p_flags"]) for one in elf.iter_segments("PT_LOAD")
        ]
    block, base = SP + 0x1000, 0xFFFF_F7E0_0000
    area = struct.pack("<IIQIII", 5, 5, 0, 0, 1, 0).ljust(32, b"\0")
    note = synth.Note("LINUX", NT_ARM_TLS, words(block, 0))
    crash = Crash(LOADING, NULL_READ, {**CALLERS, block - 32: area}, notes=(note,))
    maps = [
        synth.Map(
            start=base + (address & -4096),
            end=base + (address + size + 4095 & -4096),
            flags="rw" if flags & 2 else "rx",
            data=words(2**64 - 32).rjust(symbol["st_value"] - (address & -4096) + 8, b"\0") if flags & 2 else None,
            path=f"/lib/{LOADER.name}",
            page_offset=offset // 4096,
        )
        for address, size, offset, flags in loads
    ]
    found = driven(crash.core(*maps), find=lambda wanted: Binary(LOADER.read_bytes()) if "ld-" in wanted.path else None)
    assert (found.reading.cpu, found.reading.numa_node) == (5, 1)


def test_a_library_that_only_signed_return_addresses_point_into_is_found() -> None:
    start = 0xFFFF_F7D0_0000
    library = synth.Map(start=start, end=start + 0x1000, flags="rx", data=program_page(), path="/nowhere/libwalk.so")
    frames = record(SP, SP + 0x20, PAC | AT["after bl"] - PROGRAM + start)
    modules = driven(Crash(LOADING, NULL_READ, frames).core(library), find=find_program).reading.modules.all
    assert [(one.name, one.binary is not None) for one in modules[:2]] == [("walker", True), ("libwalk.so", True)]


def test_the_kernel_release_is_that_of_the_vdso() -> None:
    assert driven(Crash(LOADING, NULL_READ, CALLERS).core()).reading.kernel_release == "6.6.1"


def test_modules_have_the_names_of_the_mapped_files() -> None:
    modules = driven(Crash(LOADING, NULL_READ, CALLERS).core(), find=find_program).reading.modules
    assert [(one.path, one.start) for one in modules.all] == [(PATH, PROGRAM), ("[vdso]", VDSO)]


def two_segments() -> bytes:
    """The headers of a library that ld linked for pages of up to 64 KiB; its data lies 64 KiB above its place in it."""
    page = synth.module_page("aarch64", BUILD_ID)
    text = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0x1_2000, 0x1_2000, 0x1_0000)
    data = struct.pack("<IIQQQQQQ", 1, 6, 0x1_CDC0, 0x2_CDC0, 0, 0x4000, 0x5000, 0x1_0000)
    return (page[:64] + text + data + page[64 + 112 :]).ljust(0x2_1000, b"\0")


@pytest.mark.parametrize("page", [4 << 10, 16 << 10, 64 << 10])
def test_a_file_agrees_with_its_mappings_whatever_the_page_size(page: int) -> None:
    low, end = 0x2_CDC0 & -page, 0x3_1DC0 + page - 1 & -page
    files = [
        MappedFile(PROGRAM, PROGRAM + (0x1_2000 + page - 1 & -page), 0, PATH),
        MappedFile(PROGRAM + low, PROGRAM + end, low - 0x1_0000, PATH),
    ]
    space = AddressSpace([(1, 5, 0, files[0].start, 0, 0, files[0].end - files[0].start, 0)])
    (module,) = mapped_modules(files, space, None)
    assert attach(module, Binary(two_segments()))
    assert module.build_id_source == "file"


def memory(word: int, **registers: int) -> list[tuple[int, int, bool, bool]]:
    state = Crash(LOADING, NULL_READ, CALLERS).state()
    instruction = decode("aarch64", word.to_bytes(4, "little"), 0x1000)
    assert instruction is not None
    names = {name: 0 for name in state.registers} | registers
    found = accesses(state.architecture, names, instruction)
    assert found is not None
    return [(one.address, one.size, one.reads, one.writes) for one in found]


@pytest.mark.parametrize(
    ("text", "word", "wanted"),
    [
        ("ldr w0, [x1, w2, uxtw]", 0xB862_4820, (0x1_0000_0FFE, 4, True, False)),
        ("ldr w0, [x1, x2, lsl #2]", 0xB862_7820, (0x4_0000_0FF8, 4, True, False)),
        ("ldr w0, [x1, w2, sxtw #2]", 0xB862_D820, (0xFF8, 4, True, False)),
        ("ldr x0, [x1], #8", 0xF840_8420, (0x1000, 8, True, False)),
        ("stp x3, x4, [x1, #-16]!", 0xA9BF_1023, (0xFF0, 16, False, True)),
        ("ldp q0, q1, [x1, #32]", 0xAD41_0420, (0x1020, 32, True, False)),
        ("strb w0, [x1]", 0x3900_0020, (0x1000, 1, False, True)),
        ("ldrsw x0, [x1]", 0xB980_0020, (0x1000, 4, True, False)),
        ("stlxr w2, x0, [x1]", 0xC802_FC20, (0x1000, 8, False, True)),
        ("ldadd w0, w2, [x1]", 0xB820_0022, (0x1000, 4, True, True)),
        ("swpal x0, x2, [x1]", 0xF8E0_8022, (0x1000, 8, True, True)),
        ("ldr x0, 0x1040", 0x5800_0200, (0x1040, 8, True, False)),
        ("st1 {v0.16b, v1.16b}, [x1]", 0x4C00_A020, (0x1000, 32, False, True)),
    ],
)
def test_what_an_instruction_touches(text: str, word: int, wanted: tuple[int, int, bool, bool]) -> None:
    instruction = decode("aarch64", word.to_bytes(4, "little"), 0x1000)
    assert instruction is not None
    assert instruction.text.split()[0] == text.split()[0]
    assert memory(word, x1=0x1000, x2=0xFFFF_FFFE) == [wanted]


def test_a_prefetch_touches_nothing() -> None:
    assert memory(0xF980_0020, x1=0x1000) == []  # prfm pldl1keep, [x1]


def test_instructions_begin_at_every_fourth_byte() -> None:
    assert boundaries("aarch64", b"\xff" * 14, 0x1000) == [0x1000, 0x1004, 0x1008]


def test_signed_branches_are_branches() -> None:
    code = struct.pack("<II", 0xD73F_0864, 0xD61F_081F)  # blraa x3, x4; braaz x0
    assert [(one.call, one.indirect_jump) for one in branches("aarch64", code, 0)] == [(True, False), (False, True)]


@pytest.mark.parametrize("toggle", [0x2C, 0x2D])
def test_a_rule_goes_on_behind_the_signing_of_a_return_address(toggle: int) -> None:
    # DWARF for the Arm 64-bit Architecture, 4.1: negate_ra_state_with_pc and negate_ra_state, without operands; "G".
    common = b"\0\0\0\0\x01zRG\0\x04\x78\x1e\x01\x1b\x0c\x1f\x00".ljust(20, b"\0")
    program = bytes([toggle, 0x41, 0x0E, 0x10, 0x9D, 0x02, 0x9E, 0x01])
    entry = struct.pack("<IiIB", 28, 0x1000 - 0x2020, 0x40, 0) + program
    frames = struct.pack("<I", 20) + common + struct.pack("<I", len(entry)) + entry + bytes(4)
    row = UnwindTable(b"", 0, frames, 0x2000).row(0x1004)
    assert row is not None
    assert (row.cfa_register, row.cfa_offset, set(row.saved)) == (31, 16, {(29, -16), (30, -8)})
