"""Code mismatch: the dumped code near the pc differs from the binary with that build id in exactly one bit.

A page of code is in the core dump only if it was written to, or if coredump_filter asks for it: else this cannot be
judged. More than one bit is software's work as a rule (a hook, a probe's int3, a patched call), so it does not
hold then; the count is in the evidence.

Known confusion: a fault injected by ptrace or a one-bit patch by a tool.
"""

from broadstreet.labels.rule import Rule


def judge(code_bits_different: int) -> bool:
    """Exactly one bit."""
    return code_bits_different == 1


RULE = Rule(
    label="code_mismatch",
    summary="The code in memory differs from the file by exactly one bit.",
    needs={"code_bits_different": "bits in which the dumped code differs from the binary"},
    judge=judge,
)
