"""What `fleet show` says: the tables, what is missing, and the hosts that no table knows."""

from collections.abc import Iterator, Mapping

from broadstreet.cases.known_fleet import Known, Need, Strangers, known, missing, strangers
from broadstreet.records.columns import FLEET
from broadstreet.records.fleet_rows import Rows, aligned
from broadstreet.surfaces.text import plural, safe

NAME_WIDTH, NEED_WIDTH = 15, 33


def page(tables: Mapping[str, Rows], case_hosts: Mapping[str, int]) -> Iterator[str]:
    """The lines, for people."""
    rows = {name: aligned(FLEET[name], found) for name, found in tables.items()}
    yield "Known of the fleet"
    for name in FLEET:
        yield _known(known(name, rows[name]))
    lacking = missing(rows)
    if lacking:
        yield ""
        yield "Missing"
        for need in lacking:
            yield _missing(need, rows[need.table].num_rows)
    unknown = strangers(rows, case_hosts)
    if unknown.hosts:
        yield ""
        yield from _strangers(unknown)


def _known(one: Known) -> str:
    if one.rows == 0:
        return f"  {one.table:{NAME_WIDTH}}nothing"
    parts = [plural(one.rows, "row")]
    if one.hosts is not None:
        parts.append(plural(one.hosts, "host"))
    elif one.table == "builds":
        parts.append(plural(one.keys, "build"))
    if one.first is not None and one.last is not None:
        parts.append(f"{one.first:%Y-%m-%d} to {one.last:%Y-%m-%d}")
    if one.open_rows:
        parts.append(f"{one.open_rows:,} open")
    return f"  {one.table:{NAME_WIDTH}}{', '.join(parts)}"


def _missing(need: Need, count: int) -> str:
    columns = " or ".join(need.columns)
    what = f"broadstreet fleet add {need.table} FILE"
    return f"  {need.analysis:{NEED_WIDTH}}{what}" + (f"  # with {columns}" if count else "")


def _strangers(found: Strangers) -> Iterator[str]:
    first, more = found.hosts[0], len(found.hosts) - 1
    who = safe(first) + (f" and {more:,} more" if more else "")
    yield f"Not in any table: {who}, {plural(found.cases, 'case')}"
    if found.alike is None:
        yield "  Add their rows, or check that hosts have the same names here as in the core dumps' sidecars."
        return
    name, other = map(safe, found.alike)
    yield f"  {name} of a core dump may be {other} of a table. One form is needed, for instance with --map:"
    suffix = name.removeprefix(other) if name.startswith(other) else ""
    if suffix:
        yield f'  host = {{ column = "host", suffix = "{suffix}" }}'
    elif other.startswith(name):
        yield '  host = { column = "host", format = "short_name" }'
    else:
        yield "  names differ in case or in their domain; write them alike where the table comes from."
