"""Which crashes are looked at: an interval of time, and conditions on columns. The state of every filter."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["is", "not", "min", "max"]


@dataclass(frozen=True)
class Condition:
    """A column is one of these values, or none of them (an empty value: not known), or not below or above one."""

    column: str
    kind: Kind
    values: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """The crashes from `start` until `end` (exclusive; null: open) that meet every condition."""

    start: datetime | None = None
    end: datetime | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether everything is selected."""
        return self == Selection()
