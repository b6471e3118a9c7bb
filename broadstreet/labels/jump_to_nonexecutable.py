"""Jump to non-executable memory: a wild function pointer, a stale virtual table, a library that was unloaded.

Known confusion: a return whose slot below the stack pointer was overwritten by a signal handler on the same stack
(the kernel keeps 128 bytes free, so only by an alternate-stack bug).
"""

from broadstreet.labels.rule import Rule


def judge(bad_branch: str, pc: int) -> bool:
    """Reached by a call or a jump, and not zero."""
    return bad_branch in ("call", "jump") and pc != 0


RULE = Rule(
    label="jump_to_nonexecutable",
    summary="A call or jump went to an address that is no code.",
    needs={"bad_branch": "how control left the code", "pc": "where it went"},
    shows={
        "pc_in": "what lies there",
        "word_at_sp": "the word at the stack pointer",
        "call_before_word_at_sp": "indirect if it was called",
        "branch_target": "where the branch would go",
    },
    judge=judge,
)
