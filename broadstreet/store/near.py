"""What the pages of one case, one host and one machine ask of an atlas."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from broadstreet.errors import NotInCasebook, UsageError
from broadstreet.records.selection import Selection
from broadstreet.records.suspect import Excess, Suspect
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Answer, Atlas, named, text

GAP = "INTERVAL 2 HOURS"  # in which nothing is told, and a place is taken to be as it was: a reboot, a late row
MOST_STAYS, MOST_TIMES = 500, 1_000
MOST_ALIKE = 5
AFTER_ALL = "g"  # comes after every digit of an id
ATLASES, COLUMNS = 3, 100  # of which what was counted is kept


def case_row(atlas: Atlas, name: str) -> dict[str, Any]:
    """The row of a case, by its id or the beginning of it."""
    least = name.lower()
    rows = atlas.ask(
        f'SELECT "number" FROM ids WHERE "case_id" >= {text(least)} AND "case_id" < {text(least + AFTER_ALL)} LIMIT 2'
    ).dicts()
    if not rows:
        raise NotInCasebook(f"There is no case {name[:64]} in this casebook.", "The page Cases lists all there are.")
    if len(rows) > 1:
        raise UsageError(f"Several cases begin with {name}.", "Give more of the id.")
    return atlas.ask(f'SELECT * FROM crashes WHERE "number" = {rows[0]["number"]}').dicts()[0]


def memberships(atlas: Atlas, number: int) -> Answer:
    """How a case lies to the outbreaks: outbreak, and `of` (inside, elsewhere, unplaced, an argument's name)."""
    return atlas.ask(f'SELECT outbreak, "of" FROM members WHERE "number" = {int(number)}\nORDER BY ALL')


def inside(atlas: Atlas, selection: Selection) -> dict[str, int]:
    """How many of these cases are inside of each outbreak; those that have none are not named."""
    rows = atlas.ask(
        'SELECT outbreak, count(*) AS cases FROM members WHERE "of" = \'inside\' AND "number" IN '
        f'(SELECT "number" FROM crashes WHERE {atlas.where(selection)})\nGROUP BY outbreak'
    ).rows
    return dict(zip(rows["outbreak"].to_pylist(), rows["cases"].to_pylist(), strict=True))


def syndrome(atlas: Atlas, name: str) -> dict[str, Any]:
    """What people call a syndrome (null: nothing), and how many cases it has."""
    rows = atlas.ask(f"SELECT name, cases FROM syndromes WHERE syndrome = {text(name)}").dicts()
    return rows[0] if rows else {"name": None, "cases": 0}


def counts(atlas: Atlas, asked: Mapping[str, Selection]) -> dict[str, int]:
    """How many cases each selection has. Those with a value of one column are counted once for all values."""
    alone = {name: one for name, one in asked.items() if _column(one) is not None}
    found = {name: tally(atlas, str(_column(one))).get(one.conditions[0].values[0], 0) for name, one in alone.items()}
    rest = {name: one for name, one in asked.items() if name not in alone}
    tests = ", ".join(f"count(*) FILTER ({atlas.where(one)}) AS {named(name)}" for name, one in rest.items())
    return found | (atlas.ask(f"SELECT {tests} FROM crashes").dicts()[0] if rest else {})


@lru_cache(ATLASES * COLUMNS)
def tally(atlas: Atlas, column: str) -> Mapping[str | None, int]:
    """How many cases have each value of a column."""
    name = named(atlas.column(column).name)
    rows = atlas.ask(f"SELECT {name}::VARCHAR AS value, count(*) AS cases FROM crashes GROUP BY ALL").rows
    return dict(zip(rows["value"].to_pylist(), rows["cases"].to_pylist(), strict=True))


def _column(selection: Selection) -> str | None:
    """The column of a selection that is of one value of it, and of nothing else."""
    if selection.start or selection.end or len(selection.conditions) != 1:
        return None
    only = selection.conditions[0]
    return only.column if only.kind == "is" and len(only.values) == 1 else None


def count_of(atlas: Atlas, selection: Selection) -> str:
    """The SELECT of one of these counts."""
    return f"SELECT count(*) AS cases FROM crashes WHERE {atlas.where(selection)}"


def a_minute(atlas: Atlas) -> float | None:
    """How many dated cases a minute has, from the first of them to the last; null where that is no time."""
    row = atlas.ask(
        'SELECT count(*) * 60.0 / nullif(epoch(max("time") - min("time")), 0) AS n FROM crashes WHERE "dated"'
    ).dicts()[0]
    return None if row["n"] is None else float(row["n"])


def module_sets(atlas: Atlas, syndrome: str) -> Answer:
    """The sets of modules that cases of a syndrome had mapped, and how many cases had each."""
    return atlas.ask(
        f'SELECT module_set, count(*) AS cases FROM crashes WHERE "syndrome" = {text(syndrome)}\nGROUP BY ALL'
    )


def suspect(atlas: Atlas, attribute: str, value: str) -> Suspect | None:
    """How unusual a host or a machine is; null where no case of it is known."""
    return suspects(atlas, {attribute: value}).get(attribute)


def suspects(atlas: Atlas, places: Mapping[str, str]) -> dict[str, Suspect]:
    """The same of several, a value of each attribute."""
    each = "\nUNION ALL ".join(suspect_of(attribute, value) for attribute, value in places.items())
    return {row["attribute"]: _suspect(row) for row in atlas.ask(each).dicts()} if places else {}


def suspect_of(attribute: str, value: str) -> str:
    """The SELECT of how unusual a place is."""
    return f"SELECT * FROM suspects WHERE attribute = {text(attribute)} AND value = {text(value)}"


def ranked(atlas: Atlas, attribute: str) -> int:
    """How many places of a kind have a crash, and so a rank."""
    return int(
        atlas.ask(f"SELECT count(*) AS n FROM suspects WHERE attribute = {text(attribute)}").rows["n"][0].as_py()
    )


def at_risk(atlas: Atlas, attribute: str, value: str) -> dict[str, Any]:
    """Since when and until when a place was at risk, and for how long by the first measure; nulls: nobody tells."""
    if not atlas.about.measures or not atlas.column(attribute).at_risk:
        return {"first": None, "last": None, "at_risk": None}
    measure = named(atlas.about.measures[0])
    return atlas.ask(
        f'SELECT min("start") AS first, max("end") AS last, sum({measure}) AS at_risk '
        f"FROM pieces WHERE {named(attribute)} = {text(value)}"
    ).dicts()[0]


def history(atlas: Atlas, attribute: str, value: str, columns: Sequence[str]) -> Answer:
    """What was true of a place while it was at risk, in the order of time: what, value, start, end, at_risk, cases.

    `times` are those of the first cases. A value that was left and came back within GAP did not go. Several of one
    column may hold at the same time.
    """
    names = [named(atlas.column(name).name) for name in columns]
    own = f"{named(atlas.column(attribute).name)} = {text(value)}"
    measure = named(atlas.about.measures[0])
    as_text = ", ".join(f"{name}::VARCHAR AS {name}" for name in names)
    return atlas.ask(
        f'WITH at_times AS (SELECT "start", "end", {measure} AS n, {as_text} FROM pieces WHERE {own}),\n'
        f"told_of AS (UNPIVOT at_times ON {', '.join(names)} INTO NAME what VALUE value),\n"
        'marked AS (SELECT *, "start" > max("end") OVER (PARTITION BY what, value ORDER BY "start", "end"\n'
        f"  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + {GAP} AS anew FROM told_of),\n"
        "numbered AS (SELECT *, count(*) FILTER (anew) OVER (\n"
        '  PARTITION BY what, value ORDER BY "start", "end") AS stay FROM marked),\n'
        'stays AS (SELECT what, value, min("start") AS "start", max("end") AS "end", sum(n) AS at_risk\n'
        "  FROM numbered GROUP BY what, value, stay),\n"
        f'crashed AS (UNPIVOT (SELECT "time", {as_text} FROM crashes WHERE {own})\n'
        f"  ON {', '.join(names)} INTO NAME what VALUE value)\n"
        'SELECT s.what, s.value, s."start", s."end", any_value(s.at_risk) AS at_risk, count(c."time") AS cases,\n'
        f'  list(c."time" ORDER BY c."time")[:{MOST_TIMES}] AS times\n'
        "FROM stays s LEFT JOIN crashed c ON c.what = s.what AND c.value = s.value\n"
        '  AND c."time" >= s."start" AND c."time" < s."end"\n'
        f'GROUP BY s.what, s.value, s."start", s."end" ORDER BY s."start", s.what, s.value LIMIT {MOST_STAYS}'
    )


def shown(atlas: Atlas, attribute: str, value: str, columns: Sequence[str]) -> Answer:
    """The same as only its cases show it, where nobody tells time at risk: since the first and until the last."""
    names = [named(atlas.column(name).name) for name in columns]
    as_text = ", ".join(f"{name}::VARCHAR AS {name}" for name in names)
    return atlas.ask(
        f'WITH crashed AS (UNPIVOT (SELECT "time", {as_text} FROM crashes\n'
        f"  WHERE {named(atlas.column(attribute).name)} = {text(value)})\n"
        f"  ON {', '.join(names)} INTO NAME what VALUE value)\n"
        'SELECT what, value, min("time") AS "start", max("time") AS "end", NULL::DOUBLE AS at_risk,\n'
        "  count(*) AS cases,\n"
        f'  list("time" ORDER BY "time")[:{MOST_TIMES}] AS times\n'
        f'FROM crashed GROUP BY ALL ORDER BY "start", what, value LIMIT {MOST_STAYS}'
    )


def alike(atlas: Atlas, attribute: str, value: str) -> list[str]:
    """Names of places of this kind in which this stands, or that stand in it: what may have been meant."""
    tables = ("crashes", "pieces") if atlas.column(attribute).at_risk else ("crashes",)
    name, asked = named(attribute), text(value.lower())
    each = " UNION ".join(f"SELECT {name}::VARCHAR AS value FROM {table}" for table in tables)
    rows = atlas.ask(
        f"SELECT DISTINCT value FROM ({each})\n"
        f"WHERE contains(lower(value), {asked}) OR contains({asked}, lower(value))\n"
        f"ORDER BY length(value), value LIMIT {MOST_ALIKE}"
    ).dicts()
    return [row["value"] for row in rows]


def seen(atlas: Atlas, selection: Selection, column: str) -> Answer:
    """The values that selected cases show of a column: value, cases, first, last; in the order of time."""
    name = named(atlas.column(column).name)
    return atlas.ask(
        f'SELECT {name}::VARCHAR AS value, count(*) AS cases, min("time") AS first, max("time") AS last\n'
        f"FROM crashes WHERE {atlas.where(selection)} GROUP BY {name} ORDER BY first, value"
    )


def by_number(atlas: Atlas, selection: Selection, column: str) -> Answer:
    """The same of a column of numbers, in their order; null is last."""
    name = named(atlas.column(column).name)
    return atlas.ask(
        f'SELECT {name} AS value, count(*) AS cases, min("time") AS first, max("time") AS last\n'
        f"FROM crashes WHERE {atlas.where(selection)} GROUP BY {name} ORDER BY {name} NULLS LAST"
    )


def _suspect(row: Mapping[str, Any]) -> Suspect:
    own = ("attribute", "value", "rank", "hours", "measure", "against", "sites", "syndromes", "asked")
    return Suspect(**{name: row[name] for name in own}, every=_excess(row, ""), hardware=_excess(row, "hardware_"))


def _excess(row: Mapping[str, Any], prefix: str) -> Excess:
    value, low, high = (row[f"{prefix}{name}"] for name in ("ratio", "ratio_low", "ratio_high"))
    # The table has no infinite numbers: a ratio without an upper end, or with nobody to compare with, has null there.
    ratio = None if low is None else Interval(_open(value), low, _open(high))
    return Excess(row[f"{prefix}episodes"], row[f"{prefix}expected"], ratio, row[f"{prefix}p"], row[f"{prefix}q"])


def _open(value: float | None) -> float:
    return float("inf") if value is None else value
