"""Which crashes are meant: a time and conditions on columns, as a link carries them."""

from datetime import datetime
from typing import Literal, NamedTuple

Kind = Literal["is", "not", "min", "max"]


class Condition(NamedTuple):
    """What a column must be: one of the values, none of them, at least, or at most. A null value is "not known"."""

    column: str
    kind: Kind
    values: tuple[str | None, ...]


class Selection(NamedTuple):
    """Crashes from `start` until before `end`, both UTC, for which every condition holds; null is no limit."""

    start: datetime | None = None
    end: datetime | None = None
    conditions: tuple[Condition, ...] = ()


EVERYTHING = Selection()
