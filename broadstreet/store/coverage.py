"""What a casebook holds, what its cases lack, and what that costs."""

from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from broadstreet.records.columns import EVIDENCE, STORED_FLEET
from broadstreet.store.questions import Questions


class TableSize(NamedTuple):
    """One table: rows and files that are there, and the bytes of these files."""

    name: str
    rows: int
    files: int
    size: int


class Contents(NamedTuple):
    """A casebook at a glance. `pinned` are the versions that verdicts cite."""

    url: str
    version: int
    simulated: bool | None
    cases: int
    first: datetime | None
    last: datetime | None
    specimens: int
    unreadable: int
    superseded: int
    pinned: tuple[int, ...]
    tables: tuple[TableSize, ...]

    def bytes_per_case(self, with_evidence: bool) -> float | None:
        """What a case costs on disk, without what the fleet tells; null while there is none."""
        left_out = {table.name for table in STORED_FLEET} | (set() if with_evidence else {EVIDENCE.name})
        counted = sum(one.size for one in self.tables if one.name not in left_out)
        return counted / self.cases if self.cases else None


def contents(questions: Questions) -> Contents:
    """A casebook at a glance."""
    cases = _row(questions, "SELECT count(*) AS n, min(time) AS first, max(time) AS last FROM current_cases")
    read = _row(questions, "SELECT count(*) AS n, count(unreadable) AS bad FROM current_specimens")
    return Contents(
        questions.place.url,
        questions.version.number,
        questions.simulated(),
        cases["n"],
        cases["first"],
        cases["last"],
        read["n"],
        read["bad"],
        _row(questions, "SELECT count(*) AS n FROM superseded")["n"],
        questions.version.pinned,
        tuple(_size(questions, table.name) for table in questions.tables()),
    )


def coverage(questions: Questions, reader_version: int, rules_version: int) -> dict[str, int]:
    """How many cases lack what an analysis would need."""
    return _row(
        questions,
        """SELECT count(*) AS cases, count(*) - count(time) AS without_time,
        count(*) FILTER (time_source = 'mtime') AS mtime_only, count(*) - count(host) AS without_host,
        count(*) - count(cpu) AS without_cpu, count(*) - count(kernel_release) AS without_kernel_release,
        count(*) FILTER (mechanism = 'not_judged') AS not_judged,
        count(*) FILTER (list_has_any(string_split(missing, '|'), ['memory', 'notes', 'program headers', 'registers']))
        AS cut_off,
        count(*) FILTER (reader_version <> ?) AS stale_reader, count(*) FILTER (rules_version <> ?) AS stale_rules,
        (SELECT count(unreadable) FROM current_specimens) AS unreadable FROM current_cases""",
        reader_version,
        rules_version,
    )


def missing_binaries(questions: Questions) -> list[tuple[str, str | None, int]]:
    """Path, build id and number of cases of each binary that was asked for in vain, the most wanted first."""
    found = questions.answer(
        """WITH lacked AS (SELECT module_set, unnest(lacking) AS name FROM current_cases),
        counted AS (SELECT module_set, name, count(*) AS cases FROM lacked GROUP BY ALL)
        SELECT m.path, m.build_id, sum(c.cases)::BIGINT AS cases FROM counted c
        JOIN raw_modules m ON m.module_set = c.module_set AND coalesce(m.build_id, m.path) = c.name AND NOT m.found
        GROUP BY ALL ORDER BY cases DESC, path, build_id"""
    ).to_pylist()
    return [(row["path"], row["build_id"], row["cases"]) for row in found]


def case_hosts(questions: Questions) -> dict[str, int]:
    """How many cases each host has."""
    found = questions.answer("SELECT host, count(*) AS n FROM current_cases WHERE host IS NOT NULL GROUP BY host")
    return dict(zip(found["host"].to_pylist(), found["n"].to_pylist(), strict=True))


def rows(questions: Questions, view: str) -> int:
    """How many rows a view has."""
    return int(_row(questions, f'SELECT count(*) AS n FROM "{view}"')["n"])


def hosts_unknown_to_fleet(questions: Questions) -> list[tuple[str, int]]:
    """Hosts of cases that the table `hosts` does not have, with their cases, the most first."""
    found = questions.answer(
        "SELECT host, count(*) AS n FROM current_cases ANTI JOIN raw_hosts USING (host) WHERE host IS NOT NULL "
        "GROUP BY host ORDER BY n DESC, host"
    )
    return list(zip(found["host"].to_pylist(), found["n"].to_pylist(), strict=True))


def _size(questions: Questions, name: str) -> TableSize:
    actions = pa.table(questions.delta(name).get_add_actions(flatten=True))
    counts, sizes = actions["num_records"].to_pylist(), actions["size_bytes"].to_pylist()
    return TableSize(name, sum(counts), len(counts), sum(sizes))


def _row(questions: Questions, select: str, *parameters: object) -> dict[str, Any]:
    row: dict[str, Any] = questions.answer(select, parameters).to_pylist()[0]
    return row
