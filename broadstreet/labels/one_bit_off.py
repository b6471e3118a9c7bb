"""One bit off: the failing address, the stack pointer or the pc would make sense with one bit the other way.

Strict form only: a non-canonical address that one bit of its base makes valid; a canonical one whose mended base also
stands in another register or nearby on the stack (twin), lies within 512 bytes of a pointer that does (near), or that
is more than 64 MiB from all memory (far); a pointer that the address was loaded through, of which the thread has many
twins with one bit the other way (behind); a stack pointer whose mended form gives a chain of callers; a popped pc one
bit from a return address, or a pc one bit from code that fits the stack, also one that the thread strayed to and went
on from. Guards exclude near-null, overruns, text, fills and small integers.

Known confusion: a tag that software keeps in the high bits of pointers; an index of a power of two into a sparse
space. One case shows what one crash shows, never its cause.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV


def judge(one_bit: str) -> bool:
    """A strict repair exists."""
    return one_bit != "none"


RULE = Rule(
    label="one_bit_off",
    summary="One bit separates the value from one that makes sense.",
    only_if={"signal": (SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV), "origin": ("kernel", "self")},
    needs={"one_bit": "which value one bit mends"},
    shows={
        "one_bit_access_bit": "the bit of the base register",
        "base_register": "the base register",
        "base_value": "its value",
        "access_address": "the failing address",
    },
    judge=judge,
)
