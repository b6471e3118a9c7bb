"""Call to null: a call or a tail jump through a null pointer.

The word at the stack pointer is a return address: after an indirect call it is the call's own; after a tail jump it is
that of the function that jumped.

Known confusion: see return_to_null.
"""

from broadstreet.labels.rule import Rule


def judge(bad_branch: str) -> bool:
    """Reached by a call or a jump."""
    return bad_branch in ("call", "jump")


RULE = Rule(
    label="call_to_null",
    summary="A null function pointer was called.",
    only_if={"pc": (0,)},
    needs={"bad_branch": "how control left the code"},
    shows={
        "word_at_sp": "the word at the stack pointer",
        "call_before_word_at_sp": "indirect if null was called, direct if it was jumped to",
        "word_below_sp": "the word below it",
    },
    judge=judge,
)
