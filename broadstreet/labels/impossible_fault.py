"""Impossible fault: the instruction cannot touch the fault address, or the memory there allows what it did.

Known confusion: another thread called mprotect, munmap or madvise between the fault and the core dump; a write to the
code between. Faults injected by ptrace obey the architecture, so the recall of this rule has never been measured;
give it no weight until it is.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGSEGV


def judge(access_matches: bool, access_in: str, access_kind: str) -> bool:
    """Not this instruction's address, or one that it may touch."""
    return not access_matches or access_in == "writable" or (access_in == "readonly" and access_kind == "read")


RULE = Rule(
    label="impossible_fault",
    summary="The instruction could not have failed like this.",
    only_if={"signal": (SIGSEGV,), "si_code": (1, 2), "pc_in": ("executable",)},
    needs={
        "access_matches": "whether the instruction can touch the fault address",
        "access_in": "what lies there",
        "access_kind": "read or write",
    },
    shows={"fault_address": "the fault address", "instruction": "the instruction"},
    judge=judge,
)
