"""What `--query` adds: under each number the SQL of its inputs, and the line of Python that gives it again.

SQL and Python begin in the first column and are never cut, so that they can be pasted.
"""

from collections.abc import Iterator, Sequence

import click

from broadstreet.records.verdict import Verdict
from broadstreet.surfaces.text import safe
from broadstreet.verdict.again import Again, again


def query_lines(verdicts: Sequence[Verdict], casebook: str) -> Iterator[str]:
    """Every number of these verdicts. `casebook` is what a command needs to find it."""
    yield "  Query"
    for verdict in verdicts:
        for one in again(verdict):
            yield ""
            yield from _lines(f"{verdict.outbreak.rank}", one, casebook)


def _lines(rank: str, one: Again, casebook: str) -> Iterator[str]:
    yield "  " + click.style(f"{rank}  {safe(one.what, 400)} = {one.value:.6g}", bold=True)
    if one.reads:
        yield sql_line(one.reads, casebook)
    if one.python is not None:
        yield one.python


def sql_line(select: str, casebook: str = "") -> str:
    """The command that asks this again, safe in a shell. `casebook` is what it needs to find it."""
    escaped = select.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return f'broadstreet sql "{escaped}"{casebook}'
