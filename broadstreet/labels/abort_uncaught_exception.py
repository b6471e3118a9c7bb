"""Abort by std::terminate: an uncaught exception, a throw from noexcept, a pure virtual call.

Known confusion: a program that calls std::terminate itself.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT


def judge(abort_kind: str) -> bool:
    """By message or callers."""
    return abort_kind == "uncaught_exception"


RULE = Rule(
    label="abort_uncaught_exception",
    summary="An exception reached no handler.",
    only_if={"signal": (SIGABRT,), "origin": ("self",)},
    needs={"abort_kind": "why it aborted"},
    shows={"abort_message": "glibc's message"},
    judge=judge,
)
