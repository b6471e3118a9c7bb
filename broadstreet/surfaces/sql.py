"""`broadstreet sql`."""

import signal

import click

from broadstreet.surfaces.casebook_options import asked, casebook_option

FORMS = ("table", "json", "ndjson", "csv", "parquet")


@click.command()
@click.argument("select", metavar="SELECT")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def sql(select: str, form: str, casebook: str | None) -> None:
    """Ask a casebook anything: one SELECT over its views.

    The views are cases, exposures, time_at_risk, findings, traces, frames, modules, specimens, evidence, history,
    contradictions, scans, commits and the fleet's tables; docs/columns.md has them. The dialect is DuckDB's.
    """
    from broadstreet.surfaces.rows_output import write_rows

    with asked(casebook) as questions:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a query that runs does not look for Python's
        write_rows(questions.ask(select), form)
