"""Ways to damage a core dump, as patches over bytes that are never copied: a mutant of 30 MB costs microseconds."""

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from random import Random

from tests.fuzz.specimens import Specimen

EXTREMES = (
    *(0, 1, 2, 3, 7, 8, 0x3F, 0x40, 0x7F, 0xFF, 0xFFF, 0x1000, 0xFFFE, 0xFFFF, 0x10000),
    *(0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFC, 0xFFFF_FFFF, 1 << 32, 1 << 40, (1 << 47) - 1, 1 << 47),
    *(0xFFFF_8000_0000_0000, (1 << 63) - 1, 1 << 63, (1 << 64) - 4096, (1 << 64) - 8, (1 << 64) - 1),
)
MOST_AT_ONCE = 4
HOLE = memoryview(bytes(16 << 20))
HOLE_PIECES = 256  # 4 GiB: a size that is believed is felt


class Rope:
    """Bytes as a row of pieces of other bytes."""

    def __init__(self, pieces: list[memoryview]) -> None:
        self.pieces = [piece for piece in pieces if len(piece)]
        self.ends = list(accumulate(map(len, self.pieces)))
        self.size = self.ends[-1] if self.ends else 0

    def read(self, offset: int, size: int) -> bytes:
        """As many of these bytes as exist."""
        return b"".join(self.part(offset, offset + size).pieces)

    def part(self, low: int, high: int) -> "Rope":
        """From low up to high, which is exclusive."""
        high = min(high, self.size)
        found = []
        index = bisect_right(self.ends, low)
        while low < high:
            start = self.ends[index] - len(self.pieces[index])
            found.append(self.pieces[index][low - start : high - start])
            low = self.ends[index]
            index += 1
        return Rope(found)

    def replaced(self, low: int, high: int, *new: "Rope | bytes") -> "Rope":
        """With other bytes, of any length, in place of those from low up to high."""
        pieces = [*self.part(0, low).pieces]
        for one in new:
            pieces += one.pieces if isinstance(one, Rope) else [memoryview(one)]
        return Rope([*pieces, *self.part(high, self.size).pieces])


class RopeCore:
    """A rope as the reader's source."""

    def __init__(self, rope: Rope) -> None:
        self.rope = rope
        self.bytes_read = 0

    def ranges(self, wanted: tuple[tuple[int, int], ...]) -> list[bytes]:
        """As many bytes of each range as exist."""
        pieces = [self.rope.read(offset, size) for offset, size in wanted]
        self.bytes_read += sum(map(len, pieces))
        return pieces


def mutant(original: Specimen, seed: int, index: int) -> Rope:
    """The mutant with this number; the same for the same core dump and seed."""
    draw = Random(f"{original.name} {seed} {index}")
    rope = Rope([memoryview(original.data)])
    for _ in range(draw.randint(1, MOST_AT_ONCE)):
        rope = draw.choice(WAYS)(rope, original, draw)
    return rope


def _place(rope: Rope, original: Specimen, draw: Random) -> int:
    chance = draw.random()
    if chance < 0.2:
        return min(draw.choice(original.stack), rope.size)
    within = original.head_bytes if chance < 0.85 else rope.size
    return draw.randrange(max(1, min(within, rope.size)))


def _flip_bits(rope: Rope, original: Specimen, draw: Random) -> Rope:
    for _ in range(draw.choice((1, 1, 1, 2, 8))):
        at = _place(rope, original, draw)
        byte = rope.read(at, 1)
        if byte:
            rope = rope.replaced(at, at + 1, bytes([byte[0] ^ 1 << draw.randrange(8)]))
    return rope


def _overwrite_field(rope: Rope, original: Specimen, draw: Random) -> Rope:
    at, width = draw.choice(original.fields)
    value = draw.choice(EXTREMES) if draw.random() < 0.7 else _related(rope, original, draw)
    return rope.replaced(at, at + width, (value & (1 << 8 * width) - 1).to_bytes(width, "little"))


def _related(rope: Rope, original: Specimen, draw: Random) -> int:
    other = draw.choice(original.fields)
    value = int.from_bytes(rope.read(*other), "little")
    return draw.choice(
        (value, value + 1, value - 1, value + 8, value * 2, rope.size, rope.size - 1, draw.getrandbits(64))
    )


def _overwrite_run(rope: Rope, original: Specimen, draw: Random) -> Rope:
    at = _place(rope, original, draw)
    size = draw.choice((1, 4, 8, 56, 512, 4096))
    content = draw.choice((bytes(size), b"\xff" * size, b"A" * size, draw.randbytes(size)))
    return rope.replaced(at, min(at + size, rope.size), content)


def _swap(rope: Rope, original: Specimen, draw: Random) -> Rope:
    size = draw.choice((4, 8, 24, 56, 336, 4096))
    first, second = sorted(_place(rope, original, draw) for _ in range(2))
    if second - first < size:
        return rope
    left, right = rope.part(first, first + size), rope.part(second, second + size)
    return rope.replaced(second, second + size, left).replaced(first, first + size, right)


def _insert(rope: Rope, original: Specimen, draw: Random) -> Rope:
    at, source = _place(rope, original, draw), _place(rope, original, draw)
    size = draw.choice((1, 3, 4, 12, 20, 56, 336, 4096))
    new: Rope | bytes = rope.part(source, source + size) if draw.random() < 0.5 else draw.randbytes(size)
    return rope.replaced(at, at, new)


def _remove(rope: Rope, original: Specimen, draw: Random) -> Rope:
    at = _place(rope, original, draw)
    return rope.replaced(at, min(rope.size, at + draw.choice((1, 4, 20, 56, 336, 4096))))


def _truncate(rope: Rope, original: Specimen, draw: Random) -> Rope:
    return rope.part(0, _place(rope, original, draw))


def _append_hole(rope: Rope, _original: Specimen, _draw: Random) -> Rope:
    return Rope([*rope.pieces, *(HOLE,) * HOLE_PIECES])


# A way stands as often as it is to be drawn.
WAYS: tuple[Callable[[Rope, Specimen, Random], Rope], ...] = (
    *(_overwrite_field,) * 6,
    *(_flip_bits,) * 4,
    *(_overwrite_run,) * 3,
    *(_swap,) * 2,
    *(_insert,) * 2,
    *(_append_hole,) * 2,
    _remove,
    _truncate,
)
