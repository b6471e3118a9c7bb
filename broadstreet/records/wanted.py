"""What a reading asks for, and what it is sent. The reader itself never touches a file."""

from typing import Any, NamedTuple


class BinaryWanted(NamedTuple):
    """A binary by build id, else by the path that it was mapped from."""

    path: str
    build_id: str | None


class Wanted(NamedTuple):
    """Byte ranges (offset, size) of the core dump, or binaries; the answer is a list in the same order.

    A range is answered by as many of its bytes as exist. A binary that is not at hand is answered by None.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    binaries: tuple[BinaryWanted, ...] = ()


Answer = list[Any]
