"""Every rule on rows by hand: where it holds, where its nearest neighbours do not, and where it abstains.

A row here has only the columns that the rule rests on; all others are null. So a rule that quietly rests on another
column abstains, and fails its first test.
"""

from typing import NamedTuple

import pytest

from broadstreet.labels import CONTEXTS, MECHANISMS, findings, mechanism
from broadstreet.labels.rule import Rule
from broadstreet.records.columns import FEATURES
from broadstreet.records.finding import Finding, Value

Row = dict[str, Value]
NULLS: Row = {column.name: None for column in FEATURES}
RULES = {rule.label: rule for rule in (*MECHANISMS, *CONTEXTS)}
SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS = 3, 4, 5, 6, 7, 8, 11, 24, 25, 31
ABORTED: Row = {"signal": SIGABRT, "origin": "self"}
ACCESS: Row = {"signal": SIGSEGV, "pc_in": "executable"}


class Trial(NamedTuple):
    """The columns that a rule rests on, with which it holds; and changes to them with which it does not."""

    holds: Row
    near_misses: dict[str, Row]
    also_holds: tuple[Row, ...] = ()


def aborted(kind: str, **others: str) -> Trial:
    """A rule about one kind of abort."""
    near: dict[str, Row] = {f"it is {sentence}": {"abort_kind": other} for sentence, other in others.items()}
    near |= {
        "nothing aborted": {"abort_kind": "none"},
        "another process sent SIGABRT": {"origin": "other_process"},
        "the signal is a fault": {"signal": SIGSEGV},
    }
    return Trial({**ABORTED, "abort_kind": kind}, near)


TRIALS: dict[str, Trial] = {
    "no_fault": Trial({"origin": "none"}, {"the process killed itself": {"origin": "self"}}),
    "sent_by_process": Trial(
        {"origin": "other_process"},
        {"it sent the signal to itself": {"origin": "self"}, "the kernel raised it": {"origin": "kernel"}},
    ),
    "memory_poisoned": Trial(
        {"signal": SIGBUS, "si_code": 4},
        {
            "the file was too short (BUS_ADRERR)": {"si_code": 2},
            "the address was odd (BUS_ADRALN)": {"si_code": 1},
            "SIGSEGV with the same number is a protection key": {"signal": SIGSEGV},
        },
        ({"si_code": 5},),
    ),
    "protection_key": Trial(
        {"signal": SIGSEGV, "si_code": 4},
        {
            "the page lacks the right (SEGV_ACCERR)": {"si_code": 2},
            "SIGBUS with 4 is broken memory": {"signal": SIGBUS},
        },
    ),
    "control_protection": Trial(
        {"signal": SIGSEGV, "si_code": 10},
        {"it returned to null without a shadow stack": {"si_code": 1}, "another signal": {"signal": SIGBUS}},
    ),
    "bad_syscall": Trial(
        {"signal": SIGSYS, "si_code": 1},
        {"the process sent itself SIGSYS": {"si_code": -6}, "another signal": {"signal": SIGILL}},
        ({"si_code": 2},),
    ),
    "resource_limit": Trial(
        {"raised_signal": SIGXCPU, "origin": "kernel"},
        {
            "another process sent SIGXCPU": {"origin": "other_process"},
            "a kill by the memory limit has no core dump, and SIGKILL is another": {"raised_signal": 9},
        },
        ({"raised_signal": SIGXFSZ, "origin": "self"},),
    ),
    "code_mismatch": Trial(
        {"code_bits_different": 1},
        {"the code is that of the file": {"code_bits_different": 0}, "a hook changed it": {"code_bits_different": 2}},
    ),
    "misaligned_stack": Trial(
        {"stack_shift": 8},
        {"the chain is whole at odd parity, or no shift helps": {"stack_shift": 0}},
        ({"stack_shift": -8},),
    ),
    "wild_stack_pointer": Trial(
        {"signal": SIGSEGV, "origin": "kernel", "sp_in": "unmapped", "stack_overflow_distance": 0},
        {
            "the stack is in the heap": {"sp_in": "writable"},
            "the stack was made read-only": {"sp_in": "readonly"},
            "it lies just below a stack": {"sp_in": "below_mapping"},
            "it lies at the upper end of a stack": {"sp_in": "above_mapping"},
            "a frame larger than the guard overflowed": {"stack_overflow_distance": 4096},
            "another process killed it": {"origin": "other_process"},
            "it aborted": {"signal": SIGABRT},
        },
        ({"sp_in": "noncanonical"}, {"signal": SIGBUS}),
    ),
    "one_bit_off": Trial(
        {"signal": SIGSEGV, "origin": "kernel", "one_bit": "far"},
        {
            "no strict repair exists": {"one_bit": "none"},
            "another process killed it": {"origin": "other_process"},
            "the signal is no fault": {"signal": SIGQUIT},
        },
        tuple({"one_bit": kind} for kind in ("sp", "pc", "twin", "near", "behind", "noncanonical")),
    ),
    "wrong_result": Trial(
        {"signal": SIGSEGV, "origin": "kernel", "replay": "one_bit"},
        {
            "the registers are what the code left in them": {"replay": "agrees"},
            "an index may have moved the register": {"replay": "unclear"},
            "another process killed it": {"origin": "other_process"},
            "it aborted": {"signal": SIGABRT},
        },
        ({"replay": "lost"}, {"replay": "differs"}, {"signal": SIGFPE}),
    ),
    "return_to_null": Trial(
        {"pc": 0, "bad_branch": "return"},
        {
            "null was called": {"bad_branch": "call"},
            "null was jumped to": {"bad_branch": "jump"},
            "it popped something else": {"pc": 0x1000},
        },
    ),
    "call_to_null": Trial(
        {"pc": 0, "bad_branch": "call"},
        {"a return popped zero": {"bad_branch": "return"}, "the pointer was not null": {"pc": 8}},
        ({"bad_branch": "jump"},),
    ),
    "return_to_nonexecutable": Trial(
        {"pc": 0x5555_5600_0200, "bad_branch": "return"},
        {
            "it popped zero": {"pc": 0},
            "it was called": {"bad_branch": "call"},
            "a pointer that also stands below the stack was jumped through": {"bad_branch": "jump"},
            "the pc is code": {"bad_branch": "none"},
        },
    ),
    "jump_to_nonexecutable": Trial(
        {"pc": 0x5555_5600_0200, "bad_branch": "call"},
        {
            "the pointer was null": {"pc": 0},
            "a return popped it": {"bad_branch": "return"},
            "the pc is code": {"bad_branch": "none"},
        },
        ({"bad_branch": "jump"},),
    ),
    "stack_overflow": Trial(
        {**ACCESS, "stack_overflow_distance": 8},
        {
            "the access is elsewhere": {"stack_overflow_distance": 0},
            "the pc is no code": {"pc_in": "unmapped"},
            "it aborted": {"signal": SIGABRT},
        },
        ({"signal": SIGBUS},),
    ),
    "deliberate_trap": Trial(
        {"signal": SIGILL, "origin": "kernel", "pc_in": "executable", "instruction_kind": "trap"},
        {
            "the processor does not know the instruction": {"instruction_kind": "other"},
            "another process sent it": {"origin": "other_process"},
            "the pc is no code": {"pc_in": "nonexecutable"},
            "a fault": {"signal": SIGSEGV},
        },
        ({"signal": SIGTRAP, "instruction_kind": "other"},),
    ),
    "illegal_instruction": Trial(
        {"signal": SIGILL, "origin": "kernel", "instruction_kind": "other"},
        {
            "the program trapped on purpose": {"instruction_kind": "trap"},
            "another process sent SIGILL": {"origin": "other_process"},
            "a breakpoint": {"signal": SIGTRAP},
        },
        ({"instruction_kind": "undecodable"},),
    ),
    "divide_error": Trial(
        {"signal": SIGFPE, "si_code": 1},
        {
            "a floating-point exception": {"si_code": 3},
            "sent by a process": {"si_code": 0},
            "no SIGFPE": {"signal": 11},
        },
    ),
    "bus_error_truncated_file": Trial(
        {"signal": SIGBUS, "si_code": 2},
        {
            "the kernel says that memory is broken": {"si_code": 4},
            "the address was odd": {"si_code": 1},
            "a non-canonical access through rbp": {"si_code": 128},
            "SIGSEGV with 2 is a missing right": {"signal": SIGSEGV},
        },
    ),
    "bus_error_alignment": Trial(
        {"signal": SIGBUS, "si_code": 1},
        {"the file was too short": {"si_code": 2}, "SIGSEGV with 1 is an unmapped address": {"signal": SIGSEGV}},
    ),
    "null_dereference": Trial(
        {**ACCESS, "null_base": True},
        {
            "a large index left the first pages": {"null_base": False},
            "null was called": {"pc_in": "unmapped"},
            "it aborted": {"signal": SIGABRT},
        },
    ),
    "poison_access": Trial(
        {**ACCESS, "poison": "0x5a"},
        {"no fill pattern": {"poison": "none"}, "the pattern was called": {"pc_in": "noncanonical"}},
        ({"signal": SIGBUS},),
    ),
    "noncanonical_access": Trial(
        {**ACCESS, "si_code": 128, "access_in": "noncanonical"},
        {
            "the signal could not be delivered (SI_KERNEL too)": {"access_in": "unmapped"},
            "the instruction accesses nothing": {"access_in": "no_access"},
            "the kernel gave an address": {"si_code": 1},
            "the pc is the wrong address": {"pc_in": "noncanonical"},
        },
        ({"signal": SIGBUS},),
    ),
    "write_to_readonly": Trial(
        {"signal": SIGSEGV, "si_code": 2, "access_in": "readonly", "access_kind": "write"},
        {
            "it was read": {"access_kind": "read"},
            "it was executed": {"access_kind": "fetch"},
            "nothing may touch it": {"access_in": "no_rights"},
            "nothing is mapped": {"si_code": 1},
        },
    ),
    "unmapped_access": Trial(
        {**ACCESS, "si_code": 1, "access_in": "unmapped", "access_kind": "read", "null_base": False},
        {
            "the base was null": {"null_base": True},
            "the instruction touches no such address": {"access_kind": "none"},
            "the memory is read-only": {"access_in": "readonly"},
            "the address cannot exist": {"access_in": "noncanonical"},
            "a protection key": {"si_code": 4},
            "the pc is the wrong address": {"pc_in": "unmapped"},
        },
        ({"access_in": "no_rights", "si_code": 2}, {"access_kind": "write"}, {"access_in": "null_page"}),
    ),
    "impossible_fault": Trial(
        {**ACCESS, "si_code": 1, "access_matches": False, "access_in": "unmapped", "access_kind": "none"},
        {
            "the instruction can touch the address, and it is unmapped": {"access_matches": True},
            "constants were written": {"access_matches": True, "access_in": "readonly", "access_kind": "write"},
            "the kernel gave no address": {"si_code": 128},
            "the pc is the wrong address": {"pc_in": "unmapped"},
        },
        (
            {"access_matches": True, "access_in": "writable", "access_kind": "write"},
            {"access_matches": True, "access_in": "readonly", "access_kind": "read"},
        ),
    ),
    "abort_stack_smashing": aborted("stack_smashing", fortify="fortify", heap="heap_corruption"),
    "abort_fortify": aborted("fortify", stack_protector="stack_smashing", assertion="assertion"),
    "abort_assertion": aborted("assertion", own_check="silent", other_message="message"),
    "abort_heap_corruption": aborted("heap_corruption", stack_protector="stack_smashing", silent="silent"),
    "abort_uncaught_exception": aborted("uncaught_exception", silent="silent", assertion="assertion"),
    "abort_other": aborted("silent", assertion="assertion", heap="heap_corruption", terminate="uncaught_exception"),
    "unwinding_exception": Trial(
        {"unwinder": "frame"}, {"no unwinder was at work": {"unwinder": "none"}}, ({"unwinder": "below_sp"},)
    ),
    "in_signal_handler": Trial(
        {"in_signal_handler": True}, {"the walk reached the outermost frame without one": {"in_signal_handler": False}}
    ),
    "re_raised": Trial(
        {"earlier_context": "signal_frame"},
        {"no handler stood between": {"earlier_context": "none"}},
        ({"earlier_context": "recovered"},),
    ),
    "forked_child": Trial(
        {"forked_without_exec": True}, {"it called exec, or was not forked": {"forked_without_exec": False}}
    ),
}
every_rule = pytest.mark.parametrize("label", TRIALS)
near_misses = [
    pytest.param(label, changes, id=f"{label}: {why}")
    for label, trial in TRIALS.items()
    for why, changes in trial.near_misses.items()
]
variants = [
    pytest.param(label, changes, id=f"{label}: {changes}")
    for label, trial in TRIALS.items()
    for changes in trial.also_holds
]
abstentions = [(label, name) for label, trial in TRIALS.items() for name in trial.holds]


def answer(label: str, **changes: Value) -> Finding:
    return RULES[label].finding({**NULLS, **TRIALS[label].holds, **changes})


def test_every_rule_has_its_trial() -> None:
    assert list(TRIALS) == list(RULES)


@every_rule
def test_a_rule_holds_on_its_own_crash(label: str) -> None:
    assert answer(label).state == "holds"


@pytest.mark.parametrize(("label", "changes"), variants)
def test_a_rule_holds_on_every_form_of_its_crash(label: str, changes: Row) -> None:
    assert answer(label, **changes).state == "holds"


@pytest.mark.parametrize(("label", "changes"), near_misses)
def test_a_rule_does_not_hold_on_its_neighbours(label: str, changes: Row) -> None:
    assert answer(label, **changes).state == "does_not_hold"


@pytest.mark.parametrize(("label", "name"), abstentions)
def test_a_rule_abstains_and_names_what_it_lacks(label: str, name: str) -> None:
    found = answer(label, **{name: None})
    assert (found.state, found.needs) == ("not_judged", (name,))


@every_rule
def test_the_evidence_gives_the_values_that_were_judged(label: str) -> None:
    told = {evidence.feature: evidence.value for evidence in answer(label).evidence}
    assert told == TRIALS[label].holds


def test_what_settles_a_rule_outweighs_what_is_missing() -> None:
    found = answer("unmapped_access", signal=SIGILL, access_kind=None)
    assert (found.state, found.needs) == ("does_not_hold", ())
    assert [(e.feature, e.value, e.meaning) for e in found.evidence] == [("signal", SIGILL, "not 11")]


def test_everything_that_is_missing_is_named_once() -> None:
    found = answer("deliberate_trap", signal=None, instruction_kind=None)
    assert found.needs == ("signal", "instruction_kind")


def test_evidence_that_is_only_shown_decides_nothing() -> None:
    bare = answer("return_to_null")
    shown = answer("return_to_null", word_below_sp=0x1234, sp_mod_16=8, call_before_word_at_sp="indirect")
    assert (bare.state, shown.state) == ("holds", "holds")
    assert {e.feature for e in shown.evidence} - {e.feature for e in bare.evidence} == {
        "word_below_sp",
        "sp_mod_16",
        "call_before_word_at_sp",
    }


def rule(**changes: object) -> Rule:
    known: dict[str, object] = {"label": "odd", "summary": "Odd.", "needs": {"sp": "the stack pointer"}}
    return Rule(**{"judge": lambda sp: sp % 8 == 1, **known, **changes})  # type: ignore[arg-type]


def test_a_rule_tells_zero_from_null() -> None:
    assert rule(judge=lambda sp: sp == 0).finding({"sp": 0}).state == "holds"
    assert rule(judge=lambda sp: sp == 0).finding({"sp": None}).state == "not_judged"


def test_a_rule_tells_false_from_null() -> None:
    allowed = rule(only_if={"null_base": (False,)}, needs={}, judge=lambda: True)
    assert [allowed.finding({"null_base": value}).state for value in (False, True, None)] == [
        "holds",
        "does_not_hold",
        "not_judged",
    ]


def holding(*labels: str, lacking: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    return tuple(
        Finding(label, "holds" if label in labels else "not_judged" if label in lacking else "does_not_hold")
        for label in RULES
    )


def test_the_mechanism_is_the_first_that_holds() -> None:
    assert mechanism(holding("unmapped_access", "one_bit_off", "abort_other")) == "one_bit_off"


def test_a_context_finding_is_no_mechanism() -> None:
    assert mechanism(holding("re_raised", "forked_child")) == "unclassified"


def test_a_mechanism_that_was_not_judged_leaves_the_case_open() -> None:
    assert mechanism(holding(lacking=("poison_access",))) == "not_judged"


def test_a_mechanism_that_holds_closes_the_case() -> None:
    assert mechanism(holding("null_dereference", lacking=("one_bit_off",))) == "null_dereference"


def test_code_that_was_not_dumped_leaves_no_case_open() -> None:
    assert mechanism(holding(lacking=("code_mismatch",))) == "unclassified"


def test_a_context_that_was_not_judged_leaves_no_case_open() -> None:
    assert mechanism(holding(lacking=("unwinding_exception", "re_raised"))) == "unclassified"


def test_nothing_seen_is_not_judged() -> None:
    assert mechanism(findings(NULLS)) == "not_judged"
