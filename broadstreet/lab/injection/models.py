"""Software-like corruption: what bugs write into a program's memory, put into programs that have no such bug."""

from random import Random

from broadstreet.lab import ptrace
from broadstreet.lab.injection.stopped import (
    Mode,
    Place,
    Stopped,
    object_pointers,
    overwrite,
    pointer_registers,
    return_addresses,
    set_register,
    stack_pointers,
)
from broadstreet.lab.ptrace import WORD
from broadstreet.lab.truth import Parameters

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
TEXT = b"the quick brown fox jumps over lazy dogs: error=42, path /var/lib/item\n"


def object_word_zeroed(at: Stopped, draw: Random) -> Parameters | None:
    """A pointer in an object becomes null."""
    return overwrite(at, draw, object_pointers(at), lambda place: 0)


def stack_word_zeroed(at: Stopped, draw: Random) -> Parameters | None:
    """A pointer or return address on the stack becomes null."""
    places = stack_pointers(at) + return_addresses(at)
    return overwrite(at, draw, places, lambda place: 0)


def two_small_ints(at: Stopped, draw: Random) -> Parameters | None:
    """Two small numbers stand where a pointer stood: a type confused."""
    word = draw.randrange(1, 5000) << 32 | draw.randrange(5000)
    return overwrite(at, draw, object_pointers(at), lambda place: word)


def ascii_word(at: Stopped, draw: Random) -> Parameters | None:
    """Text stands where a pointer stood."""
    start = draw.randrange(len(TEXT) - WORD)
    word = int.from_bytes(TEXT[start : start + WORD], "little")
    return overwrite(at, draw, object_pointers(at), lambda place: word)


def low_4_bytes_random(at: Stopped, draw: Random) -> Parameters | None:
    """The low half of a pointer is overwritten."""
    low = draw.getrandbits(32)
    return overwrite(at, draw, object_pointers(at), lambda place: place.word >> 32 << 32 | low)


def low_bytes_zero(at: Stopped, draw: Random) -> Parameters | None:
    """The low bytes of a pointer become zero."""
    bits = 8 * draw.randint(1, 4)
    return overwrite(at, draw, object_pointers(at), lambda place: place.word >> bits << bits)


def poison(at: Stopped, draw: Random) -> Parameters | None:
    """A fill pattern stands where a pointer stood."""
    word = draw.choice(POISONS)
    return overwrite(at, draw, object_pointers(at), lambda place: word)


def safe_linking(at: Stopped, draw: Random) -> Parameters | None:
    """What a freed chunk's first word holds since glibc 2.32: its own address >> 12, xor the next free chunk's."""
    following = draw.choice((0, draw.randrange(16, 4096, 16)))
    return overwrite(at, draw, object_pointers(at), lambda place: place.address >> 12 ^ _near(place, following))


def stale_pointer(at: Stopped, draw: Random) -> Parameters | None:
    """A pointer to another object of the program stands there."""
    places = object_pointers(at)
    words = sorted({place.word for place in places if at.is_data(place.word)})
    other = draw.choice(words) if words else 0
    return overwrite(at, draw, [place for place in places if place.word != other], lambda place: other)


def off_by_256(at: Stopped, draw: Random) -> Parameters | None:
    """A pointer is off by 256."""
    step = draw.choice((-256, 256))
    return overwrite(at, draw, object_pointers(at), lambda place: place.word + step)


def register_overrun(at: Stopped, draw: Random) -> Parameters | None:
    """An index ran away: a pointer moved by up to 1 GiB."""
    distance = int(2 ** draw.uniform(6, LARGEST_OVERRUN_BITS)) & ~3
    backwards = draw.random() < 0.1
    names = [name for name in pointer_registers(at) if at.is_data(at.registers[name])]
    if not names:
        return None
    name = draw.choice(names)
    return set_register(at, name, at.registers[name] + (-distance if backwards else distance))


def stack_text_run(at: Stopped, draw: Random) -> Parameters | None:
    """A buffer overrun: text from below a return address to beyond it."""
    below, size = WORD * draw.randint(0, 6), draw.randrange(24, 160)
    places = return_addresses(at)
    if not places:
        return None
    start = max(draw.choice(places).address - below, at.registers["rsp"])
    run = (TEXT * 3)[: size // WORD * WORD]
    for offset in range(0, len(run), WORD):
        ptrace.poke(at.pid, start + offset, int.from_bytes(run[offset : offset + WORD], "little"))
    return {"address": start, "bytes": len(run)}


def _near(place: Place, offset: int) -> int:
    return (place.address & ~0xFFF) + offset if offset else 0


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
