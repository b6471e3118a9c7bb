"""Drive the reader by hand over bytes, and keep what it asked for."""

from collections.abc import Callable
from typing import NamedTuple

from broadstreet.formats.binary import Binary
from broadstreet.reading.reader import Reading, read
from broadstreet.records.wanted import BinaryWanted

Finder = Callable[[BinaryWanted], Binary | None]


class Driven(NamedTuple):
    """A reading, the ranges of each round, and every binary that was wanted."""

    reading: Reading
    rounds: list[tuple[tuple[int, int], ...]]
    wanted: list[BinaryWanted]

    def bytes_beyond(self, end: int) -> int:
        """How many different bytes from this offset on were asked for."""
        total = 0
        for low, high in sorted((offset, offset + size) for ranges in self.rounds for offset, size in ranges):
            total += max(0, high - max(low, end))
            end = max(end, high)
        return total


def no_binary(_wanted: BinaryWanted) -> Binary | None:
    """Nothing is at hand."""
    return None


def driven(data: bytes, *, every_thread: bool = False, find: Finder = no_binary) -> Driven:
    """What the reader makes of these bytes."""
    rounds: list[tuple[tuple[int, int], ...]] = []
    asked: list[BinaryWanted] = []
    reader = read(every_thread)
    wanted = next(reader)
    while True:
        try:
            if wanted.ranges:
                rounds.append(wanted.ranges)
                wanted = reader.send([data[max(0, at) : max(0, at + size)] for at, size in wanted.ranges])
            else:
                asked += wanted.binaries
                wanted = reader.send([find(one) for one in wanted.binaries])
        except StopIteration as done:
            return Driven(done.value, rounds, asked)
