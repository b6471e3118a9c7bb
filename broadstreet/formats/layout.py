"""Declare a fixed binary record once, as a NamedTuple whose fields say where they lie.

The length is checked once per read, and no size found in the bytes is ever used to allocate. Every format here is
little-endian, as x86-64 and aarch64 Linux are.
"""

import struct
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from broadstreet.errors import UnreadableSpecimen

Buffer = Any  # bytes, memoryview or mmap: anything that struct can unpack from
Record = TypeVar("Record", bound=tuple[Any, ...])


class At(NamedTuple):
    """Where a field lies: its byte offset, and its `struct` code. A code with a count gives a tuple."""

    offset: int
    code: str


class Layout(Generic[Record]):
    """A record type compiled to one `struct` call. `source` is the authority for the offsets."""

    def __init__(self, record: type[Record], size: int, source: str) -> None:
        self.record = record
        self.size = size
        self.source = source
        self._struct, self._counts = _compiled(record, size)
        self._plain = all(count is None for count in self._counts)

    def fits(self, data: Buffer, at: int = 0) -> bool:
        """Whether the whole record lies within the data."""
        return 0 <= at <= len(data) - self.size

    def read(self, data: Buffer, at: int = 0) -> Record:
        """The record at this offset; data that end before it are an UnreadableSpecimen."""
        if not 0 <= at <= len(data) - self.size:
            found = f"{max(0, len(data) - at)} bytes"
            raise UnreadableSpecimen(self.record.__name__, at, f"{self.size} bytes", found)
        values = self._struct.unpack_from(data, at)
        return self.record(*values) if self._plain else self.record(*self._grouped(values))

    def _grouped(self, values: tuple[Any, ...]) -> list[Any]:
        grouped: list[Any] = []
        at = 0
        for count in self._counts:
            grouped.append(values[at] if count is None else values[at : at + count])
            at += 1 if count is None else count
        return grouped


def _compiled(record: type[Any], size: int) -> tuple[struct.Struct, list[int | None]]:
    code = "<"
    at = 0
    counts: list[int | None] = []
    for name, hint in get_type_hints(record, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            raise TypeError(f"{record.__name__}.{name} says no offset")
        place = next(argument for argument in get_args(hint) if isinstance(argument, At))
        if place.offset < at:
            raise TypeError(f"{record.__name__}.{name} is out of order")
        code += f"{place.offset - at}x{place.code}"
        at = place.offset + struct.calcsize("<" + place.code)
        digits = place.code[:-1]
        counts.append(int(digits) if digits and place.code[-1] != "s" else None)
    if at > size:
        raise TypeError(f"{record.__name__} is longer than {size} bytes")
    return struct.Struct(code + f"{size - at}x"), counts
