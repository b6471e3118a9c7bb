"""One machine instruction: its text, what it does to control flow, and the memory that it names.

Decoding is capstone's. Finding the call before a return address is done by hand on the bytes, because it is asked of
every word of a stack: `e8 rel32`, or `ff /2` of two to eight bytes (Intel SDM volume 2, CALL); on AArch64 `bl`, `blr`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

CallKind = Literal["direct", "indirect", "none"]
LONGEST_X86 = 15
LONGEST_CALL = 8

Kind = Literal["call", "jump", "return", "trap", "divide", "privileged", "syscall", "other"]


@dataclass(frozen=True)
class Operand:
    """A memory operand: segment base + base + index * scale + displacement. Names are null where absent."""

    base: str | None
    index: str | None
    scale: int
    displacement: int
    segment: str | None
    size: int
    reads: bool
    writes: bool
    signed_index: bool = False  # the index is 32 bits wide and is extended by its sign


class Instruction(NamedTuple):
    """A decoded instruction. `target` is the register of an indirect jump or call through a register."""

    address: int
    size: int
    code: bytes
    text: str
    kind: Kind
    indirect: bool
    target: str | None
    memory: tuple[Operand, ...]
    written: tuple[str, ...]


_RETURNS = {"ret", "retf", "retfq", "iret", "iretq", "retaa", "retab"}
_TRAPS = {"ud0", "ud1", "ud2", "ud2b", "int3", "int1", "brk", "udf"}
_DIVIDES = {"div", "idiv"}
_PRIVILEGED = {
    "hlt",
    "cli",
    "sti",
    "in",
    "out",
    "insb",
    "insd",
    "outsb",
    "outsd",
    "rdmsr",
    "wrmsr",
    "invd",
    "wbinvd",
    "int",
}
_SYSCALLS = {"syscall", "sysenter", "svc"}

_ARM_CALLS = {"bl", "blr", "blraa", "blraaz", "blrab", "blrabz"}
_ARM_INDIRECT_JUMPS = {"br", "braa", "braaz", "brab", "brabz"}
_ARM_JUMPS = _ARM_INDIRECT_JUMPS | {"b", "cbz", "cbnz", "tbz", "tbnz"}
_ARM_ATOMICS = ("cas", "swp", "ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin")
_ARM_PAIRS = {
    "ldp",
    "stp",
    "ldnp",
    "stnp",
    "ldpsw",
    "ldxp",
    "stxp",
    "ldaxp",
    "stlxp",
    "casp",
    "caspa",
    "caspl",
    "caspal",
}
_ARM_WIDTHS = {"b": 1, "h": 2, "s": 4, "w": 4, "d": 8, "x": 8, "q": 16, "v": 16}
_ARM_ZEROED_BLOCK = 64  # bytes that `dc zva` writes on every processor in wide use (DCZID_EL0)
_SXTW = 7  # of capstone's extensions


def decode(architecture: str, code: bytes, address: int) -> Instruction | None:
    """The first instruction of these bytes; null where they are none."""
    found = _decode(architecture, code, 0)
    if found is None:
        return None
    if architecture == "aarch64" or (found.kind in ("call", "jump") and not found.indirect):
        return _decode(architecture, code, address)  # its text names a place
    return found._replace(address=address)


def boundaries(architecture: str, code: bytes, address: int) -> list[int]:
    """Where instructions begin in a straight sweep of these bytes; it ends at the first that is none."""
    if architecture == "aarch64":
        return list(range(address, address + len(code) - 3, 4))
    return [place for place, _size, _mnemonic, _operands in _engine(architecture, False).disasm_lite(code, address)]


class Jumps(NamedTuple):
    """Where control can go inside of a function other than on to the next instruction.

    `targets`: of direct jumps; `conditional`: of those that a condition takes. `through`: the places of jumps through a
    register or memory. `tables`: what the code names that may be a table of jump targets.
    """

    targets: frozenset[int]
    conditional: frozenset[int]
    through: tuple[int, ...]
    tables: frozenset[int]


def jumps(code: bytes, address: int) -> Jumps:
    """Every jump in these bytes of x86-64, in a straight sweep."""
    targets, conditional, through, tables = set(), set(), [], set()
    for place, size, mnemonic, operands in _engine("x86_64", False).disasm_lite(code, address):
        if mnemonic[0] == "j" or mnemonic.startswith(("notrack jmp", "bnd jmp", "loop")):
            if not operands.startswith("0x"):
                through.append(place)
            else:
                targets.add(int(operands, 16))
                if not mnemonic.endswith("jmp"):
                    conditional.add(int(operands, 16))
        elif mnemonic == "lea" and "[rip " in operands:
            tables.add(place + size + int(operands.rsplit("rip ", 1)[1][:-1].replace(" ", ""), 16))
        if "*8 + 0x" in operands or "*4 + 0x" in operands:
            tables.add(int(operands.rsplit(" + ", 1)[1].split("]", 1)[0], 16))
    return Jumps(frozenset(targets), frozenset(conditional), tuple(through), frozenset(tables))


class Branch(NamedTuple):
    """A call, or a jump through a register or memory, met in a straight sweep."""

    address: int
    call: bool
    indirect_jump: bool


def branches(architecture: str, code: bytes, address: int) -> Iterator[Branch]:
    """Every call and every indirect jump in these bytes."""
    for place, _size, mnemonic, operands in _engine(architecture, False).disasm_lite(code, address):
        name = mnemonic.split()[-1]
        if name == "call" or name in _ARM_CALLS:
            yield Branch(place, True, False)
        elif name in _ARM_INDIRECT_JUMPS or (name == "jmp" and not operands.startswith("0x")):
            yield Branch(place, False, True)


def call_before(architecture: str, code: bytes) -> CallKind:
    """Whether these bytes end with a call instruction, and of which kind."""
    if architecture == "aarch64":
        word = int.from_bytes(code[-4:], "little") if len(code) >= 4 else 0
        if word >> 26 == 0b100101:
            return "direct"
        plain, signed = word & 0xFFFFFC1F == 0xD63F0000, word & 0xFEFFF800 == 0xD63F0800  # blr; blraa, blrab and with z
        return "indirect" if plain or signed else "none"
    if len(code) >= 5 and code[-5] == 0xE8:
        return "direct"
    for size in range(2, min(LONGEST_CALL, len(code)) + 1):
        if _is_indirect_call(code[-size:]):
            return "indirect"
    return "none"


def direct_target(architecture: str, code: bytes, return_address: int) -> int | None:
    """Where the direct call that ends these bytes goes; null when they do not end with one."""
    if architecture == "aarch64":
        word = int.from_bytes(code[-4:], "little") if len(code) >= 4 else 0
        if word >> 26 != 0b100101:
            return None
        offset = (word & 0x3FFFFFF) << 2
        return return_address - 4 + (offset - (1 << 28) if offset >> 27 else offset)
    if len(code) < 5 or code[-5] != 0xE8:
        return None
    return return_address + int.from_bytes(code[-4:], "little", signed=True)


def _is_indirect_call(code: bytes) -> bool:
    at = 0
    if code[0] in (0x3E, 0xF2) and len(code) > 2:  # notrack, bnd
        at = 1
    if 0x40 <= code[at] <= 0x4F and len(code) > at + 2:
        at += 1
    if len(code) < at + 2 or code[at] != 0xFF:
        return False
    modrm = code[at + 1]
    if (modrm >> 3) & 7 != 2:
        return False
    mode, low = modrm >> 6, modrm & 7
    size = at + 2
    if mode != 3 and low == 4:
        if len(code) <= at + 2:
            return False
        size += 1
        if mode == 0 and code[at + 2] & 7 == 5:
            size += 4
    elif mode == 0 and low == 5:
        size += 4
    size += {1: 1, 2: 4}.get(mode, 0)
    return size == len(code)


@lru_cache(maxsize=4)
def _engine(architecture: str, detail: bool) -> Any:
    import capstone

    if architecture == "aarch64":
        engine = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    else:
        engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = detail
    return engine


@lru_cache(maxsize=16384)
def _decode(architecture: str, code: bytes, address: int) -> Instruction | None:
    found = decoded(architecture, code, address)
    return None if found is None else found[0]


def decoded(architecture: str, code: bytes, address: int) -> tuple[Instruction, Any] | None:
    """The first instruction of these bytes, and as capstone has it; null where they are none."""
    engine = _engine(architecture, True)
    found = next(engine.disasm(code[:LONGEST_X86] if architecture != "aarch64" else code[:4], address, 1), None)
    if found is None:
        return None
    mnemonic = found.mnemonic.split()[-1]
    kind = _kind(architecture, found, mnemonic)
    registers = [operand for operand in found.operands if operand.type == 1]
    operand_of = _arm_operand if architecture == "aarch64" else _operand
    flows = kind in ("call", "jump")
    direct = any(operand.type == 2 for operand in found.operands)
    instruction = Instruction(
        address=address,
        size=found.size,
        code=bytes(found.bytes),
        text=f"{found.mnemonic} {found.op_str}".strip(),
        kind=kind,
        indirect=flows and not direct,
        target=found.reg_name(registers[0].reg) if flows and registers else None,
        memory=tuple(filter(None, (operand_of(found, operand, mnemonic) for operand in found.operands))),
        written=tuple(found.reg_name(number) for number in found.regs_access()[1]),
    )
    return instruction, found


def _kind(architecture: str, found: Any, mnemonic: str) -> Kind:
    if mnemonic in _RETURNS:
        return "return"
    if mnemonic in _TRAPS:
        return "trap"
    if architecture == "aarch64":
        if mnemonic in _ARM_CALLS:
            return "call"
        if mnemonic in _ARM_JUMPS or mnemonic.startswith("b."):
            return "jump"
    elif mnemonic == "call":
        return "call"
    elif mnemonic.startswith("j") or mnemonic.startswith("loop"):
        return "jump"
    if mnemonic in _DIVIDES:
        return "divide"
    if mnemonic in _PRIVILEGED:
        return "privileged"
    return "syscall" if mnemonic in _SYSCALLS else "other"


def _operand(found: Any, operand: Any, mnemonic: str) -> Operand | None:
    if operand.type != 3:
        return None
    memory = operand.mem

    def name(number: int) -> str | None:
        return found.reg_name(number) if number else None

    access = operand.access
    if mnemonic.startswith(("v", "mov")) and found.operands[0].type == operand.type:
        access = 2  # capstone 5 calls the destination of some vector stores a read
    elif mnemonic.startswith("v") and not access:
        access = 1  # nor does it know of AVX-512's masked loads and compares what they do
    displacement = memory.disp
    if memory.base and name(memory.base) == "rip":
        displacement += found.size
    return Operand(
        base=name(memory.base),
        index=name(memory.index),
        scale=memory.scale,
        displacement=displacement,
        segment=name(memory.segment),
        size=operand.size,
        reads=bool(access & 1) and mnemonic not in ("lea", "nop"),
        writes=bool(access & 2) and mnemonic not in ("lea", "nop"),
    )


def _arm_operand(found: Any, operand: Any, mnemonic: str) -> Operand | None:
    """A memory operand of AArch64; capstone 5 does not know which of them are written to."""
    loads, stores = mnemonic.startswith(("ld", "cas", "swp")), mnemonic.startswith(("st", *_ARM_ATOMICS))
    if operand.type == 3 and (loads or stores):
        memory = operand.mem
        base, index = (found.reg_name(number) if number else None for number in (memory.base, memory.index))
        signed = operand.ext == _SXTW
        scale = 1 << operand.shift.value
        return Operand(base, index, scale, memory.disp, None, _arm_size(found, mnemonic), loads, stores, signed)
    if operand.type == 2 and mnemonic in ("ldr", "ldrsw") and len(found.operands) == 2:  # a constant beside the code
        return Operand(None, None, 1, operand.imm, None, _arm_size(found, mnemonic), True, False)
    if operand.type == 1 and mnemonic in ("dc", "ic"):
        zeroes = found.op_str.startswith(("zva", "gzva"))
        return Operand(found.reg_name(operand.reg), None, 1, 0, None, _ARM_ZEROED_BLOCK, not zeroes, zeroes)
    return None


def _arm_size(found: Any, mnemonic: str) -> int:
    for ending, size in (("b", 1), ("h", 2), ("sw", 4)):
        if mnemonic.endswith(ending) and mnemonic != "ldpsw":
            return size
    kinds = [operand.type for operand in found.operands]
    before = found.operands[: kinds.index(3)] if 3 in kinds else found.operands
    names = [found.reg_name(operand.reg) for operand in before if operand.type == 1]
    width = _ARM_WIDTHS.get(names[-1][0], 8) if names else 8
    many = 2 if mnemonic in _ARM_PAIRS else sum(name.startswith("v") for name in names) or 1
    return 4 * many if mnemonic == "ldpsw" else width * many
