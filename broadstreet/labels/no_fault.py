"""No fault: a core dump of a living process, as gcore makes it.

The thread carries no signal. What it was doing is no mechanism of a crash.

Known confusion: a process that was stopped by a debugger in the midst of a crash.
"""

from broadstreet.labels.rule import Rule

RULE = Rule(
    label="no_fault",
    summary="The process was alive: nobody sent a signal.",
    only_if={"origin": ("none",)},
    shows={"raised_signal": "the signal that ended the process"},
)
