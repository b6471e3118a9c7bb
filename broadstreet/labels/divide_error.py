"""Divide error: by zero, or a quotient that does not fit (x86 raises the same FPE_INTDIV for both).

Known confusion: none; floating-point errors have other codes.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGFPE

RULE = Rule(
    label="divide_error",
    summary="An integer division failed.",
    only_if={"signal": (SIGFPE,), "si_code": (1,)},
    shows={"instruction": "the instruction"},
)
