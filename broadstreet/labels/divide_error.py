"""Divide error: by zero, or a quotient that does not fit (x86 raises the same FPE_INTDIV for both)."""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGFPE

RULE = Rule(
    label="divide_error",
    summary="An integer division failed.",
    only_if={"signal": (SIGFPE,), "si_code": (1,)},
    shows={"instruction": "the instruction"},
)
