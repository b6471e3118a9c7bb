"""A line of source code."""

from typing import NamedTuple


class Line(NamedTuple):
    """A source line; where several belong to one frame, all but the last are inlined functions, innermost first."""

    function: str
    file: str
    line: int
