"""`broadstreet syndromes`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import asked, casebook_option, me, to_change

if TYPE_CHECKING:
    import pyarrow as pa

FORMS = ("table", "json", "ndjson", "csv", "parquet")
SITES = 3  # frames of a syndrome that the table has room for
MOVES_SHOWN = 20
WIDTH_OF_REST, LONGEST_NAME = 44, 18  # of the table, besides where


@click.group(invoke_without_command=True)
@click.pass_context
def syndromes(context: click.Context) -> None:
    """Cases that look the same; merge, split and name them.

    Cases are alike by their frames alone, so a syndrome may hide more than one cause. What you say of a syndrome is
    kept as an event and outlives every recomputation. Name a syndrome by the beginning of its id, or by its name.
    """
    if context.invoked_subcommand is None:
        context.invoke(listing)


@syndromes.command("list")
@click.option("-n", "most", type=click.IntRange(1), help="At most so many, the largest first.")
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
def listing(most: int | None = None, form: str = "table", casebook: str | None = None) -> None:
    """All syndromes, the largest first. Nothing is written to the casebook."""
    from broadstreet.pipeline.grouping import grouped
    from broadstreet.pipeline.syndromes import listed
    from broadstreet.surfaces.rows_output import write_rows

    with asked(casebook) as questions:
        rows = listed(questions, grouped(questions))
        rows = rows.slice(0, most) if most else rows
        write_rows(_batches(_for_people(rows) if form == "table" else rows), form)


@syndromes.command()
@click.argument("syndrome", metavar="SYNDROME")
@casebook_option
def show(syndrome: str, casebook: str | None) -> None:
    """One syndrome: its traces, why each was put there, its nearest rival, and what was said of it."""
    from broadstreet.pipeline.grouping import grouped
    from broadstreet.pipeline.syndromes import meant
    from broadstreet.store.syndromes import events
    from broadstreet.surfaces.syndromes_text import syndrome_lines
    from broadstreet.surfaces.text import echo

    with asked(casebook) as questions:
        grouping, said = grouped(questions), events(questions)
        for line in syndrome_lines(questions, grouping, said, meant(grouping, syndrome, said)):
            echo(line)


@syndromes.command()
@click.argument("into", metavar="INTO")
@click.argument("others", nargs=-1, required=True, metavar="OTHERS...")
@click.option("--by", "author", metavar="NAME", help="Who says so; you, unless it is given.")
@casebook_option
def merge(into: str, others: tuple[str, ...], author: str | None, casebook: str | None) -> None:
    """Make OTHERS other names of the syndrome INTO."""
    from broadstreet.pipeline.syndromes import hearing
    from broadstreet.surfaces.text import echo

    with hearing(_url(casebook), author or me()) as heard:
        stays, gone = heard.merge(into, others)
    echo(f"  {', '.join(gone)} {'is' if len(gone) == 1 else 'are'} {stays} from now on.")


@syndromes.command()
@click.argument("syndrome", metavar="SYNDROME")
@click.option("--frame", metavar="FRAME", help="Take out all traces that have this frame, also those yet to come.")
@click.option("--trace", "traces", multiple=True, metavar="KEY", help="Take out this trace; may be repeated.")
@click.option("--by", "author", metavar="NAME", help="Who says so; you, unless it is given.")
@casebook_option
def split(syndrome: str, frame: str | None, traces: tuple[str, ...], author: str | None, casebook: str | None) -> None:
    """Take some traces out of a syndrome, into one of their own. No recomputation joins the two again."""
    from broadstreet.pipeline.syndromes import hearing
    from broadstreet.surfaces.text import echo, plural

    if (frame is None) == (not traces):
        raise UsageError("say which traces to take out", "One of --frame FRAME, --trace KEY")
    with hearing(_url(casebook), author or me()) as heard:
        parent, child, count = heard.split(syndrome, frame, traces)
    echo(f"  {plural(count, 'trace')} of {parent} {'is' if count == 1 else 'are'} {child} from now on.")


@syndromes.command()
@click.argument("syndrome", metavar="SYNDROME")
@click.argument("text", metavar="TEXT")
@click.option("--by", "author", metavar="NAME", help="Who says so; you, unless it is given.")
@casebook_option
def name(syndrome: str, text: str, author: str | None, casebook: str | None) -> None:
    """Give a syndrome a name that people know it by."""
    from broadstreet.pipeline.syndromes import hearing
    from broadstreet.surfaces.text import echo

    called = text.strip()
    if not called or not called.isprintable():
        raise UsageError(f"no name of a syndrome: {text!r}", "Give it on one line.")
    with hearing(_url(casebook), author or me()) as heard:
        own = heard.name(syndrome, called)
    echo(f"  {own} is called {called} from now on.")


@syndromes.command()
@click.argument("syndrome", metavar="SYNDROME")
@click.argument("text", metavar="TEXT")
@click.option("--by", "author", metavar="NAME", help="Who says so; you, unless it is given.")
@casebook_option
def note(syndrome: str, text: str, author: str | None, casebook: str | None) -> None:
    """Note something down about a syndrome, for whoever looks at it next."""
    from broadstreet.pipeline.syndromes import hearing
    from broadstreet.surfaces.text import echo

    if not text.strip():
        raise UsageError("the note is empty", 'broadstreet syndromes note SYNDROME "what to know of it"')
    with hearing(_url(casebook), author or me()) as heard:
        own = heard.note(syndrome, text)
    echo(f"  Noted of {own}.")


@syndromes.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False, metavar="[FILE]")
@click.option("--by", "author", metavar="NAME", help="Who says so; you, unless it is given.")
@casebook_option
def rules(file: Path | None, author: str | None, casebook: str | None) -> None:
    """Print the rules on frames in force; with FILE, give others, for all that is grouped from now on.

    They are kept in the casebook. What was grouped before stays; `syndromes regroup` says what would change.
    """
    from broadstreet.cases.frame_rules import own_rules_text
    from broadstreet.pipeline.syndromes import hearing
    from broadstreet.store.syndromes import events
    from broadstreet.surfaces.text import echo

    if file is None:
        with asked(casebook) as questions:
            given = [event.text for event in events(questions) if event.kind == "rules"]
        click.echo((given[-1] or "") if given else own_rules_text(), nl=False)
        return
    with hearing(_url(casebook), author or me()) as heard:
        version = heard.rules(file.read_text("utf-8"))
    echo(f"  Rules {version} hold from now on. What would change: broadstreet syndromes regroup")


@syndromes.command()
@click.option("--apply", "applied", is_flag=True, help="Let it count from now on.")
@casebook_option
def regroup(applied: bool, casebook: str | None) -> None:
    """Group everything anew, and say what that would change. What people said holds."""
    from broadstreet.pipeline.syndromes import apply, hearing, regrouped
    from broadstreet.surfaces.syndromes_text import regrouping_lines
    from broadstreet.surfaces.text import echo

    if not applied:
        with asked(casebook) as questions:
            found = regrouped(questions)
    else:
        with hearing(_url(casebook), me()) as heard:
            found = regrouped(heard.questions)
            apply(heard.book, found)
    for line in regrouping_lines(found, applied, MOVES_SHOWN):
        echo(line)


def _url(casebook: str | None) -> str:
    from broadstreet.store.casebook import exists, no_casebook

    url = to_change(casebook)
    if not exists(url):
        raise no_casebook(url)
    return url


def _batches(rows: "pa.Table") -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([], schema=rows.schema)
    yield from rows.to_batches()


def _for_people(rows: "pa.Table") -> "pa.Table":
    import pyarrow as pa

    from broadstreet.surfaces.syndromes_text import day, site
    from broadstreet.surfaces.text import shortened, width

    told = rows.to_pylist()
    names = [row["syndrome"] + (f" {shortened(row['name'], LONGEST_NAME)}" if row["name"] else "") for row in told]
    room = width() - WIDTH_OF_REST - max(map(len, names), default=0)
    columns = {
        "syndrome": names,
        "cases": [row["cases"] for row in told],
        "hosts": [row["hosts"] for row in told],
        "first": [day(row["first"]) for row in told],
        "last": [day(row["last"]) for row in told],
        "where": [site(row["frames"], SITES, room) for row in told],
    }
    return pa.table(columns)
