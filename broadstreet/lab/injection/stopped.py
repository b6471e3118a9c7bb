"""A process that stands still in user code, and the places in it that can be changed.

A *mode* looks at a stopped process, changes one thing in it and returns what it changed; it returns None, and changes
nothing, where this moment has nothing that it could change (no pointer near any register, say).
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from broadstreet.lab import ptrace
from broadstreet.lab.ptrace import GENERAL, WORD, WORD_MASK, Mapping, Registers
from broadstreet.lab.truth import Parameters

OBJECT_BYTES_BEFORE = 16  # a malloc chunk's head, or a Python object's
OBJECT_BYTES_AFTER = 64
STACK_BYTES = 512
POINTER_BITS = 48  # canonical user addresses, 4-level paging


class Place(NamedTuple):
    """A word of memory that holds a pointer."""

    address: int
    word: int
    near: str


class Stopped(NamedTuple):
    """A process that stands still in user code."""

    pid: int
    registers: Registers
    mappings: tuple[Mapping, ...]

    def mapping(self, address: int) -> Mapping | None:
        """What is mapped at an address; null where nothing is."""
        return next((m for m in self.mappings if m.start <= address < m.end), None)

    def is_code(self, address: int) -> bool:
        """Whether code of a file, or of the kernel's own page, stands there."""
        mapping = self.mapping(address)
        return mapping is not None and "x" in mapping.permissions and mapping.name != "[vsyscall]"

    def is_data(self, address: int) -> bool:
        """Whether it is mapped for reading and writing."""
        mapping = self.mapping(address)
        return mapping is not None and mapping.permissions.startswith("rw")

    def is_stack(self, address: int) -> bool:
        """Whether it lies in the mapping of the stack pointer."""
        return self.mapping(address) == self.mapping(self.registers["rsp"])


Mode = Callable[[Stopped, Random], Parameters | None]


def stopped(pid: int) -> Stopped:
    """The process, which must stand."""
    return Stopped(pid, ptrace.registers(pid), tuple(ptrace.mappings(pid)))


def in_user_code(at: Stopped) -> bool:
    """Whether the program executes its own instructions: not inside a system call, not in the kernel's vdso."""
    mapping = at.mapping(at.registers["rip"])
    in_file = mapping is not None and "x" in mapping.permissions and mapping.name.startswith("/")
    return in_file and at.registers["orig_rax"] == ptrace.NO_SYSCALL


def set_register(at: Stopped, name: str, new: int) -> Parameters:
    """Give one register another value."""
    new &= WORD_MASK
    ptrace.set_registers(at.pid, at.registers | {name: new})
    return {"register": name, "old": at.registers[name], "new": new}


def flip_register(at: Stopped, name: str, bit: int) -> Parameters:
    """Turn one bit of a register."""
    return set_register(at, name, at.registers[name] ^ (1 << bit)) | {"bit": bit}


def flip_word(at: Stopped, draw: Random, places: list[Place]) -> Parameters | None:
    """Turn one bit of a pointer in one of these places."""
    bit = draw.randrange(POINTER_BITS)
    parameters = overwrite(at, draw, places, lambda place: place.word ^ (1 << bit))
    return parameters and parameters | {"bit": bit}


def overwrite(at: Stopped, draw: Random, places: list[Place], new_word: Callable[[Place], int]) -> Parameters | None:
    """Give one of these places another word."""
    if not places:
        return None
    place = draw.choice(places)
    new = new_word(place) & WORD_MASK
    ptrace.poke(at.pid, place.address, new)
    return {"address": place.address, "near": place.near, "old": place.word, "new": new}


def pointer_registers(at: Stopped) -> list[str]:
    """The general registers that point at something, but for the stack pointer."""
    return [name for name in GENERAL if name != "rsp" and at.mapping(at.registers[name])]


def _words(at: Stopped, start: int, size: int) -> Iterator[tuple[int, int]]:
    data = ptrace.memory(at.pid, start, size)
    for offset in range(0, len(data) - len(data) % WORD, WORD):
        yield start + offset, int.from_bytes(data[offset : offset + WORD], "little")


def object_pointers(at: Stopped) -> list[Place]:
    """Pointers in the objects that a register points at."""
    places: dict[int, Place] = {}
    for name in pointer_registers(at):
        value = at.registers[name] & -WORD
        if not at.is_data(value) or at.is_stack(value):
            continue
        for address, word in _words(at, value - OBJECT_BYTES_BEFORE, OBJECT_BYTES_BEFORE + OBJECT_BYTES_AFTER):
            if at.mapping(word):
                places.setdefault(address, Place(address, word, name))
    return list(places.values())


def stack_pointers(at: Stopped) -> list[Place]:
    """Pointers to data near the top of the stack."""
    words = _words(at, at.registers["rsp"] & -WORD, STACK_BYTES)
    return [Place(address, word, "rsp") for address, word in words if at.mapping(word) and not at.is_code(word)]


def return_addresses(at: Stopped) -> list[Place]:
    """Return addresses near the top of the stack."""
    words = _words(at, at.registers["rsp"] & -WORD, STACK_BYTES)
    return [Place(address, word, "rsp") for address, word in words if at.is_code(word) and _after_call(at, word)]


def _after_call(at: Stopped, address: int) -> bool:
    """Whether the bytes before an address are `call rel32` (e8) or an indirect call (ff /2) of 2, 3, 6 or 7 bytes."""
    before = ptrace.memory(at.pid, address - 7, 7)
    if len(before) < 7:
        return False
    indirect = (before[-size:] for size in (2, 3, 6, 7))
    return before[-5] == 0xE8 or any(code[0] == 0xFF and code[1] >> 3 & 7 == 2 for code in indirect)
