"""In a signal handler: a signal frame is among the callers of the crash.

Known confusion: a coroutine that a signal handler switched to never returns through the frame.
"""

from broadstreet.labels.rule import Rule


def judge(in_signal_handler: bool) -> bool:
    """As observed."""
    return in_signal_handler


RULE = Rule(
    label="in_signal_handler",
    summary="The thread was inside of a signal handler.",
    needs={"in_signal_handler": "a signal frame is among the callers"},
    judge=judge,
)
