"""The small file that says which columns of another's table are which of ours.

[hosts]
host = "node_name"                                          # our column = theirs
region = { constant = "eu-west" }
boot_time = { column = "booted", format = "epoch_seconds" }
from = { column = "since", format = "%d.%m.%Y %H:%M" }
pool = "label:example.com/pool"                             # a name that is not ours becomes an exposure
ignore = ["comment"]
"""

import tomllib
from collections.abc import Mapping as Mapped
from types import MappingProxyType
from typing import Any, NamedTuple

from broadstreet.errors import UsageError
from broadstreet.records.columns import FLEET

EPOCHS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1000, "epoch_microseconds": 1}
SHORT_NAME = "short_name"
LARGEST = 1 << 20
HINT = 'docs/fleet.md explains it: [TABLE] and lines such as host = "node_name"'


class Source(NamedTuple):
    """Where the values of one column come from."""

    column: str | None = None
    constant: str | None = None
    format: str | None = None
    suffix: str = ""


class Mapping(NamedTuple):
    """For one table: our columns by name, and the columns of the file that are left out."""

    columns: Mapped[str, Source] = MappingProxyType({})
    ignore: frozenset[str] = frozenset()


def mappings(path: str) -> dict[str, Mapping]:
    """The mapping of each table that the file names."""
    try:
        with open(path, "rb") as file:
            declared = tomllib.loads(file.read(LARGEST).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", HINT) from error
    for name, content in declared.items():
        if name not in FLEET or not isinstance(content, dict):
            raise UsageError(f"{path}: [{name}] is no table of a fleet", f"The tables: {', '.join(FLEET)}")
    return {name: _mapping(path, name, content) for name, content in declared.items()}


def _mapping(path: str, table: str, content: dict[str, Any]) -> Mapping:
    ignore = content.pop("ignore", [])
    if not isinstance(ignore, list) or not all(isinstance(name, str) for name in ignore):
        raise UsageError(f"{path}: [{table}] ignore is no list of names", HINT)
    types = {column.name: column.type for column in FLEET[table].columns}
    columns = {}
    for name, given in content.items():
        source = _source(given)
        of_time = types.get(name, "text") == "time"
        if source is None or name == "exposures":
            raise UsageError(f"{path}: [{table}] {name} = {given!r} is not understood", HINT)
        if source.format is not None and not of_time and source.format != SHORT_NAME:
            raise UsageError(f"{path}: [{table}] {name}: only a time has the format {source.format!r}", HINT)
        columns[name] = source
    return Mapping(columns, frozenset(ignore))


def _source(given: object) -> Source | None:
    if isinstance(given, str):
        return Source(given)
    if not isinstance(given, dict) or not set(given) <= set(Source._fields):
        return None
    if not all(isinstance(value, str) for value in given.values()) or ("column" in given) == ("constant" in given):
        return None
    source = Source(**given)
    known = source.format is None or source.format in (*EPOCHS, SHORT_NAME) or "%" in source.format
    return source if known else None
