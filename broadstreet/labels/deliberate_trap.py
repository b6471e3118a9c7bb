"""Deliberate trap: ud2, ud1, int3, brk: what compilers emit for __builtin_trap, failed checks and unreachable code.

Known confusion: a wild jump that happens to land on such bytes.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGILL, SIGTRAP


def judge(signal: int, instruction_kind: str) -> bool:
    """A trap instruction, or one that has just run (int3 moves the pc past itself)."""
    return signal == SIGTRAP or instruction_kind == "trap"


RULE = Rule(
    label="deliberate_trap",
    summary="The program trapped on purpose.",
    only_if={"signal": (SIGILL, SIGTRAP), "origin": ("kernel",), "pc_in": ("executable",)},
    needs={"signal": "the signal", "instruction_kind": "what the instruction at the pc is"},
    shows={"instruction": "the instruction"},
    judge=judge,
)
