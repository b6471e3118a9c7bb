"""The crashed process's memory, as far as its bytes were fetched.

The program headers say what was mapped with which rights; only some of it lies in the file, and less was read. So a
word has three answers: its value, or null because it was not observed; whether an address was mapped is always known.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from broadstreet.formats import elf

_WORD = struct.Struct("<Q")
PAGE = 4096
JOIN_GAP = 512  # ranges nearer than this are fetched as one: a request costs more than the bytes between


class Mapping(NamedTuple):
    """A stretch of address space: end is exclusive; `file_size` bytes of it were written at `file_offset`.

    Of a mapping that a slim core dump holds in part, `file_size` is that of the original, as its note says.
    """

    start: int
    end: int
    flags: int
    file_offset: int
    file_size: int

    @property
    def readable(self) -> bool:
        """Whether the process could read it."""
        return bool(self.flags & elf.PF_R)

    @property
    def writable(self) -> bool:
        """Whether the process could write to it."""
        return bool(self.flags & elf.PF_W)

    @property
    def executable(self) -> bool:
        """Whether the process could execute it."""
        return bool(self.flags & elf.PF_X)


class AddressSpace:
    """Mappings, and the windows of memory that were fetched so far."""

    def __init__(self, segments: Iterable[tuple[int, ...]], whole: Iterable[tuple[int, int, int]] = ()) -> None:
        """Of program headers as tuples. `whole`: start, end and dumped bytes of mappings that are held only in part.

        A process of 500 threads has a thousand mappings, of which a crash asks for ten: they are made when asked for.
        """
        self.parts = sorted(
            (address, address + memory, flags, offset, file if file < memory else memory)
            for kind, flags, offset, address, _physical, file, memory, _alignment in segments
            if kind == elf.PT_LOAD and memory
        )
        self._part_starts = [part[0] for part in self.parts]
        originals = {start: (end, min(dumped, end - start)) for start, end, dumped in whole}
        self._raw = _made_whole(self.parts, originals) if originals else self.parts
        self._starts = [raw[0] for raw in self._raw]
        self._made: dict[int, Mapping] = {}
        self._windows: list[tuple[int, int, bytes]] = []
        self._last = (0, 0, b"")
        code = [raw for raw in self._raw if raw[2] & elf.PF_X and raw[0] >> 63 == 0]
        self.code_low = code[0][0] if code else 0
        self.code_high = code[-1][1] if code else 0
        self.dumped_code = [  # and not only the first page, which is there for its build id
            Mapping._make(raw)
            for raw in code
            if raw[4] and (raw[4] > PAGE or raw[4] == raw[1] - raw[0]) and not raw[2] & elf.PF_W
        ]

    @property
    def mappings(self) -> list[Mapping]:
        """All of them, by address."""
        return [self._mapping(index) for index in range(len(self._raw))]

    @property
    def lowest(self) -> int | None:
        """Where the first mapping starts."""
        return self._starts[0] if self._starts else None

    def _mapping(self, index: int) -> Mapping:
        found = self._made.get(index)
        if found is None:
            found = self._made[index] = Mapping._make(self._raw[index])
        return found

    def mapping(self, address: int) -> Mapping | None:
        """The mapping that holds this address; null where nothing was mapped."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0 and address < self._raw[index][1]:
            return self._made.get(index) or self._mapping(index)
        return None

    def mapped(self, words: Iterable[int]) -> list[int]:
        """Those of the words that are addresses of mapped memory."""
        starts, raw = self._starts, self._raw
        if not starts:
            return []
        low, high = starts[0], raw[-1][1]
        return [w for w in words if low <= w < high and w < raw[bisect_right(starts, w) - 1][1]]

    def following(self, address: int) -> Mapping | None:
        """The first mapping that starts above this address."""
        index = bisect_right(self._starts, address)
        return self._mapping(index) if index < len(self._raw) else None

    def preceding(self, address: int) -> Mapping | None:
        """The last mapping that starts at or below this address, whether or not it reaches it."""
        index = bisect_right(self._starts, address) - 1
        return self._mapping(index) if index >= 0 else None

    def executable(self, address: int) -> bool:
        """Whether the address lies in a mapping with execute permission."""
        if not self.code_low <= address < self.code_high:
            return False
        index = bisect_right(self._starts, address) - 1
        raw = self._raw[index]
        return index >= 0 and address < raw[1] and bool(raw[2] & elf.PF_X)

    def distance(self, address: int) -> int:
        """Bytes from the address to the nearest mapping; 0 inside one."""
        index = bisect_right(self._starts, address) - 1
        below = address - self._raw[index][1] + 1 if index >= 0 else 1 << 64
        above = self._starts[index + 1] - address if index + 1 < len(self._raw) else 1 << 64
        return max(0, min(below, above))

    def file_range(self, address: int, size: int) -> tuple[int, int, int] | None:
        """Where the file holds this stretch: (file offset, size, address), clipped to one segment's dumped part."""
        index = bisect_right(self._part_starts, address) - 1
        if index < 0:
            return None
        start, _end, _flags, offset, file_size = self.parts[index]
        inside = address - start
        size = min(size, file_size - inside)
        return (offset + inside, size, address) if size > 0 else None

    def file_ranges(self, address: int, size: int) -> list[tuple[int, int, int]]:
        """Every dumped part of this stretch, as `file_range` gives one."""
        first = max(0, bisect_right(self._part_starts, address) - 1)
        found = []
        for part in self.parts[first : bisect_left(self._part_starts, address + size)]:
            low = max(address, part[0])
            place = self.file_range(low, address + size - low)
            if place is not None:
                found.append(place)
        return found

    def add(self, address: int, data: bytes) -> None:
        """Keep fetched bytes. The newest window that holds an address answers for it."""
        if data:
            self._last = (address, address + len(data), data)
            self._windows.insert(0, self._last)

    def read(self, address: int, size: int) -> bytes | None:
        """Exactly these bytes; null unless one window holds them all."""
        start, end, data = self._last
        if start <= address and address + size <= end:
            return data[address - start : address - start + size]
        for window in self._windows:
            start, end, data = window
            if start <= address and address + size <= end:
                self._last = window
                return data[address - start : address - start + size]
        return None

    def word(self, address: int) -> int | None:
        """The 64-bit word at an address; null where it was not fetched."""
        start, end, data = self._last
        if start <= address and address + 8 <= end:
            return int(_WORD.unpack_from(data, address - start)[0])
        piece = self.read(address, 8)
        return None if piece is None else int(_WORD.unpack(piece)[0])

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """The words from an address upward, as many as one window holds."""
        for start, end, data in self._windows:
            if start <= address < end:
                count = min(count, (end - address) // 8)
                return struct.unpack_from(f"<{count}Q", data, address - start)
        return ()

    def windows(self) -> list[tuple[int, int, bytes]]:
        """Every window fetched: (start, end, bytes)."""
        return list(self._windows)


_Raw = tuple[int, int, int, int, int]


def _made_whole(parts: list[_Raw], originals: dict[int, tuple[int, int]]) -> list[_Raw]:
    whole: list[_Raw] = []
    limit = 0
    for start, end, flags, offset, file_size in parts:
        last = whole[-1] if whole else None
        if last is not None and last[1] == start and last[2] == flags and end <= limit:
            reached = start + file_size - last[0] if file_size else 0
            whole[-1] = (last[0], end, flags, last[3], max(last[4], reached))
        else:
            limit, dumped = originals.get(start, (0, 0))
            whole.append((start, end, flags, offset, max(file_size, dumped)))
    return whole


def joined(ranges: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """File ranges (offset, size, address) merged where they touch or nearly do, both in the file and in memory."""
    merged: list[tuple[int, int, int]] = []
    for offset, size, address in sorted(set(ranges)):
        if merged:
            last_offset, last_size, last_address = merged[-1]
            near = offset <= last_offset + last_size + JOIN_GAP
            if near and offset - last_offset == address - last_address:
                merged[-1] = (last_offset, max(last_size, offset + size - last_offset), last_address)
                continue
        merged.append((offset, size, address))
    return merged
