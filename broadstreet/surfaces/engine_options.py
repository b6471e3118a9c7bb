"""Options that say which processes or machines do the work."""

import os
from collections.abc import Callable
from typing import Any

import click

from broadstreet.errors import UsageError
from broadstreet.pipeline.engines import Dask, Engine, Local

LOCAL, DASK = "local", "dask"
ADDRESS = "dask://"


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which workers, and how many."""
    command = click.option(
        "--workers", type=click.IntRange(1, 1024), help="Processes on this machine; one per CPU by default."
    )(command)
    return click.option(
        "--engine",
        default=LOCAL,
        show_default=True,
        metavar="ENGINE",
        help="local; dask, for a Dask cluster on this machine; or dask://HOST:PORT, of a scheduler that runs.",
    )(command)


def engine_of(engine: str, workers: int | None, most: int | None = None) -> Engine:
    """The engine that these options name; of local workers no more than `most`, where there is little to do."""
    count = workers or len(os.sched_getaffinity(0))
    if engine == LOCAL:
        return Local(count if most is None else max(1, min(count, most)))
    if engine == DASK:
        return Dask(workers=count)
    if not engine.startswith(ADDRESS):
        raise UsageError(f"no such engine: {engine}", "--engine local, --engine dask or --engine dask://HOST:PORT")
    host, colon, port = engine.removeprefix(ADDRESS).rstrip("/").rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise UsageError(
            f"not the address of a scheduler: {engine}", "--engine dask://HOST:PORT; dask scheduler's port is 8786"
        )
    if workers is not None:
        raise UsageError(
            "--workers is for processes on this machine", "The scheduler's workers are as many as it has; leave it out."
        )
    return Dask(f"{host}:{port}")
