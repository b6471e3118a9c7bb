"""Unmapped access: a canonical address where no mapping is, or one without any rights.

Use after munmap, a wild or overrun pointer, a large index from null.

Known confusion: it is what remains when nothing more can be said of the pointer.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGSEGV


def judge(access_kind: str, null_base: bool) -> bool:
    """A read or write, not from null."""
    return access_kind in ("read", "write") and not null_base


RULE = Rule(
    label="unmapped_access",
    summary="Nothing is mapped at the address, or nothing may touch it.",
    only_if={
        "signal": (SIGSEGV,),
        "si_code": (1, 2, 128),
        "pc_in": ("executable",),
        "access_in": ("unmapped", "no_rights", "null_page"),
    },
    needs={"access_kind": "read or write", "null_base": "false: no null base"},
    shows={"access_address": "the failing address", "base_register": "the base register", "instruction": "the access"},
    judge=judge,
)
