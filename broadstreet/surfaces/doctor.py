"""`broadstreet doctor`."""

import json
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from broadstreet.sources.binary_store import store_path
from broadstreet.surfaces.casebook_options import any_casebook, asked, casebook_option
from broadstreet.surfaces.options import DEBUGINFOD_VARIABLE

if TYPE_CHECKING:
    from broadstreet.records.diagnosis import Diagnosis

SOMETHING_LACKS = 1
HEADINGS = {"host": "This host", "casebook": "The casebook"}
MARKS = {"lacking": "●", "not_known": "◌"}


def casebook_diagnoses_of(casebook: str | None) -> "tuple[Diagnosis, ...]":
    """What the casebook lacks: the one that is named, or that commands read by themselves; nothing where none is."""
    from broadstreet.pipeline.casebook_checks import casebook_diagnoses
    from broadstreet.pipeline.casebook_facts import CasebookFacts

    if casebook is None and not any_casebook():
        return ()
    with asked(casebook) as questions:
        return tuple(casebook_diagnoses(CasebookFacts(questions)))


@click.command()
@casebook_option
@click.option(
    "-o", "form", type=click.Choice(("table", "json")), default="table", show_default=True, help="What to write."
)
@click.option("--strict", is_flag=True, help="Exit with status 1 if something is lacking.")
def doctor(casebook: str | None, form: str, strict: bool) -> None:
    """Say what this host and a casebook lack, each with the line that mends it.

    The worst comes first. Nothing is changed, and no root is needed. Exit status: 0, also if something is lacking.
    """
    from broadstreet.pipeline.host_checks import host_diagnoses
    from broadstreet.sources.host import Host, host_facts
    from broadstreet.surfaces.text import echo

    servers = tuple(os.environ.get(DEBUGINFOD_VARIABLE, "").split())
    found = (*host_diagnoses(host_facts(Host(), store_path(), servers)), *casebook_diagnoses_of(casebook))
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for line in lines(found):
            echo(line)
    if strict and any(one.state == "lacking" for one in found):
        sys.exit(SOMETHING_LACKS)


def lines(found: Sequence["Diagnosis"]) -> Iterator[str]:
    """The answers for people: what is lacking, what is not known, and in one paragraph what is well."""
    for about, heading in HEADINGS.items():
        here = [one for one in found if one.about == about]
        if not here:
            continue
        lacking = [one for one in here if one.state == "lacking"]
        yield ""
        yield f"  {heading}: {f'{len(lacking)} lacking, the worst first' if lacking else 'nothing is lacking'}"
        for one in lacking:
            yield from _lacking(one)
        unknown = [one for one in here if one.state == "not_known"]
        yield from _listed("Not known", "; ".join(f"{one.name} ({one.where})" for one in unknown))
        yield from _listed("Well", ", ".join(one.name for one in here if one.state == "ok"))
    yield ""


def _lacking(one: "Diagnosis") -> Iterator[str]:
    from broadstreet.surfaces.text import safe

    yield ""
    yield from _wrapped(f"  {MARKS[one.state]} {one.name}: ", f"{safe(one.seen)}", "    ")
    yield from _wrapped("    ", f"{one.why} ({one.harm})", "    ")
    for detail in one.details:
        yield f"    {safe(detail)}"
    if one.remedy is not None:
        yield f"    mend: {safe(one.remedy, 400)}"  # in one line: it is to be copied


def _listed(heading: str, names: str) -> Iterator[str]:
    if names:
        yield ""
        yield from _wrapped(f"  {heading}: ", names, "    ")


def _wrapped(first: str, text: str, rest: str) -> list[str]:
    from broadstreet.surfaces.text import width

    return textwrap.wrap(first + text, width() - 1, subsequent_indent=rest, break_on_hyphens=False)
