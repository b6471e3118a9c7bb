"""What pages ask of an atlas: cases over time, rates, facets, pages of cases, two populations side by side."""

from collections.abc import Sequence
from datetime import datetime

from broadstreet.errors import UsageError
from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import Answer, Atlas, moment
from broadstreet.store.literals import named, text

MOST_AT_ONCE = 1_000  # cases of a page


def counted(atlas: Atlas, selection: Selection) -> Answer:
    """One row: cases, episodes, undated, hosts, and the first and last time."""
    hosts = 'count(DISTINCT "host")' if "host" in atlas.columns else "NULL::BIGINT"
    return atlas.ask(
        f'SELECT count(*) AS cases, count(*) FILTER ("episode") AS episodes, count(*) FILTER (NOT "dated") AS undated, '
        f'{hosts} AS hosts, min("time") AS first, max("time") AS last\nFROM crashes WHERE {atlas.where(selection)}'
    )


def curve(atlas: Atlas, selection: Selection, start: datetime, hours: int, by: str | None = None) -> Answer:
    """Dated cases in bins of so many hours from `start`: bin, `value` of the column `by`, cases, episodes."""
    value = "NULL::VARCHAR" if by is None else f"{named(atlas.column(by).name)}::VARCHAR"
    return atlas.ask(
        f'SELECT (epoch_us("time") - epoch_us({moment(start)})) // {hours * 3_600_000_000} AS bin, {value} AS value, '
        f'count(*) AS cases, count(*) FILTER ("episode") AS episodes\n'
        f'FROM crashes WHERE "dated" AND {atlas.where(selection)}\nGROUP BY ALL ORDER BY ALL'
    )


def load(atlas: Atlas, selection: Selection, start: datetime, hours: int, measure: str) -> Answer:
    """A measure of time at risk in the same bins, of each piece what lies in the bin: bin, its mean per second."""
    if measure not in atlas.about.measures:
        raise UsageError(f"time at risk is not counted in {measure}", f"It is in {', '.join(atlas.about.measures)}.")
    width = hours * 3_600_000_000
    return atlas.ask(
        f'WITH told_of AS (SELECT epoch_us("start") - epoch_us({moment(start)}) AS since, '
        f'epoch_us("end") - epoch_us({moment(start)}) AS until, {named(measure)} AS n\n'
        f"  FROM pieces WHERE {atlas.where(selection, 'pieces')}),\n"
        f"cut AS (SELECT *, unnest(range(greatest(since, 0) // {width}, (until - 1) // {width} + 1)) AS bin "
        "FROM told_of)\n"
        f"SELECT bin, sum(n * (least(until, (bin + 1) * {width}) - greatest(since, bin * {width})) / "
        f"nullif(until - since, 0)) / {hours * 3600} AS per_second FROM cut\nGROUP BY bin ORDER BY bin"
    )


def rates(atlas: Atlas, selection: Selection, columns: Sequence[str]) -> Answer:
    """For each combination of values: cases, episodes, and time at risk by the first measure (null: it never ran).

    Values that are not known are null. Of columns by which no time at risk is told, `at_risk` is null everywhere.
    """
    names = [named(atlas.column(name).name) for name in columns]
    keys = ", ".join(names)
    cases = (
        f"SELECT {', '.join(f'{name}::VARCHAR AS {name}' for name in names)}, count(*) AS cases, "
        f'count(*) FILTER ("episode") AS episodes\nFROM crashes WHERE {atlas.where(selection)} GROUP BY ALL'
    )
    if not atlas.about.measures or not all(atlas.column(name).at_risk for name in columns):
        return atlas.ask(f"SELECT *, NULL::DOUBLE AS at_risk FROM ({cases}) ORDER BY ALL")
    hours = (
        f"SELECT {keys}, sum({atlas.overlap(selection, atlas.about.measures[0])}) AS at_risk\n"
        f"FROM pieces WHERE {atlas.where(selection, 'pieces')} GROUP BY ALL"
    )
    same = " AND ".join(f"c.{name} IS NOT DISTINCT FROM p.{name}" for name in names)
    both = ", ".join(f"coalesce(c.{name}, p.{name}) AS {name}" for name in names)
    return atlas.ask(
        f"SELECT {both}, coalesce(cases, 0) AS cases, coalesce(episodes, 0) AS episodes, at_risk\n"
        f"FROM ({cases}) c FULL JOIN ({hours}) p ON {same}\nORDER BY ALL"
    )


def spread(atlas: Atlas, selection: Selection, column: str, bins: int) -> Answer:
    """A column of numbers in at most so many equal bins: low, high, `step` (the width of a bin), how many are null,
    and for each bin that is not empty its place and its cases. Whole numbers have bins of whole numbers."""
    known = atlas.column(column)
    kind = "DOUBLE" if known.type == "float" else "HUGEINT"
    step = f"(high - low) / {bins}" if known.type == "float" else f"(high - low) // {bins} + 1"
    return atlas.ask(
        f"WITH seen AS (SELECT {named(known.name)}::{kind} AS x FROM crashes WHERE {atlas.where(selection)}),\n"
        "ends AS (SELECT min(x) AS low, max(x) AS high, count(*) - count(x) AS unknown FROM seen),\n"
        f"cut AS (SELECT *, {step} AS step FROM ends)\n"
        "SELECT low::VARCHAR AS low, high::VARCHAR AS high, step::VARCHAR AS step, unknown, "
        f"least(floor((x - low) / nullif(step, 0)), {bins - 1})::INT AS bin, count(x) AS cases\n"
        "FROM seen, cut GROUP BY ALL ORDER BY bin"
    )


def page(atlas: Atlas, selection: Selection, columns: Sequence[str], after: int | None, most: int) -> Answer:
    """Cases after the one with this number, the newest first, the undated last, with these columns and `number`."""
    shown = ", ".join(named(atlas.column(name).name) for name in columns if name not in ("number", "case_id"))
    key = "TRUE" if after is None else f'"number" > {int(after)}'
    return atlas.ask(
        f'SELECT "number", "case_id"{", " if shown else ""}{shown}\n'
        f'FROM crashes WHERE {key} AND {atlas.where(selection)}\nORDER BY "number" LIMIT {min(most, MOST_AT_ONCE)}'
    )


def turned(atlas: Atlas, selection: Selection, after: int | None, most: int) -> Answer:
    """One row, for turning pages: how many cases stand before the page after this number, and after which numbers the
    page before it and the last page begin (null where there is none)."""
    shown, size = -1 if after is None else int(after), min(most, MOST_AT_ONCE)
    return atlas.ask(
        f'SELECT count(*) FILTER ("number" <= {shown}) AS newer, '
        f'list_min(max("number", {size}) FILTER ("number" <= {shown})) - 1 AS before, '
        f'list_min(max("number", {size})) - 1 AS oldest\nFROM crashes WHERE {atlas.where(selection)}'
    )


def all_of(atlas: Atlas, selection: Selection, columns: Sequence[str], spelt: bool) -> str:
    """The SELECT of all cases as they are downloaded, the newest first: in the order in which the atlas has them.

    `spelt`: for a form that has no types, times in ISO 8601, addresses in hex, several values joined by commas.
    """
    shown = ", ".join(_spelt(atlas.column(name)) if spelt else named(atlas.column(name).name) for name in columns)
    return f"SELECT {shown} FROM crashes WHERE {atlas.where(selection)}"


def shares(atlas: Atlas, one: Selection, other: Selection, column: str, most: int) -> Answer:
    """Of values in either selection: `a` and `b` cases with it, of `known_a` and `known_b` in which it is known.

    A case in both counts in both. Of a column with several values a case, each is asked by itself.
    """
    known = atlas.column(column)
    name = named(known.name)
    value, told = (f"unnest({name})", f"{name} IS NOT NULL") if known.type == "texts" else (name, f"{name} IS NOT NULL")
    a, b = atlas.where(one), atlas.where(other)
    return atlas.ask(
        f"WITH both_of AS (SELECT {name}, ({a}) AS a, ({b}) AS b FROM crashes WHERE ({a}) OR ({b})),\n"
        f"all_told AS (SELECT count(*) FILTER (a) AS known_a, count(*) FILTER (b) AS known_b "
        f"FROM both_of WHERE {told}),\n"
        f"each_value AS (SELECT {value} AS value, a, b FROM both_of WHERE {told})\n"
        "SELECT value::VARCHAR AS value, count(*) FILTER (a) AS a, count(*) FILTER (b) AS b, "
        "any_value(known_a) AS known_a, any_value(known_b) AS known_b, count(*) OVER () AS values\n"
        f"FROM each_value, all_told GROUP BY value ORDER BY count(*) DESC, value LIMIT {int(most)}"
    )


def hosts_of(atlas: Atlas, selection: Selection, places: Sequence[str]) -> str:
    """Every host that was at risk or crashed: its places (the last that held), time at risk, cases, episodes."""
    told = atlas.about.measures and atlas.column("host").at_risk
    of_cases = [named(atlas.column(name).name) for name in places]
    cases = (
        f'SELECT "host", {_last(of_cases, "time")}count(*) AS cases, count(*) FILTER ("episode") AS episodes\n'
        f'FROM crashes WHERE "host" IS NOT NULL AND {atlas.where(selection)} GROUP BY "host"'
    )
    if not told:
        return f"SELECT *, NULL::DOUBLE AS at_risk FROM ({cases})"
    of_pieces = [named(name) for name in places if atlas.column(name).at_risk]
    hours = (
        f'SELECT "host", {_last(of_pieces, "start")}'
        f"sum({atlas.overlap(selection, atlas.about.measures[0])}) AS at_risk\n"
        f'FROM pieces WHERE "host" IS NOT NULL AND {atlas.where(selection, "pieces")} GROUP BY "host"'
    )
    told_of = [f"coalesce(p.{name}, c.{name}) AS {name}" if name in of_pieces else f"c.{name}" for name in of_cases]
    return (
        f'SELECT coalesce(p."host", c."host") AS "host", {", ".join([*told_of, ""])}at_risk, '
        "coalesce(cases, 0) AS cases, coalesce(episodes, 0) AS episodes\n"
        f'FROM ({hours}) p FULL JOIN ({cases}) c ON c."host" = p."host"\nORDER BY {", ".join([*of_cases, ""])}"host"'
    )


def placed(atlas: Atlas, column: str, value: str, on: str) -> Answer:
    """When a place had each value of another exposure, by its time at risk: value, start, end, at_risk; in time."""
    measure = named(atlas.about.measures[0]) if atlas.about.measures else "NULL"
    return atlas.ask(
        f'SELECT {named(atlas.column(on).name)} AS value, min("start") AS "start", max("end") AS "end", '
        f"sum({measure}) AS at_risk\nFROM pieces WHERE {named(atlas.column(column).name)} = {text(value)} "
        f'GROUP BY ALL ORDER BY "start", value'
    )


def with_each(atlas: Atlas, selection: Selection, column: str, values: Sequence[str | None]) -> list[int]:
    """For each of these values, how many cases of a selection have it: all of them in one pass."""
    tests = [atlas.tested(Condition(column, "is", (value,))) for value in values]
    counts = ", ".join(f"count(*) FILTER ({test}) AS c{place}" for place, test in enumerate(tests))
    found = atlas.ask(f"SELECT {counts} FROM crashes WHERE {atlas.where(selection)}").dicts()[0]
    return [int(found[f"c{place}"]) for place in range(len(tests))]


def without_each(atlas: Atlas, selection: Selection) -> Answer:
    """One row: for each condition, by its place, the cases that there are without it; `time` for those of any time."""
    asked = {
        f"c{place}": selection._replace(conditions=(*selection.conditions[:place], *selection.conditions[place + 1 :]))
        for place in range(len(selection.conditions))
    }
    asked["time"] = selection._replace(start=None, end=None)
    counts = ", ".join(f"count(*) FILTER ({atlas.where(one)}) AS {name}" for name, one in asked.items())
    return atlas.ask(f"SELECT {counts} FROM crashes")


def _last(names: Sequence[str], by: str) -> str:
    return "".join(f'arg_max({name}, "{by}") AS {name}, ' for name in names)


def _spelt(column: AtlasColumn) -> str:
    name = named(column.name)
    if column.type == "texts":
        return f"array_to_string({name}, ',') AS {name}"
    if column.type == "address":
        return f"'0x' || lower(to_hex({name})) AS {name}"
    return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ') AS {name}" if column.type == "time" else name


def largest(atlas: Atlas) -> Answer:
    """The syndrome with most cases, how many cases are in no outbreak, and how many syndromes those have."""
    return atlas.ask(
        'SELECT (SELECT max(cases) FROM syndromes) AS cases, count(*) FILTER ("outbreak" IS NULL) AS in_none, '
        'count(DISTINCT "syndrome") FILTER ("outbreak" IS NULL) AS syndromes\nFROM crashes'
    )


def arrived(atlas: Atlas, column: str, start: datetime, days: float) -> Answer:
    """Values of an exposure not at risk within the first days: attribute, value, `first`, when it was; in time."""
    name = named(atlas.column(column).name)
    return atlas.ask(
        f'SELECT {text(column)} AS attribute, {name} AS value, min("start") AS first FROM pieces '
        f'WHERE {name} IS NOT NULL GROUP BY {name}\nHAVING epoch_us(min("start")) > epoch_us({moment(start)}) + '
        f"{int(days * 86_400e6)} ORDER BY first"
    )


def suspects(atlas: Atlas, attribute: str, most: int) -> Answer:
    """The places that stand out most: what `broadstreet hosts` ranks."""
    return atlas.ask(
        "SELECT attribute, value, episodes, hours, ratio, ratio_low, ratio_high, q, asked FROM suspects\n"
        f"WHERE attribute = {text(attribute)} ORDER BY rank LIMIT {int(most)}"
    )


def crashed_of(atlas: Atlas, column: str, value: str, outbreak: str) -> Answer:
    """When an outbreak's cases at a place happened, on which host: host, time; in time."""
    return atlas.ask(
        f'SELECT "host", "time" FROM crashes WHERE {named(atlas.column(column).name)} = {text(value)} '
        'AND "time" IS NOT NULL '
        f'AND "case_id" IN (SELECT case_id FROM members WHERE outbreak = {text(outbreak)} AND "of" = \'inside\')\n'
        'ORDER BY "time"'
    )
