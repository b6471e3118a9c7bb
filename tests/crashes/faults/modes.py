"""What is done to a stopped program: the hardware faults and the software-like corruptions.

A mode looks at a stopped process, changes one thing in it and returns what it changed; it returns None, and changes
nothing, where this moment has nothing that it could change (no pointer near any register, say).

The hardware modes are one wrong bit or one wrong or lost result, as a bad CPU or a bad memory cell makes. The software
modes put into the same programs what bugs write: zeroes, text, small integers, freed or stale pointers, overruns.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from tests.crashes.faults import ptrace
from tests.crashes.faults.ptrace import GENERAL, WORD, WORD_MASK, Mapping, Registers

Parameters = dict[str, str | int]

OBJECT_BYTES_BEFORE = 16  # a malloc chunk's head, or a Python object's
OBJECT_BYTES_AFTER = 64
STACK_BYTES = 512
CODE_BYTES = 64  # text-bit: this far before and after rip
LOWEST_REGISTER_BIT = 16  # reg-bit: below it the address seldom leaves the object's mapping
POINTER_BITS = 48  # canonical user addresses, 4-level paging
STEPS = 60  # single steps until an instruction writes a register
LARGEST_OVERRUN_BITS = 30  # 1 GiB
POISONS = (
    0x5A5A5A5A5A5A5A5A,
    0xDDDDDDDDDDDDDDDD,
    0xDEADBEEFDEADBEEF,
    0x00000000DEADBEEF,
    0xABABABABABABABAB,
    0xCDCDCDCDCDCDCDCD,
    0x6B6B6B6B6B6B6B6B,
)
SYSCALL = b"\x0f\x05"
TEXT = b"the quick brown fox jumps over lazy dogs: error=42, path /var/lib/item\n"


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
        return next((m for m in self.mappings if m.start <= address < m.end), None)

    def is_code(self, address: int) -> bool:
        mapping = self.mapping(address)
        return mapping is not None and "x" in mapping.permissions and mapping.name != "[vsyscall]"

    def is_data(self, address: int) -> bool:
        mapping = self.mapping(address)
        return mapping is not None and mapping.permissions.startswith("rw")

    def is_stack(self, address: int) -> bool:
        return self.mapping(address) == self.mapping(self.registers["rsp"])


Mode = Callable[[Stopped, Random], Parameters | None]


def stopped(pid: int) -> Stopped:
    return Stopped(pid, ptrace.registers(pid), tuple(ptrace.mappings(pid)))


def in_user_code(at: Stopped) -> bool:
    """Whether the program executes its own instructions: not inside a system call, not in the kernel's vdso."""
    mapping = at.mapping(at.registers["rip"])
    in_file = mapping is not None and "x" in mapping.permissions and mapping.name.startswith("/")
    return in_file and at.registers["orig_rax"] == ptrace.NO_SYSCALL


def rsp_minus_8(at: Stopped, draw: Random) -> Parameters | None:
    return _set_register(at, "rsp", at.registers["rsp"] - WORD)


def rsp_plus_8(at: Stopped, draw: Random) -> Parameters | None:
    return _set_register(at, "rsp", at.registers["rsp"] + WORD)


def rsp_bit(at: Stopped, draw: Random) -> Parameters | None:
    return _flip_register(at, "rsp", draw.randrange(64))


def rip_bit(at: Stopped, draw: Random) -> Parameters | None:
    return _flip_register(at, "rip", draw.randrange(64))


def pointer_register_bit(at: Stopped, draw: Random) -> Parameters | None:
    bit = draw.randrange(LOWEST_REGISTER_BIT, 64)
    names = _pointer_registers(at)
    return _flip_register(at, draw.choice(names), bit) if names else None


def any_register_bit(at: Stopped, draw: Random) -> Parameters | None:
    return _flip_register(at, draw.choice(GENERAL), draw.randrange(64))


def return_address_bit(at: Stopped, draw: Random) -> Parameters | None:
    return _flip_word(at, draw, _return_addresses(at))


def stack_pointer_word_bit(at: Stopped, draw: Random) -> Parameters | None:
    return _flip_word(at, draw, _stack_pointers(at))


def heap_bit(at: Stopped, draw: Random) -> Parameters | None:
    return _flip_word(at, draw, _object_pointers(at))


def code_bit(at: Stopped, draw: Random) -> Parameters | None:
    address = at.registers["rip"] + draw.randrange(-CODE_BYTES, CODE_BYTES)
    bit = draw.randrange(8)
    if not at.is_code(address) or not at.is_code(address + WORD):
        return None
    word = ptrace.peek(at.pid, address)
    ptrace.poke(at.pid, address, word ^ (1 << bit))
    return {"address": address, "bit": bit, "old": word & 0xFF, "new": (word ^ (1 << bit)) & 0xFF}


def wrong_result(at: Stopped, draw: Random) -> Parameters | None:
    bit = draw.randrange(64)
    write = _next_register_write(at, draw)
    if write is None:
        return None
    after, name, before = write
    return _flip_register(after, name, bit) | {"written_by": before["rip"]}


def lost_result(at: Stopped, draw: Random) -> Parameters | None:
    write = _next_register_write(at, draw)
    if write is None:
        return None
    after, name, before = write
    return _set_register(after, name, before[name]) | {"written_by": before["rip"]}


def object_word_zeroed(at: Stopped, draw: Random) -> Parameters | None:
    return _overwrite(at, draw, _object_pointers(at), lambda place: 0)


def stack_word_zeroed(at: Stopped, draw: Random) -> Parameters | None:
    places = _stack_pointers(at) + _return_addresses(at)
    return _overwrite(at, draw, places, lambda place: 0)


def two_small_ints(at: Stopped, draw: Random) -> Parameters | None:
    word = draw.randrange(1, 5000) << 32 | draw.randrange(5000)
    return _overwrite(at, draw, _object_pointers(at), lambda place: word)


def ascii_word(at: Stopped, draw: Random) -> Parameters | None:
    start = draw.randrange(len(TEXT) - WORD)
    word = int.from_bytes(TEXT[start : start + WORD], "little")
    return _overwrite(at, draw, _object_pointers(at), lambda place: word)


def low_4_bytes_random(at: Stopped, draw: Random) -> Parameters | None:
    low = draw.getrandbits(32)
    return _overwrite(at, draw, _object_pointers(at), lambda place: place.word >> 32 << 32 | low)


def low_bytes_zero(at: Stopped, draw: Random) -> Parameters | None:
    bits = 8 * draw.randint(1, 4)
    return _overwrite(at, draw, _object_pointers(at), lambda place: place.word >> bits << bits)


def poison(at: Stopped, draw: Random) -> Parameters | None:
    word = draw.choice(POISONS)
    return _overwrite(at, draw, _object_pointers(at), lambda place: word)


def safe_linking(at: Stopped, draw: Random) -> Parameters | None:
    """What a freed chunk's first word holds since glibc 2.32: its own address >> 12, xor the next free chunk's."""
    following = draw.choice((0, draw.randrange(16, 4096, 16)))
    return _overwrite(at, draw, _object_pointers(at), lambda place: place.address >> 12 ^ _near(place, following))


def stale_pointer(at: Stopped, draw: Random) -> Parameters | None:
    places = _object_pointers(at)
    words = sorted({place.word for place in places if at.is_data(place.word)})
    other = draw.choice(words) if words else 0
    return _overwrite(at, draw, [place for place in places if place.word != other], lambda place: other)


def off_by_256(at: Stopped, draw: Random) -> Parameters | None:
    step = draw.choice((-256, 256))
    return _overwrite(at, draw, _object_pointers(at), lambda place: place.word + step)


def register_overrun(at: Stopped, draw: Random) -> Parameters | None:
    distance = int(2 ** draw.uniform(6, LARGEST_OVERRUN_BITS)) & ~3
    backwards = draw.random() < 0.1
    names = [name for name in _pointer_registers(at) if at.is_data(at.registers[name])]
    if not names:
        return None
    name = draw.choice(names)
    return _set_register(at, name, at.registers[name] + (-distance if backwards else distance))


def stack_text_run(at: Stopped, draw: Random) -> Parameters | None:
    """A buffer overrun: text from below a return address to beyond it."""
    below, size = WORD * draw.randint(0, 6), draw.randrange(24, 160)
    places = _return_addresses(at)
    if not places:
        return None
    start = max(draw.choice(places).address - below, at.registers["rsp"])
    run = (TEXT * 3)[: size // WORD * WORD]
    for offset in range(0, len(run), WORD):
        ptrace.poke(at.pid, start + offset, int.from_bytes(run[offset : offset + WORD], "little"))
    return {"address": start, "bytes": len(run)}


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

SOFTWARE: dict[str, Mode] = {
    "object-zeroed": object_word_zeroed,
    "stack-zeroed": stack_word_zeroed,
    "two-ints": two_small_ints,
    "ascii": ascii_word,
    "low4-random": low_4_bytes_random,
    "low-zero": low_bytes_zero,
    "poison": poison,
    "safe-linking": safe_linking,
    "stale": stale_pointer,
    "off-256": off_by_256,
    "overrun": register_overrun,
    "stack-text": stack_text_run,
}


def _set_register(at: Stopped, name: str, new: int) -> Parameters:
    new &= WORD_MASK
    ptrace.set_registers(at.pid, at.registers | {name: new})
    return {"register": name, "old": at.registers[name], "new": new}


def _flip_register(at: Stopped, name: str, bit: int) -> Parameters:
    return _set_register(at, name, at.registers[name] ^ (1 << bit)) | {"bit": bit}


def _flip_word(at: Stopped, draw: Random, places: list[Place]) -> Parameters | None:
    bit = draw.randrange(POINTER_BITS)
    parameters = _overwrite(at, draw, places, lambda place: place.word ^ (1 << bit))
    return parameters and parameters | {"bit": bit}


def _overwrite(at: Stopped, draw: Random, places: list[Place], new_word: Callable[[Place], int]) -> Parameters | None:
    if not places:
        return None
    place = draw.choice(places)
    new = new_word(place) & WORD_MASK
    ptrace.poke(at.pid, place.address, new)
    return {"address": place.address, "near": place.near, "old": place.word, "new": new}


def _near(place: Place, offset: int) -> int:
    return (place.address & ~0xFFF) + offset if offset else 0


def _pointer_registers(at: Stopped) -> list[str]:
    return [name for name in GENERAL if name != "rsp" and at.mapping(at.registers[name])]


def _words(at: Stopped, start: int, size: int) -> Iterator[tuple[int, int]]:
    data = ptrace.memory(at.pid, start, size)
    for offset in range(0, len(data) - len(data) % WORD, WORD):
        yield start + offset, int.from_bytes(data[offset : offset + WORD], "little")


def _object_pointers(at: Stopped) -> list[Place]:
    places: dict[int, Place] = {}
    for name in _pointer_registers(at):
        value = at.registers[name] & -WORD
        if not at.is_data(value) or at.is_stack(value):
            continue
        for address, word in _words(at, value - OBJECT_BYTES_BEFORE, OBJECT_BYTES_BEFORE + OBJECT_BYTES_AFTER):
            if at.mapping(word):
                places.setdefault(address, Place(address, word, name))
    return list(places.values())


def _stack_pointers(at: Stopped) -> list[Place]:
    words = _words(at, at.registers["rsp"] & -WORD, STACK_BYTES)
    return [Place(address, word, "rsp") for address, word in words if at.mapping(word) and not at.is_code(word)]


def _return_addresses(at: Stopped) -> list[Place]:
    words = _words(at, at.registers["rsp"] & -WORD, STACK_BYTES)
    return [Place(address, word, "rsp") for address, word in words if at.is_code(word) and _after_call(at, word)]


def _after_call(at: Stopped, address: int) -> bool:
    """Whether the bytes before an address are `call rel32` (e8) or an indirect call (ff /2) of 2, 3, 6 or 7 bytes."""
    before = ptrace.memory(at.pid, address - 7, 7)
    if len(before) < 7:
        return False
    indirect = (before[-size:] for size in (2, 3, 6, 7))
    return before[-5] == 0xE8 or any(code[0] == 0xFF and code[1] >> 3 & 7 == 2 for code in indirect)


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
