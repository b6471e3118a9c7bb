"""Cases as a table for people: when, where, by which mechanism, in which function."""

from collections.abc import Iterator

from broadstreet.formats.names import demangled
from broadstreet.store.pages import Page
from broadstreet.surfaces.text import plural, safe, shortened, width

ID, HOST = 8, 20
WHEN = len("2026-04-01 12:00")


def case_rows(page: Page) -> Iterator[str]:
    """The lines of a page. A time that is only that of the file is marked."""
    if not page.rows:
        yield "  No such case."
        return
    host = min(HOST, max(len("host"), *(len(row["host"] or "") for row in page.rows)))
    label = max(len("mechanism"), *(len(row["mechanism"]) for row in page.rows))
    room = width() - ID - WHEN - host - label - 10
    yield f"  {'case':{ID}}  {'time, UTC':{WHEN}}  {'host':{host}}  {'mechanism':{label}}  where"
    for row in page.rows:
        when = "" if row["time"] is None else f"{row['time']:%Y-%m-%d %H:%M}"
        if row["time_source"] == "mtime":
            when = f"{when[:10]} file"
        where = next((name for name in row["frames"].split("|") if not name.startswith("0x")), "")
        shown = shortened(safe(row["host"] or "·"), host)
        line = f"  {row['case_id'][:ID]}  {when:{WHEN}}  {shown:{host}}  {row['mechanism']:{label}}  "
        yield (line + safe(demangled(where), max(10, room))).rstrip()
    yield ""
    if len(page.rows) < page.total:
        yield f"  {len(page.rows):,} of {plural(page.total, 'case')}; go on with --after {page.rows[-1]['case_id']}"
    else:
        yield f"  {plural(page.total, 'case')}. One from near: broadstreet read CASE"
