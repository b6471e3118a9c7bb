"""`broadstreet outbreaks`."""

import shlex
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from broadstreet.surfaces.casebook_options import SIMULATED, casebook_option, chosen, me, to_change
from broadstreet.surfaces.durations import MOMENTS, Moment

if TYPE_CHECKING:
    from broadstreet.records.verdict import Kind

FORMS = ("table", "json", "ndjson", "csv", "parquet")


@click.group(invoke_without_command=True)
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help=f"Only those that began then or later, and alarms since then: {MOMENTS}; UTC.",
)
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="What to write.")
@casebook_option
@click.pass_context
def outbreaks(context: click.Context, since: datetime | None, form: str, casebook: str | None) -> None:
    """The outbreaks, one a line, the newest first; those that were there from the first day come last.

    Below them the alarms: syndromes that came oftener than their own past. One from near: `broadstreet explain RANK`.
    The other forms have every column of the outbreaks; `investigate --json` has the evidence and the alarms.

    When you know what it was, say so: `outbreaks confirm` or `refute`. That is kept, and tells how sure verdicts are.
    """
    context.obj = casebook
    if context.invoked_subcommand is None:
        _listed(since, form, casebook)


def _listed(since: datetime | None, form: str, casebook: str | None) -> None:
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


def _word(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every word on a verdict takes."""
    for one in (
        casebook_option,
        click.option("--by", "author", metavar="NAME", help="Who says so; you, unless it is given."),
        click.option("--note", metavar="TEXT", help="What to know of it, for whoever looks at it next."),
        click.argument("outbreak", metavar="ID"),
    ):
        command = one(command)
    return click.pass_obj(command)


_truth = click.option("--truth", metavar="WHAT", help="What it really was: hardware, software, or in your words.")


@outbreaks.command()
@_word
@_truth
def confirm(
    above: str | None, outbreak: str, note: str | None, author: str | None, casebook: str | None, truth: str | None
) -> None:
    """Say that a verdict was right. ID is the rank of an outbreak, or its id (O-...); its beginning is enough.

    The newest word on an outbreak counts; earlier ones are kept. With --truth also where it could not be told.
    """
    _say("confirm", outbreak, note, author, casebook or above, truth)


@outbreaks.command()
@_word
@_truth
def refute(
    above: str | None, outbreak: str, note: str | None, author: str | None, casebook: str | None, truth: str | None
) -> None:
    """Say that a verdict was wrong, and what it was, if that is known. ID is as for confirm."""
    _say("refute", outbreak, note, author, casebook or above, truth)


@outbreaks.command()
@_word
def withdraw(above: str | None, outbreak: str, note: str | None, author: str | None, casebook: str | None) -> None:
    """Take back what was said of a verdict last: it counts as judged by nobody. ID is as for confirm."""
    _say("withdraw", outbreak, note, author, casebook or above, None)


def _say(
    kind: "Kind", outbreak: str, note: str | None, author: str | None, casebook: str | None, truth: str | None
) -> None:
    from broadstreet.pipeline.judgements import judge
    from broadstreet.surfaces.judgement_text import kept_sentence
    from broadstreet.surfaces.text import echo, encodable

    note, truth = (None if said is None else encodable(said) for said in (note, truth))
    said = judge(to_change(casebook), outbreak, kind, encodable(author or me()), note, truth)
    echo(f"  {kept_sentence(said)}")
