"""`broadstreet cases`."""

import sys
from datetime import datetime

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import asked, casebook_option
from broadstreet.surfaces.durations import Moment

FORMS = ("table", "json", "ndjson", "csv", "parquet")
SHOWN = 50
EQUALS = ("mechanism", "host", "service", "service_release", "region", "workload", "executable")


@click.command()
@click.option("--mechanism", metavar="LABEL", help="Only those of this mechanism.")
@click.option("--holds", metavar="LABEL", help="Only those where this label holds, as the mechanism or besides it.")
@click.option("--host", metavar="HOST", help="Only those of this host.")
@click.option("--service", metavar="NAME", help="Only those of this service.")
@click.option("--release", "service_release", metavar="NAME", help="Only those of this release of the service.")
@click.option("--region", metavar="NAME", help="Only those of this region.")
@click.option("--since", type=Moment(), metavar="TIME", help="Only those at or after this time, UTC.")
@click.option("--until", type=Moment(), metavar="TIME", help="Only those before this time, UTC.")
@click.option("-n", "most", type=click.IntRange(1), help=f"At most so many; {SHOWN} in a table, else all.")
@click.option("--after", metavar="CASE", help="Go on after this case: the last one of the page before.")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def cases(
    holds: str | None,
    since: datetime | None,
    until: datetime | None,
    most: int | None,
    after: str | None,
    form: str,
    casebook: str | None,
    **equal: str | None,
) -> None:
    """The cases of a casebook, the newest first; those without a time come last.

    The other forms have every column, as those of `broadstreet scan`.
    """
    from broadstreet.pipeline.scanning import stored_cases
    from broadstreet.store.pages import Wanted, page_of
    from broadstreet.surfaces.case_rows import case_rows
    from broadstreet.surfaces.output import writer
    from broadstreet.surfaces.text import echo

    for label in filter(None, (equal["mechanism"], holds)):
        _known(label)
    if form == "parquet" and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", "Redirect it: broadstreet cases -o parquet > cases.parquet")
    wanted = Wanted(
        tuple((name, value) for name, value in equal.items() if value is not None),
        holds,
        since,
        until,
    )
    with asked(casebook) as questions:
        limit = most or (SHOWN if form == "table" else None)
        page = page_of(questions, wanted, after, limit)
        if form == "table":
            for line in case_rows(page):
                echo(line)
            return
        with writer(form, None) as write:
            for case in stored_cases(questions, page.readings):
                write(case)


def _known(label: str) -> None:
    from difflib import get_close_matches

    from broadstreet.labels import CONTEXTS, MECHANISMS, NOT_JUDGED, UNCLASSIFIED

    labels = [*(rule.label for rule in (*MECHANISMS, *CONTEXTS)), UNCLASSIFIED, NOT_JUDGED]
    if label not in labels:
        near = get_close_matches(label, labels) or labels
        raise UsageError(f"no such label: {label}", f"Labels are listed in docs/labels.md: {', '.join(near)}")
