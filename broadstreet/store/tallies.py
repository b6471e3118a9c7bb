"""How often each value of several columns occurs, in one population or in two: many columns in few passes.

Columns that have few values are counted together: each combination once, however many cases have it, and then each
column's own values out of those combinations. So a pass over a million cases answers for a dozen columns.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import Selection
from broadstreet.store.atlas import Answer, Atlas, moment, named, text

MOST_COMBINATIONS = 100_000  # of the values of columns that are counted together: what is held in memory at once
LONGEST_VALUE = 1_000  # characters; a longer value is cut, and no filter takes it
NOTHING = "FALSE"


class Tally(NamedTuple):
    """Cases of the first and the second population that have a value of a column; null: it is not known.

    `values` is how many values the column has, of which the commonest are told; `known_a` and `known_b` are the cases
    in which it is known. Of a column of several values a case, each counts, and null stands for none.
    """

    column: str
    value: str | None
    a: int
    b: int
    known_a: int
    known_b: int
    values: int


def tallies(
    atlas: Atlas, columns: Sequence[str], one: str, other: str = NOTHING, most: int = 10, least: int = 1
) -> Iterator[Tally]:
    """The commonest values of each column among the cases for which `one` holds, and those for which `other` does.

    Both are conditions as `Atlas.where` makes them. Columns come in their order, values by cases; values that fewer
    than `least` cases have are no values here.
    """
    for some in together([atlas.column(name) for name in columns]):
        for row in atlas.ask(tallying(some, one, other, most, least)).dicts():
            yield Tally(**row)


def sizes(atlas: Atlas, one: str, other: str) -> Answer:
    """One row: of the first population cases, episodes, hosts, and the first and last time; of the second; of both."""
    hosts = '"host"' if "host" in atlas.columns else "NULL::VARCHAR"
    of_each = ", ".join(
        f"count(*) FILTER (in_{name}) AS {name}_cases, count(*) FILTER (in_{name} AND episode) AS {name}_episodes, "
        f"count(DISTINCT host) FILTER (in_{name}) AS {name}_hosts, min(time) FILTER (in_{name}) AS {name}_first, "
        f"max(time) FILTER (in_{name}) AS {name}_last"
        for name in "ab"
    )
    return atlas.ask(
        f'WITH seen AS (SELECT coalesce({one}, FALSE) AS in_a, coalesce({other}, FALSE) AS in_b, "time" AS time, '
        f'"episode" AS episode, {hosts} AS host FROM crashes)\n'
        f"SELECT {of_each}, count(*) FILTER (in_a AND in_b) AS both FROM seen"
    )


def curves(atlas: Atlas, one: str, other: str, start: datetime, hours: int) -> Answer:
    """Dated cases of both populations in bins of so many hours from `start`: bin, `a`, `b`."""
    return atlas.ask(
        f'SELECT (epoch_us("time") - epoch_us({moment(start)})) // {hours * 3_600_000_000} AS bin, '
        f"count(*) FILTER ({one}) AS a, count(*) FILTER ({other}) AS b\n"
        f'FROM crashes WHERE "dated" AND (({one}) OR ({other})) GROUP BY bin ORDER BY bin'
    )


def at_risk(atlas: Atlas, selection: Selection) -> Answer:
    """One row: time at risk of a selection by the first measure, and all that there is."""
    measure = atlas.about.measures[0]
    return atlas.ask(
        f"SELECT coalesce(sum({atlas.overlap(selection, measure)}) FILTER ({atlas.where(selection, 'pieces')}), 0) "
        f"AS at_risk, sum({named(measure)}) AS of_all FROM pieces"
    )


def together(columns: Sequence[AtlasColumn]) -> Iterator[list[AtlasColumn]]:
    """Columns that are counted in one pass: neighbours, as long as their values combine in few ways."""
    some: list[AtlasColumn] = []
    ways = 1
    for column in columns:
        own = column.values + 1
        if some and ways * own > MOST_COMBINATIONS:
            yield some
            some, ways = [], 1
        some.append(column)
        ways *= own
    if some:
        yield some


def within(atlas: Atlas, columns: Sequence[str], of: str) -> set[str]:
    """Which of these exposures lie within another: each of their values was only ever seen with one of its values."""
    if not atlas.about.measures or of not in atlas.columns or not atlas.column(of).at_risk:
        return set()
    asked = [name for name in columns if name != of and atlas.column(name).at_risk]
    if not asked:
        return set()
    each = ", ".join(
        f"(SELECT max(n) FROM (SELECT count(DISTINCT {named(of)}) AS n FROM pieces "
        f"WHERE {named(name)} IS NOT NULL GROUP BY {named(name)})) = 1 AS {named(name)}"
        for name in asked
    )
    (row,) = atlas.ask(f"SELECT {each}").dicts()
    return {name for name in asked if row[name]}


def tallying(columns: Sequence[AtlasColumn], one: str, other: str, most: int, least: int = 1) -> str:
    """The SELECT of one pass."""
    names = ", ".join(named(column.name) for column in columns)
    if other == NOTHING:
        few = (
            f"WITH few AS MATERIALIZED (SELECT {names}, count(*) AS a, 0 AS b FROM crashes\n"
            f"  WHERE {one} GROUP BY ALL)\n"
        )
    else:
        few = (
            f"WITH seen AS (SELECT * FROM (SELECT {names}, coalesce({one}, FALSE) AS in_a,\n"
            f"  coalesce({other}, FALSE) AS in_b FROM crashes) WHERE in_a OR in_b),\n"
            f"few AS MATERIALIZED (SELECT {names}, count(*) FILTER (in_a) AS a, count(*) FILTER (in_b) AS b\n"
            "  FROM seen GROUP BY ALL)\n"
        )
    return few + "\nUNION ALL\n".join(_of_one(column, most, least) for column in columns)


def _of_one(column: AtlasColumn, most: int, least: int) -> str:
    name = named(column.name)
    own = f"CASE WHEN len({name}) > 0 THEN {name} ELSE [NULL] END" if column.type == "texts" else ""
    value = f"nullif(left({f'unnest({own})' if own else f'{name}::VARCHAR'}, {LONGEST_VALUE + 1}), '')"
    return (
        f'(SELECT {text(column.name)} AS "column", value, sum(a)::BIGINT AS a, sum(b)::BIGINT AS b, '
        f"(SELECT coalesce(sum(a), 0)::BIGINT FROM few WHERE {name} IS NOT NULL) AS known_a, "
        f"(SELECT coalesce(sum(b), 0)::BIGINT FROM few WHERE {name} IS NOT NULL) AS known_b, "
        f'count(*) OVER () AS "values"\n'
        f"FROM (SELECT {value} AS value, a, b FROM few) GROUP BY value HAVING sum(a) + sum(b) >= {int(least)} "
        f"ORDER BY sum(a) + sum(b) DESC, value NULLS LAST LIMIT {int(most)})"
    )
