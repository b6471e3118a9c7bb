"""`broadstreet explain`."""

import shlex
import sys

import click

from broadstreet.surfaces.casebook_options import casebook_option, chosen
from broadstreet.surfaces.options import binary_options, binary_sources


@click.command()
@click.argument("name", metavar="ID")
@click.option("--at", "number", type=click.IntRange(0), metavar="VERSION", help="As the casebook was at this version.")
@click.option("--query", is_flag=True, help="Under each number the SQL of its inputs and the test, to paste.")
@casebook_option
@binary_options
def explain(
    name: str,
    number: int | None,
    query: bool,
    casebook: str | None,
    binaries: tuple[str, ...],
    debuginfod: tuple[str, ...],
) -> None:
    """Everything behind an outbreak or verdict, a syndrome, or a case, down to the bytes.

    ID is the rank of an outbreak or its id (O-...), a syndrome (S-...), or a case's id; its beginning is enough. A
    syndrome may also be named as people call it.
    """
    from broadstreet.pipeline.explaining import explained
    from broadstreet.store.questions import Questions
    from broadstreet.surfaces.explain_page import lines
    from broadstreet.surfaces.investigation_page import Sheet
    from broadstreet.surfaces.text import echo, page_width, plain_ascii

    sheet = Sheet(page_width(), plain_ascii(sys.stdout), f" --casebook {shlex.quote(casebook)}" if casebook else "")
    with Questions(chosen(casebook), number) as questions:
        found, what = explained(questions, name, binary_sources(binaries, debuginfod).open())
        for line in lines(questions, found, what, sheet, query):
            echo(line)
