"""`broadstreet report`."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import SIMULATED, casebook_option, chosen

if TYPE_CHECKING:
    from broadstreet.surfaces.reports.record import Report

ENDINGS = (".html", ".md")


@click.command()
@click.argument("name", metavar="[ID]", required=False)
@click.option("--output", "-o", required=True, metavar="FILE", help="Where to write: FILE.html, or FILE.md.")
@click.option("--at", "number", type=click.IntRange(0), metavar="VERSION", help="As the casebook was at this version.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@casebook_option
def report(name: str | None, output: str, number: int | None, force: bool, casebook: str | None) -> None:
    """What happened, in one file to hand over: summary, timeline, evidence, actions, and how to check it.

    Without ID of all outbreaks; ID is the rank of an outbreak or its id (O-...), or a syndrome (S-... or its name).
    FILE.html opens offline and prints, charts and fonts are inside of it; FILE.md says the same in text.
    """
    from broadstreet.store.atlas import Atlas
    from broadstreet.store.casebook import open_tables
    from broadstreet.surfaces.reports.telling import report_of
    from broadstreet.surfaces.text import echo, safe
    from broadstreet.surfaces.web.drawing import draw_into_cache

    file = Path(output)
    _check(file, force)
    url = chosen(casebook)
    version = open_tables(url, number)[1].number
    atlas = Atlas(str(draw_into_cache(url, version)))
    try:
        told = report_of(atlas, name, f" --casebook {shlex.quote(casebook)}" if casebook else "")
    finally:
        atlas.close()
    write(file, _writer(file)(told), force)
    if told.simulated:
        echo(SIMULATED, err=True)
    echo(f"  {safe(told.title, 400)}")
    echo(f"  {file} ({file.stat().st_size / 1000:,.0f} KB)")


def write(file: Path, text: str, force: bool) -> None:
    """The file appears under its name when it is complete; one that is there stays unless `force`."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, "utf-8")
        if force:
            os.replace(partial, file)
        else:
            _put(partial, file)
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}", "Name a file in a folder that you may write to."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _put(partial: Path, file: Path) -> None:
    try:
        os.link(partial, file)  # refuses where somebody made it meanwhile, which a rename would not
    except FileExistsError as error:
        raise _there(file) from error


def _check(file: Path, force: bool) -> None:
    if file.suffix.lower() not in ENDINGS:
        raise UsageError(f"{file} ends in neither .html nor .md", "--output report.html, or --output report.md")
    if file.is_dir():
        raise UsageError(f"{file} is a folder", f"--output {file}/report.html")
    if not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}", f"mkdir -p {shlex.quote(str(file.parent))}")
    if not os.access(file.parent, os.W_OK):
        raise UsageError(f"{file.parent} cannot be written to", "Name a file in a folder that you may write to.")
    if file.exists() and not force:
        raise _there(file)


def _there(file: Path) -> UsageError:
    return UsageError(f"{file} is there already", "Name another file, or write over it with --force.")


def _writer(file: Path) -> "Callable[[Report], str]":
    if file.suffix.lower() == ".md":
        from broadstreet.surfaces.reports.markdown import markdown

        return markdown
    from broadstreet.surfaces.reports.html import html

    return html
