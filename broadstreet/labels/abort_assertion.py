"""Abort by assertion: glibc's `assert`. Frameworks with checks of their own end in abort_other.

Known confusion: none; the message or the function names it.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT


def judge(abort_kind: str) -> bool:
    """By message or callers."""
    return abort_kind == "assertion"


RULE = Rule(
    label="abort_assertion",
    summary="An assertion failed.",
    only_if={"signal": (SIGABRT,), "origin": ("self",)},
    needs={"abort_kind": "why it aborted"},
    shows={"abort_message": "glibc's message"},
    judge=judge,
)
