"""Which casebook a command means."""

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.text import echo, safe

if TYPE_CHECKING:
    from broadstreet.store.questions import Questions

VARIABLE = "BROADSTREET_CASEBOOK"
HERE = "casebook"
SAMPLE = os.path.join(".sample", "casebook")
SIMULATED = "  Simulated fleet: real crashes made in the lab; where and when is made up."
HELP = f"A folder, s3://..., az://... or gs://... Else {VARIABLE}, else ./{HERE}, else the sample's."


def casebook_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The casebook that a command reads."""
    return click.option("--casebook", metavar="URL", help=HELP)(command)


def writing_casebook_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The casebook that a scan writes; none unless it is named."""
    return click.option("--casebook", metavar="URL", envvar=VARIABLE, help="Keep what is read in this casebook.")(
        command
    )


@contextmanager
def asked(casebook: str | None) -> "Iterator[Questions]":
    """The casebook to read, open. That its fleet is simulated is said on stderr, whatever goes to stdout."""
    from broadstreet.store.questions import Questions

    with Questions(chosen(casebook)) as questions:
        if questions.simulated():
            echo(SIMULATED, err=True)
        yield questions


def say_if_simulated(url: str) -> None:
    """On stderr, whether the fleet of a casebook is simulated; nothing where there is no casebook yet."""
    from broadstreet.store.casebook import exists
    from broadstreet.store.questions import Questions

    if exists(url):
        with Questions(url) as questions:
            if questions.simulated():
                echo(SIMULATED, err=True)


def chosen(casebook: str | None) -> str:
    """The casebook to read: as named, else by the variable, else the one here, else the sample's."""
    named = casebook or os.environ.get(VARIABLE)
    if named or _is_casebook(HERE):
        return named or HERE
    if _is_casebook(SAMPLE):
        echo(f"  From the sample, {safe(SAMPLE)}. Your own: --casebook URL, or {VARIABLE}.", err=True)
        return SAMPLE
    raise UsageError("there is no casebook here", f"broadstreet scan DIR --casebook {HERE}, or --casebook URL")


def any_casebook() -> bool:
    """Whether there is one to read without naming it."""
    return bool(os.environ.get(VARIABLE)) or _is_casebook(HERE) or _is_casebook(SAMPLE)


def me() -> str:
    """The name of whoever gives a command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"  # a container's user without a name


def _is_casebook(folder: str) -> bool:
    return os.path.isdir(os.path.join(folder, "commits", "_delta_log"))


def to_change(casebook: str | None) -> str:
    """The casebook to change: as those to read, but never the sample's unless it is named."""
    named = casebook or os.environ.get(VARIABLE)
    if named or _is_casebook(HERE):
        return named or HERE
    raise UsageError("there is no casebook here", f"broadstreet scan DIR --casebook {HERE}, or --casebook URL")
