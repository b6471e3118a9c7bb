"""What pages ask of an atlas: cases over time, rates, facets, pages of cases, two populations side by side."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from broadstreet.errors import UsageError
from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import Answer, Atlas, moment
from broadstreet.store.literals import named, text

MOST_AT_ONCE = 1_000  # cases of a page
Form = Literal["typed", "spelt", "lines"]
NEWEST, LATEST = '-"number"', '"start"'  # by which the last of cases, and of pieces, is found


def counted(atlas: Atlas, selection: Selection) -> Answer:
    """One row: cases, episodes, undated, hosts, and the first and last time."""
    hosts = 'count(DISTINCT "host")' if "host" in atlas.columns else "NULL::BIGINT"
    return atlas.ask(
        f'SELECT count(*) AS cases, count(*) FILTER ("episode") AS episodes, count(*) FILTER (NOT "dated") AS undated, '
        f'{hosts} AS hosts, min("time") AS first, max("time") AS last\nFROM crashes WHERE {atlas.where(selection)}'
    )


def curve(atlas: Atlas, selection: Selection, start: datetime, hours: int, by: str | None = None) -> Answer:
    """Cases in bins of so many hours from `start`: bin (null: undated), `value` of the column `by`, cases, episodes."""
    value = "NULL::VARCHAR" if by is None else f"{named(atlas.column(by).name)}::VARCHAR"
    return atlas.ask(
        f'SELECT CASE WHEN "dated" THEN {bin_of(start, hours)} END AS bin, {value} AS value, '
        f'count(*) AS cases, count(*) FILTER ("episode") AS episodes\n'
        f"FROM crashes WHERE {atlas.where(selection)}\nGROUP BY ALL ORDER BY ALL"
    )


def bin_of(start: datetime, hours: int) -> str:
    """The bin of so many hours from `start` that the time of a case lies in, in SQL; `//` would round up before it."""
    return f'floor((epoch_us("time") - epoch_us({moment(start)})) / {hours * 3_600_000_000})::BIGINT'


def load(atlas: Atlas, selection: Selection, start: datetime, hours: int, measure: str) -> Answer:
    """A measure of time at risk in the same bins, of each piece what lies in the bin: bin, its mean per second.

    Of a bin that begins before all time at risk, or ends after it, that is the mean of what lies between.
    """
    if measure not in atlas.about.measures:
        raise UsageError(f"time at risk is not counted in {measure}", f"It is in {', '.join(atlas.about.measures)}.")
    width = hours * 3_600_000_000
    return atlas.ask(
        f'WITH told_of AS (SELECT epoch_us("start") - epoch_us({moment(start)}) AS since, '
        f'epoch_us("end") - epoch_us({moment(start)}) AS until, {named(measure)} AS n\n'
        f"  FROM pieces WHERE {atlas.where(selection, 'pieces')}),\n"
        f"cut AS (SELECT *, unnest(range(greatest(since, 0) // {width}, (until - 1) // {width} + 1)) AS bin "
        "FROM told_of WHERE until > 0),\n"
        f'observed AS (SELECT epoch_us(min("start")) - epoch_us({moment(start)}) AS first, '
        f'epoch_us(max("end")) - epoch_us({moment(start)}) AS last FROM pieces)\n'
        f"SELECT bin, sum(n * (least(until, (bin + 1) * {width}) - greatest(since, bin * {width})) / "
        "nullif(until - since, 0)) /\n"
        f"  nullif(least(any_value(last), (bin + 1) * {width}) - greatest(any_value(first), bin * {width}), 0) "
        "* 1e6 AS per_second\nFROM cut, observed GROUP BY bin ORDER BY bin"
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


def all_of(atlas: Atlas, selection: Selection, columns: Sequence[str], form: Form) -> str:
    """The SELECT of all cases as they are downloaded, the newest first: in the order in which the atlas has them.

    `typed` rows; `spelt` for a form without types: times in ISO 8601, addresses in hex, several values joined by
    commas; `lines` of JSON, one column.
    """
    told = [atlas.column(name) for name in columns]
    if form == "lines":
        shown = f"to_json(struct_pack({', '.join(f'{named(one.name)} := {_in_json(one)}' for one in told)}))::VARCHAR"
        return f"SELECT {shown} AS line FROM crashes WHERE {atlas.where(selection)}"
    shown = ", ".join(f"{_spelt(one) if form == 'spelt' else named(one.name)} AS {named(one.name)}" for one in told)
    return f"SELECT {shown} FROM crashes WHERE {atlas.where(selection)}"


def hosts_of(atlas: Atlas, selection: Selection, places: Sequence[str]) -> str:
    """Every host that was at risk or crashed: its places (the last that held), time at risk, cases, episodes."""
    told = atlas.about.measures and atlas.column("host").at_risk
    of_cases = [named(atlas.column(name).name) for name in places]
    cases = (
        f'SELECT "host", {_last(of_cases, NEWEST)}count(*) AS cases, count(*) FILTER ("episode") AS episodes\n'
        f'FROM crashes WHERE "host" IS NOT NULL AND {atlas.where(selection)} GROUP BY "host"'
    )
    if not told:
        return f"SELECT *, NULL::DOUBLE AS at_risk FROM ({cases})"
    of_pieces = [named(name) for name in places if atlas.column(name).at_risk]
    hours = (
        f'SELECT "host", {_last(of_pieces, LATEST)}'
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
    # of what began at once the greatest, so that the answer is always the same
    return "".join(f"arg_max({name}, ({by}, {name})) AS {name}, " for name in names)


def _spelt(column: AtlasColumn) -> str:
    name = named(column.name)
    if column.type == "texts":
        return f"array_to_string({name}, ',')"
    return f"'0x' || lower(to_hex({name}))" if column.type == "address" else _in_json(column)


def _in_json(column: AtlasColumn) -> str:
    name = named(column.name)
    return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')" if column.type == "time" else name


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
    """When an outbreak's cases at a place happened, on which host: host, time; in time, the undated last."""
    return atlas.ask(
        f'SELECT "host", "time" FROM crashes WHERE {named(atlas.column(column).name)} = {text(value)} '
        f'AND "number" IN (SELECT number FROM members WHERE outbreak = {text(outbreak)} AND "of" = \'inside\')\n'
        'ORDER BY "time" NULLS LAST, "host"'
    )
