"""What a part of the bench hands back: tables, and how its figures stand against what was asked."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One figure that was asked for, and what was found."""

    what: str
    asked: str
    found: str
    met: bool


@dataclass(frozen=True)
class Table:
    """Rows of text under a head, and sentences that say how they were obtained."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """The result of one part."""

    title: str
    tables: tuple[Table, ...]
    asked: tuple[Asked, ...] = ()
