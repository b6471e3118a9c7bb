"""Facets: the commonest values of a column with their cases, each a link that narrows the selection by it, or back.

A facet counts the crashes that all other conditions leave: its own is ignored, so that a second value can be chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from broadstreet.formats.names import demangled
from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import NUMBERS, Atlas
from broadstreet.store.looking import spread, with_each
from broadstreet.store.tallies import LONGEST_VALUE, NOTHING, Tally, tallies, tallying
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.rendering import link

SHOWN = 6  # values of a facet
ALL = 100  # where all are asked for
BINS = 24
FEW = 12  # numbers that are told one by one; more are told by their spread
FACETS = (
    *("mechanism", "holds", "syndrome", "outbreak", "service", "service_release", "region", "rack", "sku"),
    *("kernel_release", "workload", "signal"),
)
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
    atlas: Atlas, addresses: "Addresses", columns: Sequence[str], asked_for: Sequence[str] = ()
) -> list[FacetTold]:
    """The facets of these columns; those that were `asked_for` can be taken away."""
    found: dict[str, list[Tally]] = {name: [] for name in columns}
    for selection, names in _grouped(addresses.selection, columns).items():
        for most, some in (
            (ALL, [one for one in names if addresses.has("all", one)]),
            (FEW + 1, [one for one in names if not addresses.has("all", one)]),
        ):
            for tally in tallies(atlas, some, atlas.where(selection), most=most):
                found[tally.column].append(tally)
    seen = _Seen(atlas, addresses, {str(one.rank): one.mechanism for one in investigation(atlas).outbreaks})
    return [_facet(seen, atlas.column(name), tallied, name in asked_for) for name, tallied in found.items()]


class Addresses(msgspec.Struct, frozen=True):
    """Where one goes from a page that shows a selection."""

    path: str
    selection: Selection
    beside: list[tuple[str, str]]

    def has(self, name: str, value: str) -> bool:
        """Whether something is said beside the selection."""
        return (name, value) in self.beside

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
    if column == "site" and value is not None:
        return demangled(value[:LONGEST_VALUE])
    return UNKNOWN.get(column, "not known") if value is None else value


def hexed(column: AtlasColumn, value: str | None) -> str | None:
    """A value as it is written in an address of a page: addresses of memory in hex."""
    return f"{int(value):#x}" if column.type == "address" and value is not None else value


class _Seen(NamedTuple):
    """What facets are made from; `mechanisms` of the outbreaks by their rank."""

    atlas: Atlas
    addresses: Addresses
    mechanisms: Mapping[str, str]


def _grouped(selection: Selection, columns: Sequence[str]) -> Mapping[Selection, list[str]]:
    """The columns by what is selected when their own conditions are ignored."""
    groups: dict[Selection, list[str]] = {}
    for name in columns:
        groups.setdefault(_without(selection, name), []).append(name)
    return groups


def _without(selection: Selection, column: str) -> Selection:
    return selection._replace(conditions=tuple(one for one in selection.conditions if one.column != column))


def _facet(seen: _Seen, column: AtlasColumn, found: list[Tally], away: bool) -> FacetTold:
    own = [one for one in seen.addresses.selection.conditions if one.column == column.name]
    limits = {one.kind: one.values[0] or "" for one in own if one.kind in ("min", "max")}
    others = _without(seen.addresses.selection, column.name)
    distinct = found[0].values if found else 0
    wide = seen.addresses.has("all", column.name)
    numbers = column.type in NUMBERS and distinct > FEW and not wide
    shown = found if wide or distinct <= SHOWN + 1 else found[:SHOWN]
    values = [] if numbers else [_value(seen, column, tally.value, tally.a) for tally in shown]
    values += _chosen_besides(seen, column, own, {one.value for one in values})
    return FacetTold(
        column=column.name,
        meaning=column.meaning,
        unit=column.unit,
        cases=found[0].known_a + sum(one.a for one in found if one.value is None) if found else 0,
        distinct=distinct,
        values=values,
        spread=_spread(seen, others, column) if numbers else None,
        least=limits.get("min", ""),
        most=limits.get("max", ""),
        more=None if wide or distinct <= len(values) else seen.addresses.with_pair("all", column.name),
        away=seen.addresses.without_pair("facet", column.name) if away else None,
        query=tallying([column], seen.atlas.where(others), NOTHING, ALL),
    )


def _value(seen: _Seen, column: AtlasColumn, value: str | None, cases: int) -> ValueTold:
    value = hexed(column, value)
    chosen: Chosen = ""
    for one in seen.addresses.selection.conditions:
        if one.column == column.name and value in one.values:
            chosen = "is" if one.kind == "is" else "not" if one.kind == "not" else ""
    mechanism = seen.mechanisms.get(value or "") if column.name == "outbreak" else None
    said = f"{value} {mechanism.replace('_', ' ')}" if mechanism else label(column.name, value)
    if value is not None and len(value) > LONGEST_VALUE:
        return ValueTold(value, said, cases, "", None, None)
    selection = seen.addresses.selection
    narrow = seen.addresses.of(toggled(selection, column.name, value, chosen or "is"))
    but = None if chosen else seen.addresses.of(toggled(selection, column.name, value, "not"))
    return ValueTold(value, said, cases, chosen, narrow, but)


def _chosen_besides(
    seen: _Seen, column: AtlasColumn, own: Iterable[Condition], told: set[str | None]
) -> list[ValueTold]:
    """Values that are chosen and too rare to be among the commonest."""
    missed = [value for one in own if one.kind in ("is", "not") for value in one.values if value not in told]
    others = _without(seen.addresses.selection, column.name)
    cases = with_each(seen.atlas, others, column.name, missed) if missed else []
    return [_value(seen, column, value, count) for value, count in zip(missed, cases, strict=True)]


def _spread(seen: _Seen, selection: Selection, column: AtlasColumn) -> SpreadTold | None:
    rows = spread(seen.atlas, selection, column.name, BINS).dicts()
    if not rows or rows[0]["low"] is None:
        return None
    low, high, step = (_number(column, rows[0][name]) for name in ("low", "high", "step"))
    counts = {row["bin"]: row["cases"] for row in rows if row["bin"] is not None}
    bins = []
    for place in range(max(counts, default=0) + 1):
        least, most = (
            _written(column, low + step * place),
            _written(column, min(high, low + step * (place + 1) - _GAP[column.type])),
        )
        between = (Condition(column.name, "min", (least,)), Condition(column.name, "max", (most,)))
        address = seen.addresses.of(selection._replace(conditions=(*selection.conditions, *between)))
        bins.append(BinTold(least, most, int(counts.get(place, 0)), address))
    return SpreadTold(_written(column, low), _written(column, high), int(rows[0]["unknown"]), bins)


def _number(column: AtlasColumn, value: str) -> float:
    return float(value) if column.type == "float" else int(value)


def _written(column: AtlasColumn, value: float) -> str:
    return f"{int(value):#x}" if column.type == "address" else repr(value)
