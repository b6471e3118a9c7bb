"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

from broadstreet.pipeline.reading import BinarySources
from broadstreet.sources.binary_store import store_path

DEBUGINFOD_VARIABLE = "BROADSTREET_DEBUGINFOD"


def binary_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where to look for binaries."""
    command = click.option(
        "--debuginfod",
        multiple=True,
        metavar="URL",
        envvar=DEBUGINFOD_VARIABLE,
        help="Ask this debuginfod server too (5 s in all). None is asked by default.",
    )(command)
    return click.option(
        "--binaries",
        multiple=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False),
        help="Look for programs and libraries here: a sysroot, a .build-id tree or a plain folder. Repeatable.",
    )(command)


def binary_sources(binaries: tuple[str, ...], debuginfod: tuple[str, ...]) -> BinarySources:
    """The sources that these options name, and the store."""
    return BinarySources(tuple(binaries), store_path(), tuple(debuginfod))
