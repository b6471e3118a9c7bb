"""`broadstreet read`."""

import os
import re
from typing import TYPE_CHECKING

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import casebook_option, chosen
from broadstreet.surfaces.options import binary_options, binary_sources

if TYPE_CHECKING:
    from broadstreet.reading.machine_state import MachineState
    from broadstreet.records.case import Case
    from broadstreet.sources.binaries import Binaries

CASE_ID = re.compile("[0-9a-f]{4,32}", re.IGNORECASE)


@click.command()
@click.argument("core", metavar="CORE|CASE", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="The whole case as JSON.")
@click.option("--threads", is_flag=True, help="Every thread's frames and every module, not only the crash.")
@casebook_option
@binary_options
def read(
    core: str,
    as_json: bool,
    threads: bool,
    casebook: str | None,
    binaries: tuple[str, ...],
    debuginfod: tuple[str, ...],
) -> None:
    """Read one core dump: what happened, the evidence for and against, and what could not be seen.

    In place of a file, CASE is the id of a case in a casebook, or its beginning: it is read from the evidence that is
    kept there.
    """
    from broadstreet.pipeline.reading import close_case_at, source_lines

    sources = binary_sources(binaries, debuginfod)
    if not os.path.exists(core):
        case, state = _stored(core, casebook, sources.open())
    elif os.path.isdir(core):
        raise UsageError(f"{core} is a folder", f"broadstreet scan {core}")
    else:
        try:
            case, state = close_case_at(core, sources.open(), threads or as_json)
        except OSError as error:
            raise UsageError(f"{core}: {error.strerror}", "Check its permissions.") from error
    if as_json:
        import msgspec

        from broadstreet.surfaces.case_json import encoded

        click.echo(msgspec.json.format(encoded(case), indent=2))
        return
    from broadstreet.cases.close_up import close_up
    from broadstreet.surfaces.page import page
    from broadstreet.surfaces.text import echo

    near, lines = (close_up(state), source_lines(state)) if state else (None, {})
    for line in page(case, near, lines, threads):
        echo(line)


def _stored(name: str, casebook: str | None, binaries: "Binaries") -> "tuple[Case, MachineState | None]":
    """The case of a casebook that this names, and its machine state, if its evidence is kept."""
    if not CASE_ID.fullmatch(name):
        hint = "broadstreet read CORE, with the path of a core dump, or the first digits of a case's id (four at least)"
        raise UsageError(f"no such file: {name}", hint)
    from broadstreet.pipeline.scanning import stored_case

    return stored_case(chosen(casebook), name, binaries)
