"""Hardware faults: one wrong bit, one wrong or lost result, as a bad CPU or a bad memory cell makes."""

from random import Random

from broadstreet.lab import ptrace
from broadstreet.lab.injection.stopped import (
    Mode,
    Stopped,
    flip_register,
    flip_word,
    object_pointers,
    pointer_registers,
    return_addresses,
    set_register,
    stack_pointers,
)
from broadstreet.lab.ptrace import GENERAL, WORD, Registers
from broadstreet.lab.truth import Parameters

CODE_BYTES = 64  # text-bit: this far before and after rip
LOWEST_REGISTER_BIT = 16  # reg-bit: below it the address seldom leaves the object's mapping
STEPS = 60  # single steps until an instruction writes a register
SYSCALL = b"\x0f\x05"


def rsp_minus_8(at: Stopped, draw: Random) -> Parameters | None:
    """The stack pointer one word low."""
    return set_register(at, "rsp", at.registers["rsp"] - WORD)


def rsp_plus_8(at: Stopped, draw: Random) -> Parameters | None:
    """The stack pointer one word high."""
    return set_register(at, "rsp", at.registers["rsp"] + WORD)


def rsp_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of the stack pointer."""
    return flip_register(at, "rsp", draw.randrange(64))


def rip_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of the program counter."""
    return flip_register(at, "rip", draw.randrange(64))


def pointer_register_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit, not of the lowest, of a register that holds a pointer."""
    bit = draw.randrange(LOWEST_REGISTER_BIT, 64)
    names = pointer_registers(at)
    return flip_register(at, draw.choice(names), bit) if names else None


def any_register_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of any general register."""
    return flip_register(at, draw.choice(GENERAL), draw.randrange(64))


def return_address_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of a return address on the stack."""
    return flip_word(at, draw, return_addresses(at))


def stack_pointer_word_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of a pointer on the stack."""
    return flip_word(at, draw, stack_pointers(at))


def heap_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of a pointer in an object near a register."""
    return flip_word(at, draw, object_pointers(at))


def code_bit(at: Stopped, draw: Random) -> Parameters | None:
    """One bit of code near the program counter, in a private copy of its page."""
    address = at.registers["rip"] + draw.randrange(-CODE_BYTES, CODE_BYTES)
    bit = draw.randrange(8)
    if not at.is_code(address) or not at.is_code(address + WORD):
        return None
    word = ptrace.peek(at.pid, address)
    ptrace.poke(at.pid, address, word ^ (1 << bit))
    return {"address": address, "bit": bit, "old": word & 0xFF, "new": (word ^ (1 << bit)) & 0xFF}


def wrong_result(at: Stopped, draw: Random) -> Parameters | None:
    """The next instruction that writes a register writes one bit wrong."""
    bit = draw.randrange(64)
    write = _next_register_write(at, draw)
    if write is None:
        return None
    after, name, before = write
    return flip_register(after, name, bit) | {"written_by": before["rip"]}


def lost_result(at: Stopped, draw: Random) -> Parameters | None:
    """The next instruction that writes a register does not write it."""
    write = _next_register_write(at, draw)
    if write is None:
        return None
    after, name, before = write
    return set_register(after, name, before[name]) | {"written_by": before["rip"]}


def _next_register_write(at: Stopped, draw: Random) -> tuple[Stopped, str, Registers] | None:
    before = at.registers
    for _ in range(STEPS):
        if ptrace.memory(at.pid, before["rip"], 2) == SYSCALL:
            return None
        ptrace.single_step(at.pid)
        after = ptrace.registers(at.pid)
        changed = [name for name in GENERAL if after[name] != before[name]]
        if changed:
            name = draw.choice(changed)
            return Stopped(at.pid, after, at.mappings), name, before
        before = after
    return None


HARDWARE: dict[str, Mode] = {
    "rsp-8": rsp_minus_8,
    "rsp+8": rsp_plus_8,
    "rsp-bit": rsp_bit,
    "rip-bit": rip_bit,
    "reg-bit": pointer_register_bit,
    "anyreg-bit": any_register_bit,
    "ret-bit": return_address_bit,
    "stack-ptr-bit": stack_pointer_word_bit,
    "heap-bit": heap_bit,
    "text-bit": code_bit,
    "wrongres": wrong_result,
    "lost": lost_result,
}

RECURRING: dict[str, Mode] = {"recurring": wrong_result}
"""Put in again and again while the program runs on one CPU, which errs once in so many operations."""
