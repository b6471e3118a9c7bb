"""Wild stack pointer: it lies in no mapping at all, and not just below one, where a stack that overflowed would be.

Known confusion: a coroutine's stack that was unmapped under it; assembly that switches stacks from a bad context. A
stack in the heap or behind mprotect is mapped, and no wild pointer.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS, SIGSEGV


def judge(sp_in: str, stack_overflow_distance: int) -> bool:
    """In no mapping, and no overflow."""
    return sp_in in ("unmapped", "noncanonical") and stack_overflow_distance == 0


RULE = Rule(
    label="wild_stack_pointer",
    summary="The stack pointer points nowhere.",
    only_if={"signal": (SIGSEGV, SIGBUS), "origin": ("kernel", "self")},
    needs={"sp_in": "what the stack pointer points into", "stack_overflow_distance": "0: not an overflow"},
    shows={"sp": "the stack pointer"},
    judge=judge,
)
