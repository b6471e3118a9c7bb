"""What tells two populations apart: every value of every column that has few, asked of both."""

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from broadstreet.population.differences import Counted, Difference, differences
from broadstreet.records.selection import Selection
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Atlas
from broadstreet.store.tallies import Tally, tallies, tallying, within
from broadstreet.surfaces.web.facets import FACETS, hexed, label

MOST_VALUES = 1_000  # of a column that are asked; of an exposure with more, the commonest
LEAST_CASES = 2  # that have a value: what one crash has tells no populations apart
UNIQUE = ("bytes_read", "bytes_present", "pid", "tid", "sender_pid", "reader_version", "rules_version")
OF_CASES = (
    *("mechanism", "holds", "site", "syndrome", "executable", "thread_count", "cpu", "numa_node", "architecture"),
    *("missing", "time_source", "host_source"),
)
JUDGED, UNJUDGED = "holds", "could_not_be_judged"


class IntervalTold(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval; a bound that nothing bounds is null."""

    value: float | None
    low: float | None
    high: float | None


class DifferenceTold(msgspec.Struct, frozen=True):
    """A value and the cases that have it, of those in which it is known; `q` is corrected for all that was asked.

    `within` is a column that A or B is chosen by, in which this one lies: a zone lies within a region. Then a
    difference may follow from the choice alone.
    """

    column: str
    value: str
    label: str
    meaning: str
    a: int
    known_a: int
    b: int
    known_b: int
    within: str | None
    share_a: IntervalTold
    share_b: IntervalTold
    p: float
    q: float
    python: str
    query: str


class SameTold(msgspec.Struct, frozen=True):
    """A column in which they do not differ: the value that comes nearest to a difference."""

    column: str
    nearest: DifferenceTold


class Pair(msgspec.Struct, frozen=True):
    """The two populations: their selections (null: the rest of the other), and their conditions.

    `within`: columns that lie within one that A or B is chosen by, each with that one.
    """

    a: Selection | None
    b: Selection | None
    where_a: str
    where_b: str
    within: Mapping[str, str]

    @property
    def defined_by(self) -> list[str]:
        """The columns that A and B are chosen by."""
        return sorted({one.column for some in (self.a, self.b) if some for one in some.conditions})


def pair_of(atlas: Atlas, a: Selection | None, b: Selection | None) -> Pair:
    """Two populations, of which one may be the rest of the other."""
    of_a, of_b = (None if one is None else f"({atlas.where(one)})" for one in (a, b))
    bare = Pair(a, b, of_a or f"(NOT coalesce({of_b}, FALSE))", of_b or f"(NOT coalesce({of_a}, FALSE))", {})
    asked = columns_asked(atlas)
    nested = {name: one for one in bare.defined_by for name in within(atlas, asked, one)}
    return msgspec.structs.replace(bare, within=nested)


def asked_of(atlas: Atlas, pair: Pair) -> tuple[Difference, ...]:
    """Every question with its answer; columns that the populations are chosen by are not asked."""
    names = [name for name in columns_asked(atlas) if name not in pair.defined_by]
    found = list(tallies(atlas, names, pair.where_a, pair.where_b, MOST_VALUES, LEAST_CASES))
    unjudged: dict[str | None, Tally] = {}
    if JUDGED in names and UNJUDGED in atlas.columns:
        unjudged = {one.value: one for one in tallies(atlas, [UNJUDGED], pair.where_a, pair.where_b, MOST_VALUES)}
    told = {one.column: one.values for one in found}
    rare = sum(max(0, values - MOST_VALUES) for values in told.values())
    return differences([*_counted(found, unjudged)], rare)


def columns_asked(atlas: Atlas) -> list[str]:
    """The columns whose values are asked, those that have few values; of exposures, all."""
    return [
        name
        for name, column in atlas.columns.items()
        if name not in UNIQUE
        and (
            column.kind == "exposure"
            or (2 <= column.values <= MOST_VALUES and (column.kind == "feature" or name in OF_CASES))
        )
    ]


def _counted(found: Iterable[Tally], unjudged: dict[str | None, Tally]) -> Iterable[Counted]:
    """Each value as a question; cases in which a finding could not be judged are left out of it."""
    for one in found:
        if one.value is None:
            continue
        known_a, known_b = one.known_a, one.known_b
        if one.column == JUDGED and one.value in unjudged:
            known_a, known_b = known_a - unjudged[one.value].a, known_b - unjudged[one.value].b
        if (one.a, one.b) != (known_a, known_b):
            yield Counted(one.column, one.value, one.a, known_a, one.b, known_b)


def difference_told(atlas: Atlas, pair: Pair, found: Difference) -> DifferenceTold:
    """A difference, with what asks it again."""
    of, column = found.of, atlas.column(found.of.column)
    arguments = ", ".join(f"{name}={value!r}" for name, value in found.test.arguments.items())
    return DifferenceTold(
        column=of.column,
        value=hexed(column, of.value) or "",
        label=label(of.column, hexed(column, of.value)),
        meaning=column.meaning,
        a=of.a,
        known_a=of.known_a,
        b=of.b,
        known_b=of.known_b,
        within=pair.within.get(of.column),
        share_a=interval_told(found.share_a),
        share_b=interval_told(found.share_b),
        p=found.test.p,
        q=1.0 if found.test.q is None else found.test.q,
        python=f"from broadstreet.statistics import tables; print(float(tables.fisher({arguments}).two_sided))",
        query=tallying([column], pair.where_a, pair.where_b, MOST_VALUES, LEAST_CASES),
    )


def same_told(atlas: Atlas, pair: Pair, found: Sequence[Difference], surest: Sequence[Difference]) -> list[SameTold]:
    """Of the columns that people ask about first, those in which nothing differs."""
    differing = {one.of.column for one in surest}
    nearest: dict[str, Difference] = {}
    for one in found:
        nearest.setdefault(one.of.column, one)
    return [
        SameTold(name, difference_told(atlas, pair, nearest[name]))
        for name in FACETS
        if name in nearest and name not in differing
    ]


def interval_told(one: Interval) -> IntervalTold:
    """An interval as JSON has it: what nothing bounds is null."""
    return IntervalTold(*(value if math.isfinite(value) else None for value in (one.value, one.low, one.high)))
