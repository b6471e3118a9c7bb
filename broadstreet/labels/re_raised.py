"""Re-raised: a handler took the fault and aborted, or raised it again; the registers here are those of the first fault.

Where the process sent itself a fault signal but no saved context was found, this could not be judged: it may have
raised the signal without a fault.

Known confusion: a handler for another signal that raises this one by itself.
"""

from broadstreet.labels.rule import Rule


def judge(earlier_context: str) -> bool:
    """Found."""
    return earlier_context != "none"


RULE = Rule(
    label="re_raised",
    summary="A handler stood between the crash and the core dump.",
    needs={"earlier_context": "where the first fault's registers were found"},
    judge=judge,
)
