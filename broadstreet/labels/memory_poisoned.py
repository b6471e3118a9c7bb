"""Memory poisoned: the kernel's own statement that hardware lost the contents of a page.

SIGBUS with BUS_MCEERR_AR (4, the thread consumed it) or BUS_MCEERR_AO (5, found by scrubbing): mm/memory-failure.c.

Known confusion: a test can inject it (madvise MADV_HWPOISON, which needs CAP_SYS_ADMIN).
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS

RULE = Rule(
    label="memory_poisoned",
    summary="The kernel reports that the memory is broken.",
    only_if={"signal": (SIGBUS,), "si_code": (4, 5)},
    shows={"fault_address": "the poisoned page"},
)
