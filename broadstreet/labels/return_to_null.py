"""Return to null: the thread executed `ret` and popped zero.

`ret` leaves the word that it popped just below the stack pointer, in the red zone, which the kernel preserves. A call
through a null pointer also stops at pc 0, but then the word at the stack pointer is the address after an indirect
call; a tail jump through null leaves its caller's return address there, with the stack pointer 8 modulo 16.

Known confusion: `push 0; ret` at the entry of a function looks like a tail jump.
"""

from broadstreet.labels.rule import Rule


def judge(bad_branch: str) -> bool:
    """Reached by a return."""
    return bad_branch == "return"


RULE = Rule(
    label="return_to_null",
    summary="A return instruction popped zero.",
    only_if={"pc": (0,)},
    needs={"bad_branch": "how control left the code"},
    shows={
        "word_below_sp": "the word that a ret would have popped",
        "word_at_sp": "the word at the stack pointer",
        "call_before_word_at_sp": "indirect if null was called",
        "sp_mod_16": "0 after a return, 8 on entry to a function",
    },
    judge=judge,
)
