"""Bus error by alignment: SIGBUS with BUS_ADRALN (1). On x86-64 only with EFLAGS.AC set; on AArch64 for exclusives and
atomics on odd addresses.

Known confusion: none; the kernel names it.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS

RULE = Rule(
    label="bus_error_alignment",
    summary="An access was not aligned, and the processor was asked to mind.",
    only_if={"signal": (SIGBUS,), "si_code": (1,)},
    shows={"fault_address": "the address", "instruction": "the access"},
)
