"""`broadstreet slim`."""

import os

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.options import binary_options, binary_sources


@click.command()
@click.argument("core", metavar="CORE", type=click.Path())
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False))
@click.option("--standalone", is_flag=True, help="Also what gdb and eu-stack need to give the same backtrace.")
@click.option(
    "--pointers-only", is_flag=True, help="Blank all writable memory but pointers and the words that a rule used."
)
@binary_options
def slim(
    core: str, out: str, standalone: bool, pointers_only: bool, binaries: tuple[str, ...], debuginfod: tuple[str, ...]
) -> None:
    """Write a small valid core dump with only what a reading needs: same case, same labels.

    Arguments and environment are blanked. OUT is compressed where its name ends with .zst, and is never overwritten.
    It is read back and compared before it gets its name. Slim where the binaries are, or name them with --binaries:
    without them less is known to be needed.
    """
    if not os.path.exists(core):
        raise UsageError(f"no such file: {core}", "broadstreet slim CORE OUT, with the path of a core dump")
    if os.path.isdir(core):
        raise UsageError(f"{core} is a folder", "broadstreet slim takes one core dump at a time")
    from broadstreet.pipeline import slimming
    from broadstreet.surfaces.text import echo, plural, safe, size

    try:
        sources = binary_sources(binaries, debuginfod).open()
        fact = slimming.slim(core, out, sources, standalone, pointers_only)
    except OSError as error:
        raise UsageError(
            f"{error.filename or core}: {error.strerror}", "Check the path and its permissions."
        ) from error
    echo(f"{size(fact.bytes_before)} -> {size(fact.bytes_after)}  {safe(out)}")
    if fact.binaries_missing:
        count = plural(len(fact.binaries_missing), "binary", "binaries")
        echo(f"  {count} not found, so less was kept: {safe(', '.join(fact.binaries_missing))}", err=True)
