"""The reference pages of docs/, written from the declarations: labels, columns, commands, the schema of a case.

`python -m broadstreet.surfaces.documents DIR` writes them; a test demands that what lies in docs/ is what it writes.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click

from broadstreet.labels import CONTEXTS, MECHANISMS
from broadstreet.labels.rule import Rule
from broadstreet.records.columns import CASEBOOK, CASES, FEATURES, FLEET, GROUPING, JUDGEMENTS, STORED_CASES, Column
from broadstreet.store.views import VIEWS
from broadstreet.surfaces import case_json, investigation_json
from broadstreet.surfaces.cli import cli

WIDTH = 78  # what click writes on a terminal of 80 columns; not that of the terminal where this runs


def documents() -> dict[str, str]:
    """Every generated document, by file name."""
    return {
        "labels.md": _text(_labels()),
        "columns.md": _text(_columns()),
        "commands.md": _text(_commands()),
        "case.schema.json": json.dumps(case_json.schema(), indent=2) + "\n",
        "investigation.schema.json": json.dumps(investigation_json.schema(), indent=2) + "\n",
    }


def _text(lines: Iterator[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def _labels() -> Iterator[str]:
    yield "# Labels"
    yield ""
    yield "What one crash shows, never its cause. Each rule is data and one pure function over the features of"
    yield "[columns.md](columns.md); it holds, does not hold, or could not be judged. A case has one *mechanism*, the"
    yield "first of the list below that holds, and keeps all findings. Where none holds it is `unclassified` if all was"
    yield "seen, and `not_judged` if a rule lacked a feature. How often they are right: [accuracy.md](accuracy.md)."
    yield ""
    yield "## Mechanisms, in the order of precedence"
    for rule in MECHANISMS:
        yield from _label(rule)
    yield ""
    yield "## Context findings"
    for rule in CONTEXTS:
        yield from _label(rule)


def _label(rule: Rule) -> Iterator[str]:
    yield ""
    yield f"### {rule.label}"
    yield ""
    yield (import_module(f"broadstreet.labels.{rule.label}").__doc__ or "").strip()
    yield ""
    conditions = [f"{name} is {' or '.join(map(str, allowed))}" for name, allowed in rule.only_if.items()]
    if conditions:
        yield f"Only if: {'; '.join(conditions)}."
    if rule.needs:
        yield f"Needs: {', '.join(rule.needs)}."


def _columns() -> Iterator[str]:
    yield "# Columns"
    yield ""
    yield "One row per case in CSV and Parquet. Null means not observed, never zero or false. Addresses and words are"
    yield "unsigned 64-bit in Parquet, hex in CSV and JSON."
    yield ""
    yield "## The case"
    yield from _table(CASES)
    yield ""
    yield "## Features: what the machine was doing"
    yield from _table(FEATURES)
    yield ""
    yield "## Views of a casebook"
    yield ""
    yield "What `broadstreet sql` and `Book.sql` can be asked. `casebook.md` says how the tables lie."
    yield ""
    for view in VIEWS:
        yield f"- `{view.name}`: {view.meaning}"
    yield ""
    yield "and the tables of the fleet, each under its name."
    yield ""
    yield "## Tables of a casebook"
    yield ""
    yield "Delta Lake tables, which Spark, Trino, Polars and others read as they are. Addresses lie there as signed"
    yield "64-bit numbers, two's complement. A row counts only if `specimens` has a row with its `reading`."
    for table in (*CASEBOOK, *GROUPING, JUDGEMENTS):
        yield ""
        yield f"### {table.name}"
        yield ""
        yield table.meaning
        if table is STORED_CASES:
            yield "Besides these, the columns of the case but `frames`, and every feature, as above."
        own = [c for c in table.columns if table is not STORED_CASES or (c not in CASES and c not in FEATURES)]
        yield from _table(tuple(own))
    yield ""
    yield "## Tables of the fleet"
    yield ""
    yield "See [fleet.md](fleet.md) for what may overlap, and what contradicts."
    for fleet in FLEET.values():
        yield ""
        yield f"### {fleet.name}"
        yield ""
        yield fleet.meaning
        yield from _table(fleet.columns)


def _table(columns: tuple[Column, ...]) -> Iterator[str]:
    yield ""
    yield "| column | type | unit | meaning | null when |"
    yield "| --- | --- | --- | --- | --- |"
    for one in columns:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{one.name}`", *one[1:])) + " |"


def _commands() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "What `--help` prints. Settings: `BROADSTREET_BINARIES` is the folder of the binary store,"
    yield "`BROADSTREET_DEBUGINFOD` the servers to ask for binaries (none by default), `NO_COLOR` takes colour away,"
    yield "`BROADSTREET_CASEBOOK` is the casebook to write and to read. Buckets read AWS_*, AZURE_* and GOOGLE_*."
    settings = {**cli.context_settings, "terminal_width": WIDTH}
    with click.Context(cli, info_name="broadstreet", **settings) as context:
        yield from _help(cli, context)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield ""
    yield f"## {context.command_path}"
    yield ""
    yield "```"
    yield command.get_help(context)
    yield "```"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                with click.Context(below, info_name=name, parent=context) as inner:
                    yield from _help(below, inner)


if __name__ == "__main__":
    for file_name, content in documents().items():
        Path(sys.argv[1], file_name).write_text(content)
