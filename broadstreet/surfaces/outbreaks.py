"""`broadstreet outbreaks`."""

import shlex
from datetime import datetime

import click

from broadstreet.surfaces.casebook_options import SIMULATED, casebook_option, chosen
from broadstreet.surfaces.durations import MOMENTS, Moment

FORMS = ("table", "json", "ndjson", "csv", "parquet")


@click.command()
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help=f"Only those that began then or later, and alarms since then: {MOMENTS}; UTC.",
)
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def outbreaks(since: datetime | None, form: str, casebook: str | None) -> None:
    """The outbreaks, one a line, the newest first; those that were there from the first day come last.

    Below them the alarms: syndromes that came oftener than their own past. One from near: `broadstreet explain RANK`.
    The other forms have every column of the outbreaks; `investigate --json` has the evidence and the alarms.
    """
    from broadstreet.pipeline.investigation import investigation
    from broadstreet.surfaces.outbreaks_page import alarm_lines, batch, lines, newest_first, since_then
    from broadstreet.surfaces.rows_output import write_rows
    from broadstreet.surfaces.text import echo

    found = investigation(chosen(casebook))
    if found.simulated:
        echo(SIMULATED, err=True)
    verdicts = newest_first(found.verdicts, since)
    if form != "table":
        rows = batch(verdicts)
        write_rows(iter((rows.slice(0, 0), rows)), form)
        return
    where = f" --casebook {shlex.quote(casebook)}" if casebook else ""
    for line in lines(verdicts, len(found.verdicts), since, where):
        echo(line)
    for line in alarm_lines(since_then(found.alarms, since), found.verdicts):
        echo(line)
