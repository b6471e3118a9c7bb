"""`broadstreet read`."""

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.options import binary_options, binary_sources


@click.command()
@click.argument("core", metavar="CORE", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="The whole case as JSON.")
@click.option("--threads", is_flag=True, help="Every thread's frames and every module, not only the crash.")
@binary_options
def read(core: str, as_json: bool, threads: bool, binaries: tuple[str, ...], debuginfod: tuple[str, ...]) -> None:
    """Read one core dump: what happened, the evidence for and against, and what could not be seen."""
    import os

    if not os.path.exists(core):
        raise UsageError(f"no such file: {core}", "broadstreet read CORE, with the path of a core dump")
    if os.path.isdir(core):
        raise UsageError(f"{core} is a folder", f"broadstreet scan {core}")
    from broadstreet.pipeline.reading import close_case_at, source_lines

    try:
        case, state = close_case_at(core, binary_sources(binaries, debuginfod).open(), threads or as_json)
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
