"""Unwinding an exception: an unwinder is among the frames, or its code pointers lie just below the stack pointer.

Known confusion: what lies below the stack pointer has already returned and may be a while old; thread cancellation
unwinds too.
"""

from broadstreet.labels.rule import Rule


def judge(unwinder: str) -> bool:
    """Seen."""
    return unwinder != "none"


RULE = Rule(
    label="unwinding_exception",
    summary="An exception was being unwound.",
    needs={"unwinder": "where an unwinder was seen"},
    judge=judge,
)
