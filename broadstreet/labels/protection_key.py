"""Protection key: the page is mapped with the right, but the thread's pkey register forbids it (SEGV_PKUERR).

Software sets both. Known confusion: none; the kernel names it.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGSEGV

RULE = Rule(
    label="protection_key",
    summary="A protection key forbade the access.",
    only_if={"signal": (SIGSEGV,), "si_code": (4,)},
    shows={"fault_address": "the address", "instruction": "the access"},
)
