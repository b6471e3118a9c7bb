"""Abort by fortify: a `_chk` function of glibc found that it would write past the buffer.

Known confusion: none; the message names it.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT


def judge(abort_kind: str) -> bool:
    """By message or callers."""
    return abort_kind == "fortify"


RULE = Rule(
    label="abort_fortify",
    summary="A checked library function refused to overflow a buffer.",
    only_if={"signal": (SIGABRT,), "origin": ("self",)},
    needs={"abort_kind": "why it aborted"},
    shows={"abort_message": "glibc's message"},
    judge=judge,
)
