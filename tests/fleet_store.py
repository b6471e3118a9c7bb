"""A fleet's tables in memory, as a casebook keeps them; and tables as files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from broadstreet.records.columns import FLEET
from broadstreet.records.fleet_rows import plain, schema


class MemoryStore:
    """The rows of each table, and a note for each version."""

    def __init__(self, case_hosts: Mapping[str, int] | None = None) -> None:
        self.tables: dict[str, Any] = {}
        self.notes: list[str] = []
        self.hosts = dict(case_hosts or {})

    def fleet(self, table: str) -> Any:
        return self.tables.get(table, plain(FLEET[table], schema(FLEET[table]).empty_table()))

    def replace_fleet(self, table: str, rows: Any, note: str) -> None:
        assert rows.schema == plain(FLEET[table], schema(FLEET[table]).empty_table()).schema
        self.tables[table] = rows
        self.notes.append(note)

    def case_hosts(self) -> dict[str, int]:
        return self.hosts

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What is known, in the order of key and time, with times as text and nothing that is null."""
        found = [
            {name: _shown(value) for name, value in row.items() if value not in (None, [])}
            for row in self.fleet(table).to_pylist()
        ]
        return sorted(found, key=lambda row: (str(row.get("host")), str(row.get("from", ""))))


def _shown(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        text = value.isoformat().replace("+00:00", "Z")
        return text.removesuffix("T00:00:00Z")
    return dict(value) if isinstance(value, list) else value


def csv(path: Path, header: str, *rows: str) -> Path:
    """A CSV file."""
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return path


def lines(store: MemoryStore, table: str, names: Sequence[str]) -> list[str]:
    """Some columns of what is known, a row a line; - where there is nothing."""
    return [" ".join(str(row.get(name, "-")) for name in names) for row in store.rows(table)]
