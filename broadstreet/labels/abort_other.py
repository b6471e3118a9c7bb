"""Abort: `abort` was called by none of the checks that Broad Street knows; the callers tell.

Known confusion: a framework's failed check, whose message went to a log and not to the C library.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT


def judge(abort_kind: str) -> bool:
    """No known check."""
    return abort_kind in ("message", "silent")


RULE = Rule(
    label="abort_other",
    summary="The program aborted itself, and did not say why.",
    only_if={"signal": (SIGABRT,), "origin": ("self",)},
    needs={"abort_kind": "why it aborted"},
    shows={"abort_message": "glibc's message"},
    judge=judge,
)
