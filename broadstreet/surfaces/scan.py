"""`broadstreet scan`."""

import os
import shlex
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from broadstreet.errors import UsageError
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.surfaces.casebook_options import writing_casebook_option
from broadstreet.surfaces.engine_options import engine_of, engine_options
from broadstreet.surfaces.options import binary_options, binary_sources
from broadstreet.surfaces.progress import Form, Progress, progress_option
from broadstreet.surfaces.source_options import AskedSources, dry_run_lines, source_options

if TYPE_CHECKING:
    from broadstreet.pipeline.evidence import Keep
    from broadstreet.pipeline.reading import BinarySources

FORMS = ("table", "json", "ndjson", "csv", "parquet")
KEEP = ("pointers", "full", "none")
NOTHING_READ = 1
LISTED_AHEAD = 20_000  # specimens: 6 MB
WORTH_A_WORKER = 8  # specimens


@click.command()
@click.argument("places", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="PATH", help="Write there instead of to stdout.")
@writing_casebook_option
@click.option(
    "--keep",
    type=click.Choice(KEEP),
    default="pointers",
    show_default=True,
    help="What the casebook keeps of each core dump: words that are pointers, all that the reading used, or nothing.",
)
@click.option(
    "--reread",
    type=click.Choice(["stale"]),
    help="Read again what a newer reader, or a binary that arrived, would improve.",
)
@engine_options
@source_options
@progress_option
@binary_options
def scan(
    places: tuple[str, ...],
    form: str,
    output: str | None,
    casebook: str | None,
    keep: "Keep",
    reread: str | None,
    engine: str,
    workers: int | None,
    progress: Form,
    binaries: tuple[str, ...],
    debuginfod: tuple[str, ...],
    asked: AskedSources,
) -> None:
    """Read all core dumps of each SOURCE and label each crash.

    A source is a folder, a file, a glob, or a bucket: s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX.
    Core dumps are known by their content, plain or compressed (zst, lz4, gz, xz). A file that cannot be read is named
    with the reason and stops nothing. With --casebook each is read once: a second scan reads what is new, goes on where
    the last one was stopped, and still prints every case. Exit status: 0; 1 nothing could be read; 2 usage.
    """
    from broadstreet.cases.summary import Summary
    from broadstreet.records.case import Unreadable
    from broadstreet.surfaces.output import writer
    from broadstreet.surfaces.summary import summary_lines
    from broadstreet.surfaces.text import echo, safe

    if form == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is not for a terminal.", "Add --output cases.parquet, or redirect.")
    if reread and not casebook:
        raise UsageError("--reread is about a casebook", "broadstreet scan DIR --casebook URL --reread stale")
    if asked.dry_run:
        from broadstreet.sources.dry_run import expected

        for line in dry_run_lines(expected(asked.specimens(places))):
            echo(line)
        return
    sources = binary_sources(binaries, debuginfod)
    found = asked.specimens(tuple(map(full, places)) if casebook else places)
    summary, failures, notes, started = Summary(), [], list[str](), time.monotonic()
    streams = output is None and form != "table" and sys.stdout.isatty()
    with writer(form, output) as write, Progress(progress, None, streams) as shown:

        def take(one: Examined, known: bool = False) -> None:
            summary.add(one.outcome, known)
            if isinstance(one.outcome, Unreadable):
                failures.append(one.outcome)
            else:
                write(one.outcome)

        def known(one: Examined) -> None:
            take(one, known=True)
            shown.skip(1)

        listed = _counted(found, shown.expect)
        for one in _outcomes(listed, sources, (engine, workers), (places, casebook, keep, reread), known, notes):
            take(one)
            shown.advance(one)
    seconds = time.monotonic() - started
    for note in notes:
        echo(note, err=True)
    for line in summary_lines(summary, failures, seconds, places):
        echo(line, err=form != "table" or output is not None)
    if casebook and summary.cases:
        where = safe(shlex.quote(casebook))
        echo(
            f"  Kept in {where}. Ask it: broadstreet cases --casebook {where}",
            err=form != "table" or output is not None,
        )
    if summary.cases == 0 and (failures or not casebook):  # an hourly scan of a place where nothing crashed is well
        sys.exit(NOTHING_READ)


def full(place: str) -> str:
    """A place as every scan from any folder names it, so that what was read is known again."""
    return place if "://" in place else os.path.realpath(place)


def _outcomes(
    listed: Iterator[Specimen],
    sources: "BinarySources",
    by: tuple[str, int | None],
    into: tuple[tuple[str, ...], str | None, "Keep", str | None],
    known: Callable[[Examined], None],
    notes: list[str],
) -> Iterator[Examined]:
    """What is read now; `known` is called with each that the casebook told. `notes` gets what else is to be said."""
    from broadstreet.pipeline.engines import examined
    from broadstreet.pipeline.examination import Examination
    from broadstreet.pipeline.together import examined_again

    places, casebook, keep, reread = into
    name, workers = by
    first = list(islice(listed, WORTH_A_WORKER * (workers or len(os.sched_getaffinity(0)))))
    engine = engine_of(name, workers, len(first) // WORTH_A_WORKER)
    examination = Examination(sources, keep if casebook else "none")
    everything = chain(first, listed)

    def examine(new: Iterable[Specimen]) -> Iterator[Examined]:
        return examined_again(lambda some: examined(some, examination, engine), new)

    if casebook is None:
        yield from examine(everything)
        return
    from broadstreet.pipeline.scanning import Scan
    from broadstreet.store.casebook import open_for_writing

    book = open_for_writing(casebook)
    scan = Scan(book, casebook, places, keep, reread is not None, sources.open() if reread else None)
    yield from scan.outcomes(everything, examine, known)
    if scan.ungrouped is not None:
        notes.append(f"  Every case is kept; its syndrome is not yet: {scan.ungrouped}. The next scan tries again.")


def _counted(listed: Iterable[Specimen], expect: Callable[[int], None]) -> Iterator[Specimen]:
    """The specimens as they are listed, so far ahead that of most scans the number is known from the start."""
    rest = iter(listed)
    waiting = deque(islice(rest, LISTED_AHEAD))
    count = len(waiting)
    while waiting:
        more = next(rest, None)
        if more is None:
            expect(count)
        else:
            count += 1
            waiting.append(more)
        yield waiting.popleft()
