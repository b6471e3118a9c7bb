"""`broadstreet scan`."""

import os
import sys
import time

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.options import binary_options, binary_sources
from broadstreet.surfaces.source_options import AskedSources, dry_run_lines, source_options

FORMS = ("table", "json", "ndjson", "csv", "parquet")
NOTHING_READ = 1


@click.command()
@click.argument("places", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="PATH", help="Write there instead of to stdout.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Processes; one per CPU by default.")
@source_options
@binary_options
def scan(
    places: tuple[str, ...],
    form: str,
    output: str | None,
    workers: int | None,
    binaries: tuple[str, ...],
    debuginfod: tuple[str, ...],
    asked: AskedSources,
) -> None:
    """Read all core dumps of each SOURCE and label each crash.

    A source is a folder, a file, a glob, or a bucket: s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX.
    Core dumps are known by their content, plain or compressed (zst, lz4, gz, xz). A file that cannot be read is named
    with the reason and stops nothing. Exit status: 0; 1 nothing could be read; 2 usage.
    """
    from broadstreet.cases.summary import Summary
    from broadstreet.pipeline.engines import examined
    from broadstreet.pipeline.together import examined_again
    from broadstreet.records.case import Unreadable
    from broadstreet.sources.dry_run import expected
    from broadstreet.surfaces.output import writer
    from broadstreet.surfaces.progress import Progress
    from broadstreet.surfaces.summary import summary_lines
    from broadstreet.surfaces.text import echo

    if asked.dry_run:
        for line in dry_run_lines(expected(asked.specimens(places))):
            echo(line)
        return
    found = list(asked.specimens(places))
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", "Add --output cases.parquet, or redirect.")
    sources = binary_sources(binaries, debuginfod)
    count = min(workers or len(os.sched_getaffinity(0)), max(1, len(found) // 8))
    summary, failures, started = Summary(), [], time.monotonic()
    with writer(form, output) as write, Progress(len(found)) as progress:
        for one in examined_again(lambda some: examined(some, sources, count), found):
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
