"""Abort by heap check: malloc or free met a chunk that cannot be.

Known confusion: the thread that finds it is rarely the one that did it; a flipped bit in a pointer to be freed
reads `free(): invalid pointer`.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT


def judge(abort_kind: str) -> bool:
    """By message or callers."""
    return abort_kind == "heap_corruption"


RULE = Rule(
    label="abort_heap_corruption",
    summary="The allocator found its heap damaged.",
    only_if={"signal": (SIGABRT,), "origin": ("self",)},
    needs={"abort_kind": "why it aborted"},
    shows={"abort_message": "glibc's message"},
    judge=judge,
)
