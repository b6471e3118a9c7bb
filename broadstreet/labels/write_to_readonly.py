"""Write to read-only memory: constants, code, relocated tables, a page behind mprotect.

Known confusion: a stack or heap that a guard tool made read-only.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGSEGV


def judge(access_kind: str) -> bool:
    """A write."""
    return access_kind == "write"


RULE = Rule(
    label="write_to_readonly",
    summary="Memory without write permission was written to.",
    only_if={"signal": (SIGSEGV,), "si_code": (2,), "access_in": ("readonly",)},
    needs={"access_kind": "read or write"},
    shows={"access_address": "the failing address", "instruction": "the access"},
    judge=judge,
)
