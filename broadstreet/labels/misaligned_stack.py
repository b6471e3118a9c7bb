"""Misaligned stack: the stack pointer is wrong by one word, and moving it back makes sense of the stack.

Not by `rsp & 7`: 8 off keeps that zero. Where the thread stopped at a bad pc: a return popped a word that is no return
address, with rsp 8 modulo 16 (0 after an honest return), and the word next to it is one. Elsewhere, also inside of
abort: the walk by unwind table breaks at a frame whose frame address is 8 modulo 16, and moving rsp by 8 gives at
least two callers behind calls.

Known confusion: unbalanced push and pop in hand-written assembly; a jump into the middle of a function lacks a push
(excluded by asking for a direct call before the mended return address, or that the function went on to call another
which failed). Parity alone is only an ABI violation.
"""

from broadstreet.labels.rule import Rule


def judge(stack_shift: int) -> bool:
    """A shift that mends the chain."""
    return stack_shift != 0


RULE = Rule(
    label="misaligned_stack",
    summary="The stack pointer is 8 bytes off.",
    needs={"stack_shift": "moving the stack pointer by this many bytes mends the chain of callers"},
    shows={
        "sp": "the stack pointer",
        "sp_mod_16": "the stack pointer modulo 16",
        "chain": "the chain of callers as it is",
    },
    judge=judge,
)
