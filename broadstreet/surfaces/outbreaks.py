"""`broadstreet outbreaks`."""

from datetime import UTC, datetime

import click

from broadstreet.surfaces.casebook_options import SIMULATED, casebook_option, chosen
from broadstreet.surfaces.cases import TIMES

FORMS = ("table", "json", "ndjson", "csv", "parquet")


@click.command()
@click.option("--since", type=click.DateTime(TIMES), metavar="TIME", help="Only those that began then or later, UTC.")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def outbreaks(since: datetime | None, form: str, casebook: str | None) -> None:
    """The outbreaks, one a line, the newest first; those that were there from the first day come last.

    One from near: `broadstreet explain RANK`. The other forms have every column; `investigate --json` has the evidence.
    """
    from broadstreet.pipeline.investigation import investigation
    from broadstreet.surfaces.outbreaks_page import batch, lines, newest_first
    from broadstreet.surfaces.rows_output import write_rows
    from broadstreet.surfaces.text import echo

    found = investigation(chosen(casebook))
    if found.simulated:
        echo(SIMULATED, err=True)
    verdicts = newest_first(found.verdicts, since and since.replace(tzinfo=UTC))
    if form != "table":
        rows = batch(verdicts)
        write_rows(iter((rows.slice(0, 0), rows)), form)
        return
    for line in lines(verdicts, len(found.verdicts), since):
        echo(line)
