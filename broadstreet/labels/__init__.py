"""The rules, listed by hand in the order of precedence: nothing registers itself.

A case has one mechanism, the first of MECHANISMS that holds. What the kernel states itself comes first, then what
single bits and words prove, then how control was lost, then which access failed, then why a program ended itself.
"""

from collections.abc import Mapping

from broadstreet.labels import (
    abort_assertion,
    abort_fortify,
    abort_heap_corruption,
    abort_other,
    abort_stack_smashing,
    abort_uncaught_exception,
    bad_syscall,
    bus_error_alignment,
    bus_error_truncated_file,
    call_to_null,
    code_mismatch,
    control_protection,
    deliberate_trap,
    divide_error,
    forked_child,
    illegal_instruction,
    impossible_fault,
    in_signal_handler,
    jump_to_nonexecutable,
    memory_poisoned,
    misaligned_stack,
    no_fault,
    noncanonical_access,
    null_dereference,
    one_bit_off,
    poison_access,
    protection_key,
    re_raised,
    resource_limit,
    return_to_nonexecutable,
    return_to_null,
    sent_by_process,
    stack_overflow,
    unmapped_access,
    unwinding_exception,
    wild_stack_pointer,
    write_to_readonly,
    wrong_result,
)
from broadstreet.labels.rule import Rule
from broadstreet.records.finding import Finding, Value

RULES_VERSION = 2
MECHANISMS: tuple[Rule, ...] = (
    no_fault.RULE,
    sent_by_process.RULE,
    memory_poisoned.RULE,
    protection_key.RULE,
    control_protection.RULE,
    bad_syscall.RULE,
    resource_limit.RULE,
    code_mismatch.RULE,
    misaligned_stack.RULE,
    wild_stack_pointer.RULE,
    one_bit_off.RULE,
    wrong_result.RULE,
    return_to_null.RULE,
    call_to_null.RULE,
    return_to_nonexecutable.RULE,
    jump_to_nonexecutable.RULE,
    stack_overflow.RULE,
    deliberate_trap.RULE,
    illegal_instruction.RULE,
    divide_error.RULE,
    bus_error_truncated_file.RULE,
    bus_error_alignment.RULE,
    null_dereference.RULE,
    poison_access.RULE,
    noncanonical_access.RULE,
    write_to_readonly.RULE,
    unmapped_access.RULE,
    impossible_fault.RULE,
    abort_stack_smashing.RULE,
    abort_fortify.RULE,
    abort_assertion.RULE,
    abort_heap_corruption.RULE,
    abort_uncaught_exception.RULE,
    abort_other.RULE,
)
CONTEXTS: tuple[Rule, ...] = (
    unwinding_exception.RULE,
    in_signal_handler.RULE,
    re_raised.RULE,
    forked_child.RULE,
)
# A page of code is seldom in a core dump, so that this one was not judged says nothing about how much was seen.
SELDOM_JUDGED = ("code_mismatch", "wrong_result")
UNCLASSIFIED, NOT_JUDGED = "unclassified", "not_judged"


def findings(row: Mapping[str, Value]) -> tuple[Finding, ...]:
    """Every rule's answer, in the order of precedence."""
    return tuple(rule.finding(row) for rule in (*MECHANISMS, *CONTEXTS))


def mechanism(found: tuple[Finding, ...]) -> str:
    """The one label of a case: the first mechanism that holds; else whether all was seen."""
    mechanisms = found[: len(MECHANISMS)]
    for finding in mechanisms:
        if finding.state == "holds":
            return finding.label
    open_ = [f for f in mechanisms if f.state == "not_judged" and f.label not in SELDOM_JUDGED]
    return NOT_JUDGED if open_ else UNCLASSIFIED
