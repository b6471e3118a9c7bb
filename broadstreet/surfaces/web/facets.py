"""Facets: the commonest values of a column with their cases, each a link that narrows the selection by it, or back.

A facet counts the crashes that all other conditions leave: its own is ignored, so that a second value can be chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import NUMBERS, Atlas
from broadstreet.store.looking import counted, spread
from broadstreet.store.tallies import LONGEST_VALUE, NOTHING, Tally, tallies, tallying
from broadstreet.surfaces.web.rendering import link

SHOWN = 6  # values of a facet
ALL = 100  # where all are asked for
BINS = 24
FEW = 12  # numbers that are told one by one; more are told by their spread
UNKNOWN = {"outbreak": "in none", "holds": "none", "could_not_be_judged": "none", "missing": "nothing"}
_GAP = {"int": 1, "address": 1, "float": 0}  # between the end of a bin and the begin of the next
Chosen = Literal["is", "not", ""]
Pairs = Sequence[tuple[str, str]]


class ValueTold(msgspec.Struct, frozen=True):
    """A value (null: not known), its cases among those that the other conditions leave, and whether it is chosen.

    `narrow` is the address where it is chosen, or is no more; `but` that where it is left out. A value over 1,000
    characters has neither.
    """

    value: str | None
    label: str
    cases: int
    chosen: Chosen
    narrow: str | None
    but: str | None


class BinTold(msgspec.Struct, frozen=True):
    """Cases from a number to a number, and the address where they are selected."""

    low: str
    high: str
    cases: int
    narrow: str


class SpreadTold(msgspec.Struct, frozen=True):
    """The numbers of a column: least, most, in how many cases not known, and cases between."""

    low: str
    high: str
    unknown: int
    bins: list[BinTold]


class FacetTold(msgspec.Struct, frozen=True):
    """One column: of `cases`, the commonest of its `distinct` values; or, of many numbers, how they are spread.

    `more` is the address where up to 100 values are told, `away` that without this facet (null: it is always there).
    """

    column: str
    meaning: str
    unit: str
    cases: int
    distinct: int
    values: list[ValueTold]
    spread: SpreadTold | None
    least: str
    most: str
    more: str | None
    away: str | None
    query: str


def facets_told(
    atlas: Atlas, selection: Selection, path: str, beside: Pairs, columns: Sequence[str], asked_for: Sequence[str]
) -> list[FacetTold]:
    """The facets of these columns; those that were `asked_for` can be taken away."""
    wide = tuple(value for name, value in beside if name == "all")
    found: dict[str, list[Tally]] = {name: [] for name in columns}
    for open_, names in _grouped(atlas, selection, columns).items():
        for most, some in (
            (ALL, [one for one in names if one in wide]),
            (FEW + 1, [one for one in names if one not in wide]),
        ):
            for tally in tallies(atlas, some, atlas.where(open_), most=most):
                found[tally.column].append(tally)
    addresses = Addresses(path, selection, [pair for pair in beside if pair[0] != "after"])
    return [
        _facet(atlas, selection, addresses, atlas.column(name), found[name], name in wide, name in asked_for)
        for name in columns
    ]


class Addresses(msgspec.Struct, frozen=True):
    """Where one goes from a page that shows a selection."""

    path: str
    selection: Selection
    beside: list[tuple[str, str]]

    def of(self, selection: Selection) -> str:
        """The same page of another selection, from its first row."""
        return link(self.path, selection, self.beside)

    def with_pair(self, name: str, value: str) -> str:
        """The same page with one more thing said beside the selection."""
        return link(
            self.path, self.selection, [*(pair for pair in self.beside if pair != (name, value)), (name, value)]
        )

    def without_pair(self, name: str, value: str) -> str:
        """The same page with one thing less."""
        return link(self.path, self.selection, [pair for pair in self.beside if pair != (name, value)])


def toggled(selection: Selection, column: str, value: str | None, kind: Literal["is", "not"]) -> Selection:
    """The selection with one more value of a condition, or without it where it has it."""
    other = "not" if kind == "is" else "is"
    given: tuple[str | None, ...] = ()
    kept = []
    for one in selection.conditions:
        if (one.column, one.kind) == (column, kind):
            given = one.values
        elif (one.column, one.kind) == (column, other):
            kept.append(one._replace(values=tuple(some for some in one.values if some != value)))
        else:
            kept.append(one)
    left = tuple(some for some in given if some != value) if value in given else (*given, value)
    kept.append(Condition(column, kind, left))
    return selection._replace(conditions=tuple(one for one in kept if one.values))


def label(column: str, value: str | None) -> str:
    """A value as a word."""
    return UNKNOWN.get(column, "not known") if value is None else value


def hexed(column: AtlasColumn, value: str | None) -> str | None:
    """A value as it is written in an address of a page: addresses of memory in hex."""
    return f"{int(value):#x}" if column.type == "address" and value is not None else value


def _grouped(atlas: Atlas, selection: Selection, columns: Sequence[str]) -> Mapping[Selection, list[str]]:
    """The columns by what is selected when their own conditions are ignored."""
    groups: dict[Selection, list[str]] = {}
    for name in columns:
        groups.setdefault(_without(selection, name), []).append(name)
    return groups


def _without(selection: Selection, column: str) -> Selection:
    return selection._replace(conditions=tuple(one for one in selection.conditions if one.column != column))


def _facet(
    atlas: Atlas,
    selection: Selection,
    addresses: Addresses,
    column: AtlasColumn,
    found: list[Tally],
    wide: bool,
    away: bool,
) -> FacetTold:
    own = [one for one in selection.conditions if one.column == column.name]
    limits = {one.kind: one.values[0] or "" for one in own if one.kind in ("min", "max")}
    distinct = found[0].values if found else 0
    numbers = column.type in NUMBERS and distinct > FEW and not wide
    shown = found if wide or distinct <= SHOWN + 1 else found[:SHOWN]
    values = [_value(selection, addresses, column, tally.value, tally.a) for tally in ([] if numbers else shown)]
    values += _chosen_besides(atlas, selection, addresses, column, own, {one.value for one in values})
    cases = found[0].known_a + sum(one.a for one in found if one.value is None) if found else 0
    asked = _without(selection, column.name)
    return FacetTold(
        column=column.name,
        meaning=column.meaning,
        unit=column.unit,
        cases=cases,
        distinct=distinct,
        values=values,
        spread=_spread(atlas, asked, addresses, column) if numbers else None,
        least=limits.get("min", ""),
        most=limits.get("max", ""),
        more=addresses.with_pair("all", column.name) if not wide and distinct > len(values) else None,
        away=addresses.without_pair("facet", column.name) if away else None,
        query=tallying([column], atlas.where(asked), NOTHING, ALL),
    )


def _value(selection: Selection, addresses: Addresses, column: AtlasColumn, value: str | None, cases: int) -> ValueTold:
    value = hexed(column, value)
    chosen: Chosen = ""
    for one in selection.conditions:
        if one.column == column.name and value in one.values:
            chosen = "is" if one.kind == "is" else "not" if one.kind == "not" else ""
    if value is not None and len(value) > LONGEST_VALUE:
        return ValueTold(value, value, cases, "", None, None)
    return ValueTold(
        value,
        label(column.name, value),
        cases,
        chosen,
        addresses.of(toggled(selection, column.name, value, chosen or "is")),
        None if chosen else addresses.of(toggled(selection, column.name, value, "not")),
    )


def _chosen_besides(
    atlas: Atlas,
    selection: Selection,
    addresses: Addresses,
    column: AtlasColumn,
    own: Iterable[Condition],
    told: set[str | None],
) -> list[ValueTold]:
    """Values that are chosen and too rare to be among the commonest."""
    missed = [value for one in own if one.kind in ("is", "not") for value in one.values if value not in told]
    open_ = _without(selection, column.name)
    return [
        _value(selection, addresses, column, value, _cases(atlas, toggled(open_, column.name, value, "is")))
        for value in missed
    ]


def _cases(atlas: Atlas, selection: Selection) -> int:
    return int(counted(atlas, selection).dicts()[0]["cases"])


def _spread(atlas: Atlas, selection: Selection, addresses: Addresses, column: AtlasColumn) -> SpreadTold | None:
    rows = spread(atlas, selection, column.name, BINS).dicts()
    if not rows or rows[0]["low"] is None:
        return None
    low, high, step = (_number(column, rows[0][name]) for name in ("low", "high", "step"))
    counts = {row["bin"]: row["cases"] for row in rows if row["bin"] is not None}
    open_ = _without(addresses.selection, column.name)
    bins = []
    for place in range(max(counts, default=0) + 1):
        least, most = (
            _written(column, low + step * place),
            _written(column, min(high, low + step * (place + 1) - _GAP[column.type])),
        )
        between = (Condition(column.name, "min", (least,)), Condition(column.name, "max", (most,)))
        address = addresses.of(open_._replace(conditions=(*open_.conditions, *between)))
        bins.append(BinTold(least, most, int(counts.get(place, 0)), address))
    return SpreadTold(_written(column, low), _written(column, high), int(rows[0]["unknown"]), bins)


def _number(column: AtlasColumn, value: str) -> float:
    return float(value) if column.type == "float" else int(value)


def _written(column: AtlasColumn, value: float) -> str:
    return f"{int(value):#x}" if column.type == "address" else repr(value)
