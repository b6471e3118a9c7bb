"""Abort by stack protector: a function's canary was changed when it returned.

Known confusion: a stack pointer that is 8 off makes a sound canary look changed (misaligned_stack is asked first).
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT


def judge(abort_kind: str) -> bool:
    """By message or callers."""
    return abort_kind == "stack_smashing"


RULE = Rule(
    label="abort_stack_smashing",
    summary="The stack protector found its canary changed.",
    only_if={"signal": (SIGABRT,), "origin": ("self",)},
    needs={"abort_kind": "why it aborted"},
    shows={"abort_message": "glibc's message"},
    judge=judge,
)
