"""Which casebook a command means."""

import os
from collections.abc import Callable
from typing import Any

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.text import echo, safe

VARIABLE = "BROADSTREET_CASEBOOK"
HERE = "casebook"
SAMPLE = os.path.join(".sample", "casebook")
HELP = f"A folder, s3://..., az://... or gs://... Else {VARIABLE}, else ./{HERE}, else the sample's."


def casebook_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The casebook that a command reads."""
    return click.option("--casebook", metavar="URL", help=HELP)(command)


def writing_casebook_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The casebook that a scan writes; none unless it is named."""
    return click.option("--casebook", metavar="URL", envvar=VARIABLE, help="Keep what is read in this casebook.")(
        command
    )


def chosen(casebook: str | None) -> str:
    """The casebook to read: as named, else by the variable, else the one here, else the sample's."""
    named = casebook or os.environ.get(VARIABLE)
    if named:
        return named
    for place in (HERE, SAMPLE):
        if os.path.isdir(place):
            if place == SAMPLE:
                echo(f"  From the sample ({safe(place)}): a simulated fleet.", err=True)
            return place
    raise UsageError("there is no casebook here", f"broadstreet scan DIR --casebook {HERE}, or --casebook URL")
