"""An atlas: one version of a casebook, analysed and laid out to be looked at.

It is a folder of tables, which answer what a page asks without the analysis being done again:

- `crashes`: one row for each case, the newest first, the undated last; `number` is its place in that order
- `ids`: the id of each case in the order of ids, and its `number`
- `pieces`: time at risk, each piece with one value of every exposure that time at risk is told by
- `members`: which cases an outbreak has, and which an argument of its verdict is about
- `suspects`: hosts and machines by how many more crashes they have than their time at risk explains
- `syndromes`, `traces`: what the crashes look like
- `decisions`: why each trace is in its syndrome; `said`: what people said of syndromes, in order
"""

from dataclasses import dataclass
from typing import Literal

TABLES = ("crashes", "ids", "pieces", "members", "suspects", "syndromes", "traces", "decisions", "said")

ColumnKind = Literal["case", "exposure", "feature"]
ColumnType = Literal["text", "texts", "int", "float", "bool", "time", "address"]


@dataclass(frozen=True)
class AtlasColumn:
    """A column of `crashes`. `at_risk`: time at risk is told by it, so there are rates; `values` is how many it has
    (where a case has several: how many combinations).

    `family` is the kind of an exposure (place, area, make, release, work, time, told); empty for others.
    """

    name: str
    kind: ColumnKind
    type: ColumnType
    family: str
    at_risk: bool
    values: int
    unit: str
    meaning: str
    null: str


@dataclass(frozen=True)
class About:
    """What an atlas is of, and what bounds it; times are ISO in UTC, null where nothing tells them.

    `measures` are what time at risk is counted in, the first is the one to use; none: nobody tells time at risk.
    `newest` is the time of the newest case, `drawn` that of the atlas.
    """

    casebook: str
    version: int
    broadstreet_version: str
    simulated: bool
    start: str | None
    end: str | None
    newest: str | None
    drawn: str
    seconds: float
    cases: int
    dated: int
    episodes: int
    syndromes: int
    hosts: int | None
    machines: int | None
    measures: tuple[str, ...]
    at_risk: float | None
    captured: int | None
    fatal: int | None
    columns: tuple[AtlasColumn, ...]
