"""Bad system call: SIGSYS with SYS_SECCOMP (1) or SYS_USER_DISPATCH (2). A new library in an old sandbox, as a rule.

Known confusion: a filter that returns an error instead of a signal leaves no crash, or another one later.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGSYS

RULE = Rule(
    label="bad_syscall",
    summary="A seccomp filter refused a system call.",
    only_if={"signal": (SIGSYS,), "si_code": (1, 2)},
    shows={"syscall": "the system call that was refused"},
)
