"""Return to non-executable memory: the popped word, now the pc, is no code; or it is no address at all, and then the
processor stops at the `ret` itself (SIGSEGV with si_code 128).

Known confusion: a jump through a pointer that also stands just below the stack pointer.
"""

from broadstreet.labels.rule import Rule


def judge(bad_branch: str, pc: int) -> bool:
    """Reached by a return, and not zero."""
    return bad_branch == "return" and pc != 0


RULE = Rule(
    label="return_to_nonexecutable",
    summary="A return instruction popped an address that is no code.",
    needs={"bad_branch": "how control left the code", "pc": "where it went"},
    shows={
        "pc_in": "what lies there",
        "word_below_sp": "the word that a ret would have popped",
        "branch_target": "the word to be popped",
    },
    judge=judge,
)
