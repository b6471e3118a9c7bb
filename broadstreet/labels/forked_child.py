"""Forked child: the kernel's task flag PF_FORKNOEXEC. In a threaded program only async-signal-safe functions are
allowed there.

Known confusion: servers that fork workers on purpose (prefork) have it always.
"""

from broadstreet.labels.rule import Rule


def judge(forked_without_exec: bool) -> bool:
    """As observed."""
    return forked_without_exec


RULE = Rule(
    label="forked_child",
    summary="A child that was forked and never called exec.",
    needs={"forked_without_exec": "the kernel's task flag"},
    judge=judge,
)
