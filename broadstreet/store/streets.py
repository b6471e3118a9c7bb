"""Where hosts stand on the map of a fleet, and what crashed there: asked of an atlas."""

from broadstreet.records.selection import Selection
from broadstreet.store.atlas import Answer, Atlas, named
from broadstreet.store.looking import hosts_of

POOL = 40  # hosts of a street, where the fleet tells no streets


def streets(atlas: Atlas, selection: Selection, area: str | None, street: str | None) -> Answer:
    """The hosts by street: area, street (null: not known), hosts, time at risk, cases, episodes.

    `rated` are the episodes on hosts that were at risk. `idle` are the places of hosts that were not, where that is
    told.
    """
    return atlas.ask(
        f"{_addressed(atlas, selection, area, street)}\n"
        "SELECT area, street, count(*) AS hosts, sum(at_risk) AS at_risk, sum(cases)::BIGINT AS cases, "
        "sum(episodes)::BIGINT AS episodes, coalesce(sum(episodes) FILTER (at_risk > 0), 0)::BIGINT AS rated, "
        "list(place ORDER BY place) FILTER (at_risk = 0) AS idle\n"
        "FROM addressed GROUP BY area, street ORDER BY area NULLS LAST, street NULLS LAST"
    )


def addresses(atlas: Atlas, selection: Selection, area: str | None, street: str | None, most: int) -> Answer:
    """The hosts with crashes: area, street, `place` (which host of its street), host, outbreak (null: none), cases."""
    return atlas.ask(
        f"{_addressed(atlas, selection, area, street)},\n"
        'crashed AS (SELECT "host", "outbreak", count(*) AS n FROM crashes '
        f"WHERE {atlas.where(selection)} GROUP BY ALL)\n"
        "SELECT a.area, a.street, a.place, a.host, c.outbreak, c.n AS cases\n"
        "FROM addressed a JOIN crashed c ON c.host = a.host WHERE a.cases > 0\n"
        f"ORDER BY a.area NULLS LAST, a.street NULLS LAST, a.place, c.outbreak NULLS LAST LIMIT {int(most)}"
    )


def unplaced(atlas: Atlas, selection: Selection, column: str) -> Answer:
    """One row: the cases of which this column, a place, is not known."""
    name = named(atlas.column(column).name)
    return atlas.ask(f"SELECT count(*) AS cases FROM crashes WHERE {name} IS NULL AND {atlas.where(selection)}")


def cpus(atlas: Atlas, selection: Selection) -> Answer:
    """The CPUs on which threads crashed: numa_node, cpu (null: not known), outbreak (null: none), cases, episodes."""
    return atlas.ask(
        'SELECT "numa_node", "cpu", "outbreak", count(*) AS cases, count(*) FILTER ("episode") AS episodes\n'
        f"FROM crashes WHERE {atlas.where(selection)} GROUP BY ALL ORDER BY ALL"
    )


def _addressed(atlas: Atlas, selection: Selection, area: str | None, street: str | None) -> str:
    """Every host with its street, and its place in it by its name; without streets, a pool of hosts by name is one."""
    names = list(dict.fromkeys(name for name in (area, street) if name not in (None, "host")))
    area_of = "NULL::VARCHAR" if area is None else named(area)
    told = f"WITH told AS ({hosts_of(atlas, selection, names)}),\n"
    if street is not None:
        shown = (
            f'SELECT "host" AS host, {area_of} AS area, {named(street)} AS street, at_risk, cases, episodes FROM told'
        )
    else:
        pool = f'(row_number() OVER (PARTITION BY {area_of} ORDER BY "host") - 1) // {POOL}'
        shown = (
            "SELECT * EXCLUDE (pool), min(host) OVER (PARTITION BY area, pool) || ' …' AS street FROM (\n"
            f'  SELECT "host" AS host, {area_of} AS area, at_risk, cases, episodes, {pool} AS pool FROM told)'
        )
    return (
        f"{told}placed AS ({shown}),\n"
        "addressed AS (SELECT *, row_number() OVER (PARTITION BY area, street ORDER BY host) - 1 AS place FROM placed)"
    )
