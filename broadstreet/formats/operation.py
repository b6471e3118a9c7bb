"""One x86-64 instruction as an operation on registers and memory, as far as replaying straight code needs it.

Decoding is capstone's. Registers go by the name of their 64 bits; a 32-bit result clears the upper half, 8- and 16-bit
results keep what stands above them (Intel SDM volume 1, 3.4.1.1).
"""

from functools import lru_cache
from typing import NamedTuple

from broadstreet.formats.instruction import LONGEST_X86, Operand, decoded

_LETTERS = ("a", "b", "c", "d")
_POINTERS = ("si", "di", "bp", "sp")
_WIDTHS: dict[str, tuple[str, int]] = {}
for _one in _LETTERS:
    _WIDTHS |= {f"r{_one}x": (f"r{_one}x", 64), f"e{_one}x": (f"r{_one}x", 32), f"{_one}x": (f"r{_one}x", 16)}
    _WIDTHS[f"{_one}l"] = (f"r{_one}x", 8)
for _one in _POINTERS:
    _WIDTHS |= {f"r{_one}": (f"r{_one}", 64), f"e{_one}": (f"r{_one}", 32), _one: (f"r{_one}", 16)}
    _WIDTHS[f"{_one}l"] = (f"r{_one}", 8)
for _number in range(8, 16):
    _WIDTHS |= {f"r{_number}{end}": (f"r{_number}", bits) for end, bits in (("", 64), ("d", 32), ("w", 16), ("b", 8))}
_HIGH = {f"{_one}h": f"r{_one}x" for _one in _LETTERS}


class Part(NamedTuple):
    """The low bits of a general register."""

    register: str
    bits: int


Argument = Part | Operand | int | None


class Operation(NamedTuple):
    """An instruction. An argument is null where it is none of these: a vector register, the second byte of rax.

    `written`: the general registers that it writes, also unnamed ones; `stores`: it writes memory; `plain`: all its
    effects on registers and memory are those, so that replay may go past it even if it cannot compute them.
    """

    address: int
    size: int
    name: str
    arguments: tuple[Argument, ...]
    written: tuple[str, ...]
    stores: bool
    plain: bool


_IMMEDIATE = 2
_IMPURE = ("rep", "lock cmpxchg", "xsave", "fxsave", "fnsave", "xrstor", "vzero", "enter", "ptwrite")


def operation(code: bytes, address: int) -> Operation | None:
    """The first instruction of these bytes; null where they are none."""
    found = _operation(code[:LONGEST_X86])
    return None if found is None else found._replace(address=address)


@lru_cache(maxsize=16384)
def _operation(code: bytes) -> Operation | None:
    raw = decoded("x86_64", code, 0)
    if raw is None:
        return None
    instruction, found = raw
    memory = iter(instruction.memory)
    arguments: list[Argument] = []
    for operand in found.operands:
        if operand.type == 1:
            named = _WIDTHS.get(found.reg_name(operand.reg))
            arguments.append(None if named is None else Part(*named))
        elif operand.type == _IMMEDIATE:
            arguments.append(int(operand.imm))
        else:
            arguments.append(next(memory, None))
    names = (found.reg_name(number) for number in found.regs_access()[1])
    written = {_WIDTHS[name][0] if name in _WIDTHS else _HIGH.get(name, "") for name in names} - {""}
    stores = any(operand.writes for operand in instruction.memory) or instruction.text.startswith("push")
    stores |= instruction.text[0] == "f" and bool(instruction.memory)  # capstone 5 knows few of x87's stores
    plain = not instruction.text.startswith(_IMPURE) and instruction.kind in ("other", "jump", "divide")
    return Operation(
        0, instruction.size, instruction.text.split()[0], tuple(arguments), tuple(sorted(written)), stores, plain
    )
