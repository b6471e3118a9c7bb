"""`broadstreet investigate`."""

import shlex
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from broadstreet.surfaces.casebook_options import SIMULATED, casebook_option, chosen

if TYPE_CHECKING:
    from broadstreet.records.verdict import Investigation

FORMS = ("text", "json", "ndjson")


@click.command()
@click.option("--syndrome", metavar="ID", help="Only the outbreaks of this syndrome, such as S-12a.")
@click.option("--at", "number", type=click.IntRange(0), metavar="VERSION", help="As the casebook was at this version.")
@click.option("--query", is_flag=True, help="Under each number the SQL of its inputs and the test, to paste.")
@click.option("--keep", is_flag=True, help="Keep the syndromes' names, and this version through every tidying.")
@click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
@click.option("-o", "form", type=click.Choice(FORMS), default="text", show_default=True, help="What to write.")
@casebook_option
def investigate(
    syndrome: str | None,
    number: int | None,
    query: bool,
    keep: bool,
    as_json: bool,
    form: str,
    casebook: str | None,
) -> None:
    """Which outbreaks there are: who is hit, since when, and whether hardware or software is at fault.

    Evidence against a verdict stands first. The same version of a casebook gives the same bytes: each report names it,
    and --at VERSION replays it while that version is kept. JSON follows docs/investigation.schema.json; in NDJSON each
    line is an outbreak.
    """
    from broadstreet.pipeline.investigation import investigation
    from broadstreet.surfaces.text import echo

    url = chosen(casebook)
    if keep:
        number = _kept(url, number)
    found = investigation(url, number, syndrome)
    form = "json" if as_json else form
    if form == "text":
        _page(found, url, f" --casebook {shlex.quote(casebook)}" if casebook else "", query)
    else:
        if found.simulated:
            echo(SIMULATED, err=True)
        _json(found, form)


def dated(found: "Investigation", url: str) -> dict[str, datetime]:
    """The times of the cases of an investigation, at its version."""
    from broadstreet.store.pages import times_of
    from broadstreet.store.questions import Questions

    if not found.verdicts:
        return {}
    with Questions(url, found.casebook_version) as questions:
        return times_of(questions)


def _page(found: "Investigation", url: str, casebook: str, query: bool) -> None:
    from broadstreet.surfaces.investigation_page import Sheet, page
    from broadstreet.surfaces.query_lines import query_lines
    from broadstreet.surfaces.text import echo, page_width, plain_ascii

    sheet = Sheet(page_width(), plain_ascii(sys.stdout), casebook)
    for line in page(found, dated(found, url), sheet):
        echo(line)
    if query and found.verdicts:
        echo("")
        for line in query_lines(found.verdicts, casebook):
            echo(line)


def _json(found: "Investigation", form: str) -> None:
    import msgspec

    from broadstreet.surfaces.case_json import written
    from broadstreet.surfaces.investigation_json import investigation_json, outbreak_json

    if form == "json":
        click.echo(msgspec.json.format(written(investigation_json(found)), indent=2))
        return
    for verdict in found.verdicts:
        click.echo(written(outbreak_json(verdict)))


def _kept(url: str, number: int | None) -> int:
    from broadstreet.pipeline.keeping import keep
    from broadstreet.surfaces.text import echo

    kept = keep(url, number)
    echo(f"  Version {kept} is kept: no tidying makes it unreadable.", err=True)
    return kept
