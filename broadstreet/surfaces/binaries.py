"""`broadstreet binaries`."""

import sys

import click

from broadstreet.errors import UsageError
from broadstreet.sources.binary_store import store_path


@click.group()
def binaries() -> None:
    """Keep what reading needs of programs and libraries, by build id.

    Without its binaries a core dump loses most of what it could show. The store is $BROADSTREET_BINARIES, else
    ~/.cache/broadstreet/binaries; every command looks there.
    """


@binaries.command()
@click.argument("places", nargs=-1, required=True, type=click.Path(exists=True), metavar="DIR...")
@click.option("--store", type=click.Path(file_okay=False), help="Another folder than the default store.")
def add(places: tuple[str, ...], store: str | None) -> None:
    """Keep every program and library below DIR: unwind tables, names and code, no debug information."""
    from broadstreet.sources.binary_store import add as kept
    from broadstreet.surfaces.text import echo, safe

    target = store or store_path()
    total = failed = 0
    for place in places:
        for one in kept(place, target):
            total += 1
            if one.reason is not None:
                failed += 1
                echo(f"  not kept  {safe(one.path)}: {safe(one.reason)}", err=True)
    if total == 0:
        raise UsageError(
            "no ELF program or library there", "Name a folder with binaries, such as /usr/lib or a sysroot."
        )
    click.echo(f"{total - failed} of {total} binaries kept in {target}")
    if failed == total:
        sys.exit(1)
