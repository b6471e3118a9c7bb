"""Non-canonical access: bits 47 to 63 of the address differ.

The kernel gives no address (si_code 128, si_addr 0, which means nothing); it is SIGSEGV, or SIGBUS where the address
came through rsp or rbp (a stack fault). The address is computed from the instruction and the registers.

Known confusion: any garbage pointer; it says that eight bytes were not a pointer, no more.
"""

from broadstreet.labels.rule import Rule
from broadstreet.reading.context import SIGBUS, SIGSEGV


def judge(access_in: str) -> bool:
    """Not an address."""
    return access_in == "noncanonical"


RULE = Rule(
    label="noncanonical_access",
    summary="The address cannot exist on this processor.",
    only_if={"signal": (SIGSEGV, SIGBUS), "si_code": (128,), "pc_in": ("executable",)},
    needs={"access_in": "what lies at the address"},
    shows={"access_address": "the computed address", "base_register": "the base register", "instruction": "the access"},
    judge=judge,
)
