"""Wrong result: a register does not hold what the instructions that were executed just before leave in it.

They are computed again from the registers that are still there, from constants, and from memory that nothing has
stored to since. One bit off, or still what it was before it was last written: a wrong or a lost result. More, where the
function was entered by a call as the stack says: one of both, further back in the line.

Known confusion: a debugger that changed a register; a jump into the middle of a line through a bad pointer, where the
stack fits by chance.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS, SIGFPE, SIGILL, SIGSEGV


def judge(replay: str) -> bool:
    """A register that the code contradicts."""
    return replay in ("one_bit", "lost", "differs")


RULE = Rule(
    label="wrong_result",
    summary="A register does not hold what the code just executed leaves in it.",
    only_if={"signal": (SIGILL, SIGBUS, SIGFPE, SIGSEGV), "origin": ("kernel", "self")},
    needs={"replay": "the registers against the code just executed"},
    shows={"replay_register": "the register", "replay_value": "what it must hold"},
    judge=judge,
)
