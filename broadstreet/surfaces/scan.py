"""`broadstreet scan`."""

import os
import sys
import time
from collections.abc import Iterator

import click

from broadstreet.errors import UsageError
from broadstreet.records.specimen import Specimen
from broadstreet.surfaces.engine_options import engine_of, engine_options
from broadstreet.surfaces.options import binary_options, binary_sources

FORMS = ("table", "json", "ndjson", "csv", "parquet")
NOTHING_READ = 1


@click.command()
@click.argument("places", nargs=-1, required=True, metavar="DIR...")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="PATH", help="Write there instead of to stdout.")
@engine_options
@binary_options
def scan(
    places: tuple[str, ...],
    form: str,
    output: str | None,
    engine: str,
    workers: int | None,
    binaries: tuple[str, ...],
    debuginfod: tuple[str, ...],
) -> None:
    """Read all core dumps below DIR and label each crash.

    Core dumps are known by their content, plain or compressed (zst, lz4, gz, xz). A file that cannot be read is named
    with the reason and stops nothing. Exit status: 0; 1 nothing could be read; 2 usage.
    """
    from broadstreet.cases.summary import Summary
    from broadstreet.pipeline.engines import examined
    from broadstreet.pipeline.examination import Examination
    from broadstreet.records.case import Unreadable
    from broadstreet.surfaces.output import writer
    from broadstreet.surfaces.progress import Progress
    from broadstreet.surfaces.summary import summary_lines
    from broadstreet.surfaces.text import echo

    found = list(_specimens(places))
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", "Add --output cases.parquet, or redirect.")
    sources = binary_sources(binaries, debuginfod)
    chosen = engine_of(engine, workers, len(found) // 8)
    summary, failures, started = Summary(), [], time.monotonic()
    with writer(form, output) as write, Progress(len(found)) as progress:
        for one in examined(found, Examination(sources), chosen):
            outcome = one.outcome
            summary.add(outcome)
            if isinstance(outcome, Unreadable):
                failures.append(outcome)
            else:
                write(outcome)
            progress.advance()
    seconds = time.monotonic() - started
    for line in summary_lines(summary, failures, seconds, places):
        echo(line, err=form != "table" or output is not None)
    if summary.cases == 0:
        sys.exit(NOTHING_READ)


def _specimens(places: tuple[str, ...]) -> Iterator[Specimen]:
    from broadstreet.sources.specimens import specimens

    seen = set()  # of places that overlap, each file counts once
    for place in places:
        if not os.path.exists(place):
            raise UsageError(
                f"no such file or folder: {place}", "broadstreet scan DIR, with the folder of the core dumps"
            )
        for specimen in specimens(place):
            real = os.path.realpath(specimen.location)
            if real not in seen:
                seen.add(real)
                yield specimen
