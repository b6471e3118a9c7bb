"""The memory that an instruction names, computed from the registers, and what it does to the stack by itself."""

from typing import NamedTuple

from broadstreet.formats.architecture import Architecture
from broadstreet.formats.instruction import Instruction, Operand

WORD = (1 << 64) - 1
Registers = dict[str, int]
_ARM_NAMES = {"fp": "x29", "lr": "x30"}
_ZERO = ("xzr", "wzr", "riz", "eiz")


class Access(NamedTuple):
    """One access that the instruction makes. `registers` are those that the address comes from."""

    address: int
    size: int
    reads: bool
    writes: bool
    registers: tuple[str, ...]
    scales: tuple[int, ...]


def register(registers: Registers, name: str | None) -> int | None:
    """A register by the decoder's name; 32-bit names are the low half."""
    if name is None or name in _ZERO:
        return 0
    value = registers.get(_ARM_NAMES.get(name, name))
    if value is None:
        wide = _WIDE.get(name)
        whole = registers.get(wide) if wide else None
        return None if whole is None else whole & 0xFFFFFFFF
    return value


_WIDE = {f"e{name}": f"r{name}" for name in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp")}
_WIDE |= {f"r{number}d": f"r{number}" for number in range(8, 16)} | {f"w{number}": f"x{number}" for number in range(31)}


def effective_address(registers: Registers, operand: Operand, instruction_address: int) -> int | None:
    """The address of a memory operand; null where a register of it is not known."""
    base = instruction_address if operand.base in ("rip", "pc") else register(registers, operand.base)
    index = register(registers, operand.index)
    segment: int | None = 0
    if operand.segment in ("fs", "gs"):
        segment = registers.get(f"{operand.segment}_base")
    if base is None or index is None or segment is None:
        return None
    if operand.signed_index and index >> 31:
        index -= 1 << 32
    return (segment + base + index * operand.scale + operand.displacement) & WORD


def accesses(architecture: Architecture, registers: Registers, instruction: Instruction) -> list[Access] | None:
    """Every memory access of the instruction; null where one cannot be computed."""
    found = []
    for operand in instruction.memory:
        if not (operand.reads or operand.writes):
            continue
        address = effective_address(registers, operand, instruction.address)
        if address is None:
            return None
        address = architecture.untagged(address)
        parts = [(n, s) for n, s in ((operand.base, 1), (operand.index, operand.scale)) if n and n not in ("rip", "pc")]
        names = tuple(_ARM_NAMES.get(n, _WIDE.get(n, n)) for n, _ in parts)
        found.append(
            Access(address, operand.size or 1, operand.reads, operand.writes, names, tuple(s for _, s in parts))
        )
    implicit = _implicit(architecture, registers, instruction)
    return [*found, implicit] if implicit else found


def _implicit(architecture: Architecture, registers: Registers, instruction: Instruction) -> Access | None:
    if architecture.link:
        return None
    name = instruction.text.split()[0]
    if instruction.kind == "call" or name.startswith("push") or name == "enter":
        return Access((registers[architecture.sp] - 8) & WORD, 8, False, True, ("rsp",), (1,))
    if instruction.kind == "return" or name.startswith("pop"):
        return Access(registers[architecture.sp], 8, True, False, ("rsp",), (1,))
    if name == "leave":
        return Access(registers.get("rbp", 0), 8, True, False, ("rbp",), (1,))
    return None
