"""Control protection: the return address differs from the shadow stack, or an indirect branch met no landing pad.

SEGV_CPERR (10), arch/x86/kernel/cet.c. Known confusion: it is what return_to_null and return_to_nonexecutable become
on a process with shadow stacks: the cause is the same.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGSEGV

RULE = Rule(
    label="control_protection",
    summary="A shadow stack or branch target check failed.",
    only_if={"signal": (SIGSEGV,), "si_code": (10,)},
    shows={"pc": "where the thread was executing"},
)
