"""Stack overflow: the access failed just below a writable mapping, with the stack pointer close to it.

Known confusion: an array on the stack far larger than the guard can jump over it; a write just below an unrelated
mapping, when the stack happens to be near.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS, SIGSEGV


def judge(stack_overflow_distance: int) -> bool:
    """Below a stack, near the stack pointer."""
    return stack_overflow_distance > 0


RULE = Rule(
    label="stack_overflow",
    summary="The stack ran into its guard.",
    only_if={"signal": (SIGSEGV, SIGBUS), "pc_in": ("executable",)},
    needs={"stack_overflow_distance": "how far below the stack's mapping the access failed"},
    shows={"access_address": "the failing address", "sp": "the stack pointer"},
    judge=judge,
)
