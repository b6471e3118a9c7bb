"""Illegal instruction: SIGILL on bytes that are no deliberate trap: code for another processor, or a pc gone astray.

Known confusion: valid code on a processor that lacks it (AVX-512 on an old host) is a deployment error, and a wild
jump into data that is executable is a software bug.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGILL


def judge(instruction_kind: str) -> bool:
    """Not a trap."""
    return instruction_kind != "trap"


RULE = Rule(
    label="illegal_instruction",
    summary="The processor refused the instruction.",
    only_if={"signal": (SIGILL,), "origin": ("kernel", "self")},
    needs={"instruction_kind": "what the instruction at the pc is"},
    shows={"instruction": "the instruction", "pc_on_boundary": "whether an instruction begins there"},
    judge=judge,
)
