"""Resource limit: SIGXCPU (CPU time) or SIGXFSZ (file size, which the kernel sends in the process's own name).

Known confusion: a process may send itself either signal; nobody is known to.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGXCPU, SIGXFSZ

RULE = Rule(
    label="resource_limit",
    summary="A resource limit was reached.",
    only_if={"raised_signal": (SIGXCPU, SIGXFSZ), "origin": ("kernel", "self")},
)
