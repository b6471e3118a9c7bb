"""`broadstreet hosts`."""

import click

from broadstreet.surfaces.casebook_options import asked, casebook_option

FORMS = ("table", "json", "ndjson", "csv", "parquet")
SHOWN = 20


@click.command()
@click.option("--physical", is_flag=True, help="Physical hosts, as the table `placements` tells them.")
@click.option("-n", "most", type=click.IntRange(1), help=f"At most so many; {SHOWN} in a table, else all.")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def hosts(physical: bool, most: int | None, form: str, casebook: str | None) -> None:
    """Which hosts crash more than their share of the time at risk, the most suspect first.

    Ranked by the lower bound of the rate ratio, of all crashes or of those with a finding that failing hardware makes,
    whichever is higher. What is expected of a host is what the same workloads, services and releases have elsewhere in
    the same week. A rank alone is no verdict: `broadstreet investigate`.
    """
    from broadstreet.pipeline.grouping import grouped
    from broadstreet.pipeline.population import population
    from broadstreet.population.suspects import suspects
    from broadstreet.surfaces.hosts_page import batch, lines
    from broadstreet.surfaces.rows_output import write_rows
    from broadstreet.surfaces.text import echo

    with asked(casebook) as questions:
        found = suspects(population(questions, grouped(questions)), "physical_host" if physical else "host")
    if form != "table":
        rows = batch(found[:most])
        write_rows(iter((rows.slice(0, 0), rows)), form)
        return
    for line in lines(found, most or SHOWN, physical):
        echo(line)
