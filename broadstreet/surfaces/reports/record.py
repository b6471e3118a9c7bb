"""A report as data: sections of blocks, in the order in which they are read. It says; how it looks is its writers'."""

from collections.abc import Sequence
from dataclasses import dataclass

from broadstreet.surfaces.charts.curve import Curve
from broadstreet.surfaces.web.arguments import ArgumentTold
from broadstreet.surfaces.web.forests import Hit
from broadstreet.surfaces.web.verdicts import Word


@dataclass(frozen=True)
class Words:
    """A paragraph; `small` ones explain."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Claim:
    """A verdict in a word and its certainty, with the sentences that follow it."""

    word: Word
    text: str


@dataclass(frozen=True)
class Facts:
    """Labels, each with what is so; those without are left out."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Steps:
    """Things to do, in order, each with the command that does it (null: none does)."""

    steps: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Table:
    """Rows of text under a head. `numbers` are the columns that hold numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Chart:
    """An epidemic curve with what is said below it."""

    curve: Curve
    caption: str


@dataclass(frozen=True)
class Evidence:
    """The argument of a verdict, evidence against it first; under each item what the lab counted."""

    argument: ArgumentTold


@dataclass(frozen=True)
class Forest:
    """Who is hit: rate ratios, naive and adjusted."""

    hits: tuple[Hit, ...]
    word: Word


@dataclass(frozen=True)
class Code:
    """Lines to paste; `folded` ones stay closed until a reader wants them."""

    label: str
    lines: tuple[str, ...]
    folded: bool = False


Block = Words | Claim | Facts | Steps | Table | Chart | Evidence | Forest | Code


@dataclass(frozen=True)
class Section:
    """A heading, how deep it stands (2: a section, 3: a part of one), and what stands under it."""

    title: str
    blocks: Sequence[Block]
    depth: int = 2


@dataclass(frozen=True)
class Report:
    """The answer in one sentence, of which casebook and time, whether its fleet is simulated, and the sections."""

    title: str
    about: tuple[str, ...]
    simulated: bool
    sections: tuple[Section, ...]
