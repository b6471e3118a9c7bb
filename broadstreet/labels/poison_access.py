"""Poison access: the base or the address is what allocators and compilers fill freed or uninitialised memory with.

Known confusion: real data that repeats a byte. glibc's MALLOC_PERTURB_ may be any byte, also a printable one, which is
taken for text here.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS, SIGSEGV


def judge(poison: str) -> bool:
    """A fill pattern."""
    return poison != "none"


RULE = Rule(
    label="poison_access",
    summary="The pointer is a fill pattern.",
    only_if={"signal": (SIGSEGV, SIGBUS), "pc_in": ("executable",)},
    needs={"poison": "the fill pattern"},
    shows={"base_value": "the base register's value", "access_address": "the failing address"},
    judge=judge,
)
