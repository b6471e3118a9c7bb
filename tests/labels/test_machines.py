"""The labels of whole machines: bytes of a core dump, through reader and features, to the rules."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from broadstreet import features, labels
from broadstreet.formats.binary import Binary
from broadstreet.labels import CONTEXTS
from broadstreet.records.finding import Finding, Value
from broadstreet.records.wanted import BinaryWanted
from tests import synth
from tests.features import read_back
from tests.features.machines import (
    CALLERS,
    CONSTANT,
    INSIDE,
    MACHINES,
    OBJECT,
    SI_KERNEL,
    SIGFPE,
    SIGSEGV,
    STACK,
    TEXT,
    Machine,
    core,
    fault,
    inside,
    libc,
    unmapped,
    walker,
)
from tests.features.program import Function, program
from tests.features.read_back import dump, reading, row

BESIDES = {rule.label for rule in CONTEXTS}
WITHOUT_BINARIES = {
    # An access's address is the kernel's to give; what it does is the instruction's.
    "null pointer with a small offset": "null_dereference",
    "pointer of 32 poison bits": "poison_access",
    "sp in no mapping": "wild_stack_pointer",
    "sp at the lower end of its stack": "stack_overflow",
    # The word below the stack pointer is in the core dump.
    "ret popped zero": "return_to_null",
    "ret popped a heap address": "return_to_nonexecutable",
    # Whether a call ends at the word at the stack pointer, the code says.
    "call through null": "not_judged",
    "tail jump through null above a stale zero": "not_judged",
    "call into the heap": "not_judged",
    "sp 8 low at ret": "not_judged",
    "sp 8 low in a body": "not_judged",
    "pointer of garbage": "not_judged",
    "a trap": "not_judged",
    # The kernel's own word needs no code.
    "a poisoned page, consumed": "memory_poisoned",
    "a sandbox": "bad_syscall",
    "a process of another": "sent_by_process",
    "a living process": "no_fault",
}
CUT_EVERY = 4096
TOLD_BY_MESSAGE = ("abort by free", "abort by the stack protector", "abort by a checked copy", "abort without a word")


def found(data: bytes, binaries: bool = True) -> dict[str, Finding]:
    return {finding.label: finding for finding in labels.findings(row(data, binaries))}


def of(machine: Machine) -> dict[str, Finding]:
    return found(synth.core_dump(core(machine)))


def mechanism(findings: Mapping[str, Finding]) -> str:
    return labels.mechanism(tuple(findings.values()))


def evidence(finding: Finding) -> dict[str, Value]:
    return {one.feature: one.value for one in finding.evidence}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_gets_its_mechanism(name: str) -> None:
    assert mechanism(found(dump(name))) == MACHINES[name].mechanism


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_gets_its_context_findings(name: str) -> None:
    holding = {label for label, finding in found(dump(name)).items() if finding.state == "holds"}
    assert holding & BESIDES == set(MACHINES[name].besides)


@pytest.mark.parametrize("name", WITHOUT_BINARIES)
def test_without_binaries_only_what_the_core_dump_shows_is_said(name: str) -> None:
    assert mechanism(found(dump(name), binaries=False)) == WITHOUT_BINARIES[name]


def test_without_binaries_a_bad_pc_names_the_call_that_was_not_seen() -> None:
    finding = found(dump("call through null"), binaries=False)["call_to_null"]
    assert (finding.state, finding.needs) == ("not_judged", ("bad_branch",))


# A return to null, a call of null and a tail jump through null: parity and the words around the stack pointer.


def bad_pc(sp: int, words: Mapping[int, int], pc: int = 0, **registers: int) -> str:
    return mechanism(of(Machine("", unmapped(pc), {"rip": pc, "rsp": sp, **registers}, {**CALLERS, **words})))


def test_only_parity_tells_a_return_to_null_from_a_tail_jump() -> None:
    jumped = walker.after("outer", "call jumper")
    assert bad_pc(INSIDE + 0x18, {INSIDE + 0x18: jumped, INSIDE + 0x10: 0}) == "call_to_null"
    assert bad_pc(INSIDE + 0x20, {INSIDE + 0x20: jumped, INSIDE + 0x18: 0}) == "return_to_null"


def test_a_word_other_than_zero_below_sp_was_not_popped_into_a_null_pc() -> None:
    assert bad_pc(INSIDE + 0x20, {INSIDE + 0x18: OBJECT}) == "call_to_null"


def test_an_indirect_call_above_a_stale_zero_is_a_call_to_null() -> None:
    called = walker.after("inner", "call *rax")
    assert bad_pc(INSIDE - 8, {INSIDE - 8: called, INSIDE - 16: 0}, rax=0) == "call_to_null"


def test_an_indirect_call_of_something_else_leaves_the_return_to_null() -> None:
    called = walker.after("inner", "call *rax")
    words = {INSIDE + 0x18: 0, INSIDE + 0x20: called}
    assert bad_pc(INSIDE + 0x20, words, rax=OBJECT) == "return_to_null"


# The stack pointer.


def test_the_shift_says_in_which_direction_sp_is_off() -> None:
    shifts = {
        name: row(dump(name))["stack_shift"] for name in MACHINES if MACHINES[name].mechanism == "misaligned_stack"
    }
    assert shifts == {
        "sp 8 low at ret": 8,
        "sp 8 high at ret": -8,
        "sp 8 low at a ret of text": 8,
        "sp 8 low in a body": 8,
        "sp 8 high in a body": -8,
    }


def test_a_stack_pointer_that_is_right_is_not_shifted_by_a_bad_return_address() -> None:
    machine = Machine("", unmapped(0x1230), inside("ret", INSIDE + 0x18), {**CALLERS, INSIDE + 0x18: 0x1230})
    assert of(machine)["misaligned_stack"].state == "does_not_hold"


def test_a_stack_in_the_heap_is_not_wild() -> None:
    heap_stack = {"rip": walker.at("inner", "load"), "rsp": OBJECT & -16, "rax": 0x10}
    assert of(Machine("", unmapped(0x10), heap_stack))["wild_stack_pointer"].state == "does_not_hold"


def test_the_overflow_is_measured_from_the_lower_end_of_the_stack() -> None:
    assert evidence(found(dump("sp at the lower end of its stack"))["stack_overflow"])["stack_overflow_distance"] == 8


def test_a_write_below_the_stack_from_far_above_is_no_overflow() -> None:
    far = STACK + 0xF000
    machine = Machine("", unmapped(STACK - 0x2_0000), inside("store", far, rax=STACK - 0x2_0000), {})
    assert of(machine)["stack_overflow"].state == "does_not_hold"


# One bit.


@pytest.mark.parametrize("bit", [28, 33, 40, 46])
def test_any_bit_that_throws_a_pointer_far_away_is_found(bit: int) -> None:
    pointer = OBJECT ^ 1 << bit
    finding = of(Machine("", unmapped(pointer), inside("load", rax=pointer)))["one_bit_off"]
    assert (finding.state, evidence(finding)["one_bit_access_bit"]) == ("holds", bit)


@pytest.mark.parametrize("bits", [(40, 41), (33, 45), (28, 46)])
def test_two_bits_are_not_one(bits: tuple[int, int]) -> None:
    pointer = OBJECT ^ 1 << bits[0] ^ 1 << bits[1]
    finding = of(Machine("", unmapped(pointer), inside("load", rax=pointer)))["one_bit_off"]
    assert finding.state == "does_not_hold"


def test_a_twin_on_the_stack_counts_as_one_in_a_register() -> None:
    pointer = OBJECT ^ 1 << 24
    bare = Machine("", unmapped(pointer), inside("load", rax=pointer))
    with_twin = replace(bare, words={**CALLERS, INSIDE + 8: OBJECT})
    assert [of(machine)["one_bit_off"].state for machine in (bare, with_twin)] == ["does_not_hold", "holds"]


def test_a_pointer_near_the_mended_one_counts_as_a_twin() -> None:
    pointer = OBJECT ^ 1 << 24
    machines = [Machine("", unmapped(pointer), inside("load", rax=pointer, rbx=OBJECT + far)) for far in (0x40, 0x400)]
    assert [row(synth.core_dump(core(machine)))["one_bit_access"] for machine in machines] == ["near", "mapped"]
    assert [of(machine)["one_bit_off"].state for machine in machines] == ["holds", "does_not_hold"]


@pytest.mark.parametrize("bit", [0, 1, 2])
def test_a_stack_pointer_that_is_no_multiple_of_8_is_mended(bit: int) -> None:
    machine = Machine("", unmapped(0x10), inside("load", INSIDE ^ 1 << bit, rax=0x10))
    assert row(synth.core_dump(core(machine)))["one_bit"] == "sp"


def test_a_number_in_the_return_slot_was_put_there_by_software_and_no_flip_of_sp() -> None:
    flipped = INSIDE ^ 1 << 9
    states = []
    for word in (0, 0x401A_0000_0000_0000):  # nothing; the double 6.5
        machine = Machine("", unmapped(0x10), inside("load", flipped, rax=0x10), {**CALLERS, flipped + 0x18: word})
        states.append(of(machine)["one_bit_off"].state)
    assert states == ["holds", "does_not_hold"]


def test_a_popped_pointer_to_data_needs_traces_of_the_function_that_returned() -> None:
    caller = walker.after("outer", "call inner")
    popped = caller ^ 1 << 20
    word = {**CALLERS, INSIDE + 0x18: popped}
    bare = Machine("", fault(SIGSEGV, 2, popped), {"rip": popped, "rsp": INSIDE + 0x20}, word, data_at=popped)
    left = replace(bare, words={**bare.words, INSIDE - 0x8: walker.after("inner", "call *rax")})
    assert [of(machine)["one_bit_off"].state for machine in (bare, left)] == ["does_not_hold", "holds"]


@pytest.mark.parametrize("bit", [50, 56, 62])
def test_a_pc_that_is_no_address_is_mended(bit: int) -> None:
    machine = Machine("", fault(SIGSEGV, SI_KERNEL), {"rip": walker.at("inner", "load") ^ 1 << bit, "rsp": INSIDE})
    assert row(synth.core_dump(core(machine)))["one_bit"] == "pc"


def test_a_word_below_sp_that_a_return_would_have_popped_tells_where_the_thread_went_astray() -> None:
    after = walker.after("inner", "call *rax")
    start, end = (walker.start + place for place in walker.program.functions["inner"])
    astray = next(after ^ 1 << bit for bit in range(6) if start < after ^ 1 << bit < end)
    states = []
    for word in (astray, after, OBJECT):
        machine = Machine("", unmapped(0x10), inside("load", rax=0x10), {**CALLERS, INSIDE - 8: word})
        states.append(of(machine)["one_bit_off"].state)
    assert states == ["holds", "does_not_hold", "does_not_hold"]


# The registers against the code just executed.


def divided(loaded: int | None, **registers: int) -> Machine:
    """inner loads rcx from [rax + rbx * 8], and divides by it."""
    words = {**CALLERS, INSIDE + 16: 3} | ({} if loaded is None else {INSIDE + 8: loaded})
    at = inside("divide", **{"rax": INSIDE + 8, "rbx": 0, "rbp": INSIDE + 16, **registers})
    return Machine("", fault(SIGFPE, 1, walker.at("inner", "divide")), at, words)


def test_a_register_that_holds_what_was_loaded_is_right() -> None:
    told = row(synth.core_dump(core(divided(OBJECT, rcx=OBJECT))))
    assert (told["replay"], told["replay_register"]) == ("agrees", None)
    assert mechanism(of(divided(OBJECT, rcx=OBJECT))) == "divide_error"


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        (OBJECT ^ 1 << 20, "one_bit"),
        (OBJECT ^ 1 << 63, "one_bit"),
        (3, "lost"),  # the load before left it there
        (0, "differs"),
        (OBJECT + 0x1234, "unclear"),  # as a wild index would move it
    ],
)
def test_a_register_that_does_not_is_told_by_how_it_differs(actual: int, kind: str) -> None:
    told = row(synth.core_dump(core(divided(OBJECT, rcx=actual, rdx=INSIDE + 8))))
    assert told["replay"] == kind
    wanted = (None, None) if kind == "unclear" else ("rcx", OBJECT)
    assert (told["replay_register"], told["replay_value"]) == wanted


def test_more_than_one_bit_needs_a_stack_that_makes_sense() -> None:
    machine = divided(OBJECT, rcx=0, rdx=INSIDE + 8)
    broken = replace(machine, words={**machine.words, INSIDE + 0x18: 0})
    assert row(synth.core_dump(core(broken)))["replay"] == "unclear"


def test_more_than_one_bit_needs_a_pointer_that_was_not_moved_since() -> None:
    assert row(synth.core_dump(core(divided(OBJECT, rcx=0))))["replay"] == "unclear"


def test_without_the_word_that_was_loaded_nothing_is_said() -> None:
    machine = divided(OBJECT, rcx=OBJECT ^ 1 << 20, rax=OBJECT ^ 1 << 46)
    assert row(synth.core_dump(core(machine)))["replay"] is None
    assert of(machine)["wrong_result"].state == "not_judged"


def test_what_other_threads_may_have_changed_counts_for_nothing() -> None:
    machine = divided(OBJECT, rcx=1, rax=OBJECT)
    state = reading(synth.core_dump(core(machine))).state
    assert state is not None
    assert [features.row(replace(state, thread_count=count))["replay"] for count in (1, 2)] == ["one_bit", None]


def test_a_near_null_address_one_bit_from_memory_is_a_null_dereference() -> None:
    assert mechanism(of(Machine("", unmapped(0x200), inside("load", rax=0x200)))) == "null_dereference"


def test_an_overrun_just_past_a_mapping_is_not_one_bit_off() -> None:
    past = (OBJECT & -4096) + 0x1200  # one bit above the object, and 512 bytes behind its mapping
    assert past ^ OBJECT == 0x1000
    assert mechanism(of(Machine("", unmapped(past), inside("load", rax=past, rbx=OBJECT)))) == "unmapped_access"


def test_a_write_is_not_mended_into_read_only_memory() -> None:
    pointer = CONSTANT ^ 1 << 45
    read = Machine("", unmapped(pointer), inside("load", rax=pointer))
    write = Machine("", unmapped(pointer), inside("store", rax=pointer))
    assert [of(machine)["one_bit_off"].state for machine in (read, write)] == ["holds", "does_not_hold"]


# Addresses that the kernel gives, and those that it does not.


def test_si_addr_of_a_general_protection_fault_is_not_believed() -> None:
    told = found(dump("pointer of garbage"))
    assert evidence(told["noncanonical_access"])["access_address"] == 0x1234_5678_9ABC_DEF0
    assert told["null_dereference"].state == "does_not_hold"


def test_a_non_canonical_access_through_rbp_is_a_bus_error() -> None:
    told = found(dump("rbp of text"))["noncanonical_access"]
    assert (evidence(told)["access_address"], evidence(told)["base_register"]) == (TEXT, "rbp")


def test_a_bus_error_with_an_address_is_not_non_canonical() -> None:
    machine = Machine("", fault(7, 2, OBJECT), inside("load", rax=OBJECT))
    assert of(machine)["noncanonical_access"].state == "does_not_hold"


def test_a_call_through_a_non_canonical_pointer_accesses_nothing_non_canonical() -> None:
    machine = Machine("", fault(SIGSEGV, SI_KERNEL), inside("call *rax", rax=TEXT))
    told = of(machine)
    assert (told["noncanonical_access"].state, mechanism(told)) == ("does_not_hold", "jump_to_nonexecutable")


@pytest.mark.parametrize(
    ("pointer", "pattern"),
    [
        (0x5A5A_5A5A_5A5A_5A5A, "0x5a"),
        (0x5A5A_5A5A_5A5A_5A5A - 0x40, "0x5a"),
        (0xCDCD_CDCD_CDCD_CDCD, "0xcd"),
        (0xDEAD_BEEF, "0xdeadbeef"),
        (0xDEAD_BEEF + 0x18, "0xdeadbeef"),
        (0xDEAD_0000_0000_0122, "0xdead"),
    ],
)
def test_a_fill_pattern_is_named_even_a_field_away(pointer: int, pattern: str) -> None:
    given = unmapped(pointer) if pointer < 1 << 47 else fault(SIGSEGV, SI_KERNEL)
    told = of(Machine("", given, inside("load", rax=pointer)))["poison_access"]
    assert (told.state, evidence(told).get("poison")) == ("holds", pattern)


@pytest.mark.parametrize("pointer", [0x5A5A_5A5B_5A5A_5A5A, 0x1234_5678_9ABC_DEF0, 0x5555_5A5A_5555_5A5A])
def test_garbage_is_no_fill_pattern(pointer: int) -> None:
    assert of(Machine("", fault(SIGSEGV, SI_KERNEL), inside("load", rax=pointer)))["poison_access"].state != "holds"


# Who sent the signal.


def sent(signal: int, code: int, pid: int) -> Machine:
    return Machine("", synth.Sent(si_signo=signal, si_code=code, si_pid=pid, si_uid=0), inside("load", rax=OBJECT))


@pytest.mark.parametrize("signal", [3, 6, 11])
def test_the_sender_is_named(signal: int) -> None:
    told = of(sent(signal, 0, 999))
    assert mechanism(told) == "sent_by_process"
    assert evidence(told["sent_by_process"])["sender_pid"] == 999


def test_a_sender_in_another_pid_namespace_is_another_process() -> None:
    assert mechanism(of(sent(6, 0, 0))) == "sent_by_process"


def test_a_process_that_kills_itself_is_no_other() -> None:
    assert of(sent(6, -6, 4711))["sent_by_process"].state == "does_not_hold"


@pytest.mark.parametrize("code", [4, 5])
def test_poisoned_memory_outranks_what_the_pointer_looks_like(code: int) -> None:
    machine = Machine("", fault(7, code, 0x10), inside("load", rax=0x10))
    told = of(machine)
    assert (mechanism(told), told["null_dereference"].state) == ("memory_poisoned", "holds")


def test_the_refused_system_call_is_named() -> None:
    assert evidence(found(dump("a sandbox"))["bad_syscall"])["syscall"] == 435


def test_a_living_process_has_no_other_mechanism() -> None:
    holding = [label for label, finding in found(dump("a living process")).items() if finding.state == "holds"]
    assert holding == ["no_fault"]


# The crash behind a handler.


def test_a_fault_behind_a_handler_is_told_with_its_own_registers() -> None:
    for name in ("a handler that raises SIGABRT", "a handler that raised the fault again and returned"):
        told = row(dump(name))
        assert (told["signal"], told["fault_address"], told["base_value"]) == (SIGSEGV, 0x10, 0x10)


def test_the_two_handlers_are_told_apart() -> None:
    contexts = [reading(dump(name)).state for name in MACHINES if MACHINES[name].besides == ("re_raised",)]
    assert [state.context for state in contexts if state] == ["signal_frame", "recovered"]


def test_a_frame_of_a_signal_that_was_no_fault_is_not_the_crash() -> None:
    told = row(dump("a fault in a handler"))
    assert (told["context"], told["in_signal_handler"]) == ("notes", True)


# What is not seen.

LESS_SEEN = {
    "a handler that raises SIGABRT": "without its stack the core dump shows an abort",
    "a handler that raised the fault again and returned": "without its stack the core dump shows a signal by itself",
    "code patched": "without the dumped code the pc is judged by the file",
}


@pytest.mark.parametrize("name", [name for name in MACHINES if name not in LESS_SEEN])
def test_without_binaries_no_feature_says_another_thing(name: str) -> None:
    whole, bare = row(dump(name)), row(dump(name), binaries=False)
    other = {column: (whole[column], value) for column, value in bare.items() if value not in (None, whole[column])}
    assert other == {}


@pytest.mark.parametrize("name", [name for name in MACHINES if name not in LESS_SEEN])
def test_a_core_dump_that_was_cut_off_never_says_another_thing(name: str) -> None:
    data = dump(name)
    whole_row = row(data)
    whole = {finding.label: finding.state for finding in labels.findings(whole_row)}
    for end in range(CUT_EVERY, len(data), CUT_EVERY):
        cut_row = row(data[:end])
        values = {column: (whole_row[column], value) for column, value in cut_row.items() if value is not None}
        findings = {f.label: (whole[f.label], f.state) for f in labels.findings(cut_row) if f.state != "not_judged"}
        values.pop("instruction_source", None)  # the binary serves where the core dump ends
        assert [(end, name, pair) for name, pair in values.items() if pair[0] != pair[1]] == []
        assert [(end, label, pair) for label, pair in findings.items() if pair[0] != pair[1]] == []


def test_a_living_process_was_sent_nothing_by_nobody() -> None:
    assert row(dump("a living process"))["sender_pid"] is None


# A binary of that name on the machine that reads, which is not the one that crashed.


def another_library(wanted: BinaryWanted) -> Binary | None:
    """At the path of the C library lies that of another release; by build id the right one is known."""
    if wanted == (libc.program.path, None):
        functions = (Function("raise", 8, {"syscall": "0f05"}),)
        return Binary(program(libc.program.path, functions, ("other", "__abort_msg", "__rseq_offset")).data)
    return read_back.found(wanted)


def by_build_id(wanted: BinaryWanted) -> Binary | None:
    return None if wanted.build_id is None else read_back.found(wanted)


def test_another_library_at_the_path_does_not_say_that_there_was_no_message() -> None:
    state = reading(dump("abort by free"), here=another_library).state
    assert state is not None
    told = labels.findings(features.row(state))
    assert labels.mechanism(told) != "abort_other"
    assert (state.abort_message_observed, state.abort_message) != (True, None)


def test_another_library_at_the_path_does_not_say_where_the_thread_ran() -> None:
    assert reading(dump("abort by free"), here=another_library).cpu == MACHINES["abort by free"].cpu


BY_PATH_ALONE = pytest.mark.xfail(reason="the abort message is looked for where the library of that path says")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=BY_PATH_ALONE) if name in TOLD_BY_MESSAGE else name for name in MACHINES],
)
def test_binaries_that_are_known_by_build_id_alone_give_the_same_mechanism(name: str) -> None:
    """As after `broadstreet binaries add`, on a machine that has none of these paths."""
    told = labels.findings(features.row(reading(dump(name), here=by_build_id).state))
    assert labels.mechanism(told) == MACHINES[name].mechanism
