"""`broadstreet casebook`."""

import sys
from datetime import UTC, datetime, timedelta

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import casebook_option, chosen, to_change
from broadstreet.surfaces.durations import Span

STILL_FOUND = 1
WHOLE_ID = 32  # digits: a case that is not seen any more may still lie there, after a forgetting that was cut off


@click.group()
def casebook() -> None:
    """What a casebook holds; keep it small; make it forget."""


@casebook.command()
@click.option(
    "-o", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="What to write."
)
@casebook_option
def info(form: str, casebook: str | None) -> None:
    """What it holds, what each table costs, and what has gone stale."""
    import msgspec

    from broadstreet.labels import RULES_VERSION
    from broadstreet.reading.reader import READER_VERSION
    from broadstreet.store.coverage import contents, coverage
    from broadstreet.store.questions import Questions
    from broadstreet.surfaces.casebook_text import info_lines
    from broadstreet.surfaces.text import echo

    with Questions(chosen(casebook)) as questions:
        held, stale = contents(questions), coverage(questions, READER_VERSION, RULES_VERSION)
    if form == "json":
        tables = [table._asdict() for table in held.tables]
        found = held._asdict() | {"tables": tables, "coverage": stale}
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for line in info_lines(held, stale):
        echo(line)


@casebook.command()
@click.option("--keep", type=Span(), metavar="SPAN", help="Drop cases older than this, such as 400d.")
@click.option("--keep-evidence", type=Span(), metavar="SPAN", help="Drop evidence older than this, such as 90d.")
@click.option("--now", is_flag=True, help="Remove old files at once, also those that a reader may have open.")
@casebook_option
def tidy(keep: timedelta | None, keep_evidence: timedelta | None, now: bool, casebook: str | None) -> None:
    """Drop what is old; make few large files of many small ones, sorted by time.

    What a newer reading or newer rules replaced goes too. Versions that a verdict cites stay. Files that a reader may
    have open go with the next tidying, an hour later.
    """
    from broadstreet.store.casebook import open_for_writing
    from broadstreet.store.tidying import tidy as tidied
    from broadstreet.surfaces.casebook_text import tidied_lines
    from broadstreet.surfaces.text import echo

    url = _existing(casebook)
    book = open_for_writing(url, alone=True)
    try:
        for line in tidied_lines(tidied(book, url, keep, keep_evidence, now)):
            echo(line)
    finally:
        book.close()


@casebook.command()
@click.option("--host", metavar="HOST", help="All that happened on this host, and what the fleet's tables say of it.")
@click.option(
    "--before", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), metavar="DATE", help="All before, UTC."
)
@click.option("--case", "case_id", metavar="CASE", help="One case, by its id or the beginning of it.")
@casebook_option
def forget(host: str | None, before: datetime | None, case_id: str | None, casebook: str | None) -> None:
    """Forget cases for good, and prove it: every byte that is left is searched for what was forgotten.

    Old versions, logs and caches go too, also versions that a verdict cites. The core dumps are not touched: where they
    lie on, a later scan reads them again. Exit status 1 where a name is still found.
    """
    from broadstreet.store.casebook import open_for_writing
    from broadstreet.store.forgetting import What
    from broadstreet.store.forgetting import forget as forgotten
    from broadstreet.store.pages import case_named
    from broadstreet.store.questions import Questions
    from broadstreet.surfaces.casebook_text import forgotten_lines
    from broadstreet.surfaces.text import echo

    if sum(one is not None for one in (host, before, case_id)) != 1:
        raise UsageError("say what to forget", "One of --host HOST, --before DATE, --case CASE")
    if host is not None and (not host or not host.isprintable() or host != host.strip()):
        raise UsageError(
            f"no name of a host: {host!r}", "Give it as `broadstreet cases` shows it, without blanks or line ends."
        )
    url = _existing(casebook)
    if case_id is not None and len(case_id) < WHOLE_ID:
        with Questions(url) as questions:
            case_id = case_named(questions, case_id)["case_id"]
    book = open_for_writing(url, alone=True)
    try:
        done = forgotten(book, url, What(host, before and before.replace(tzinfo=UTC), case_id))
    finally:
        book.close()
    for line in forgotten_lines(done):
        echo(line)
    if done.found:
        sys.exit(STILL_FOUND)


@click.command()
@casebook_option
def relabel(casebook: str | None) -> None:
    """Judge again, from the stored features, all cases that other rules judged. No core dump is read."""
    from broadstreet.pipeline.scanning import relabel as relabelled
    from broadstreet.store.casebook import open_for_writing
    from broadstreet.surfaces.text import echo, plural

    url = _existing(casebook)
    book = open_for_writing(url)
    try:
        done = sum(relabelled(book, url))
    finally:
        book.close()
    echo(f"  {plural(done, 'case')} judged again." if done else "  Every case was judged by these rules already.")


def _existing(casebook: str | None) -> str:
    """The casebook to change; one is never made by this."""
    from broadstreet.store.casebook import exists, no_casebook

    url = to_change(casebook)
    if not exists(url):
        raise no_casebook(url)
    return url
