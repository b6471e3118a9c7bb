"""Bus error beyond the end of a file: SIGBUS with BUS_ADRERR (2): the file was truncated, or its storage failed.

Known confusion: an input/output error while paging in, and hugetlb pages that ran out, raise the same code.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS

RULE = Rule(
    label="bus_error_truncated_file",
    summary="A mapped file was shorter than its mapping.",
    only_if={"signal": (SIGBUS,), "si_code": (2,)},
    shows={"fault_address": "the address", "instruction": "the access"},
)
