"""Null dereference: the base register is null and the offset is small, or the address lies in the first page.

Known confusion: a large index into a null array leaves the first pages (unmapped_access); a small integer used as a
pointer looks the same.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS, SIGSEGV


def judge(null_base: bool) -> bool:
    """From a null base."""
    return null_base


RULE = Rule(
    label="null_dereference",
    summary="A small offset from a null pointer was accessed.",
    only_if={"signal": (SIGSEGV, SIGBUS), "pc_in": ("executable",)},
    needs={"null_base": "the address is a small offset from null"},
    shows={
        "access_address": "the failing address",
        "access_kind": "read or write",
        "base_register": "the base register",
        "instruction": "the access",
    },
    judge=judge,
)
