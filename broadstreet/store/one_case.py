"""What a casebook knows of one case beside the case itself, and of the modules of others."""

from typing import Any, NamedTuple

import pyarrow as pa

from broadstreet.store.questions import Questions


class Kept(NamedTuple):
    """The evidence of a case: how much of its core dump is kept (pointers or full), and its bytes."""

    kept: str
    core: bytes


def kept(questions: Questions, reading: int) -> Kept | None:
    """What is kept of the core dump of the case of a reading; null where nothing is."""
    questions.fetch_evidence()
    rows = questions.answer(
        "SELECT kept, core FROM raw_evidence WHERE reading = (SELECT evidence FROM raw_cases WHERE reading = ?)",
        [reading],
    ).to_pylist()
    return Kept(rows[0]["kept"], rows[0]["core"]) if rows else None


def readings(questions: Questions, case_id: str) -> list[dict[str, Any]]:
    """Every visible reading of one crash, the newest first: where from, when, by which reader and rules, with what."""
    rows: list[dict[str, Any]] = questions.answer(
        "SELECT c.reading, c.path, s.added, s.generation, c.reader_version, c.rules_version, c.mechanism, "
        "c.bytes_read, c.bytes_present FROM raw_cases c JOIN raw_specimens s USING (reading) "
        "WHERE c.case_id = ? ORDER BY s.added DESC, c.reading",
        [case_id],
    ).to_pylist()
    return rows


def contradictions(questions: Questions, case_id: str) -> list[dict[str, Any]]:
    """Findings in which two readings of one crash differ: label, states."""
    rows: list[dict[str, Any]] = questions.answer(
        "SELECT label, states FROM contradictions WHERE case_id = ? ORDER BY label", [case_id]
    ).to_pylist()
    return rows


def builds(questions: Questions, sets: pa.Table) -> dict[tuple[str, str], int]:
    """How many cases show each build id at each path: `sets` has module_set, and how many cases had it."""
    questions.lend("asked_sets", sets)
    rows = questions.answer(
        "SELECT m.path, m.build_id, sum(a.cases)::BIGINT AS cases FROM raw_modules m "
        "JOIN asked_sets a USING (module_set) WHERE m.build_id IS NOT NULL GROUP BY ALL"
    ).to_pylist()
    return {(row["path"], row["build_id"]): row["cases"] for row in rows}


def boots(questions: Questions, host: str) -> list[dict[str, Any]]:
    """When a host booted, as the fleet's table `hosts` tells it: boot_time, kernel_release; in the order of time."""
    rows: list[dict[str, Any]] = questions.answer(
        "SELECT boot_time, any_value(kernel_release) AS kernel_release FROM hosts "
        "WHERE host = ? AND boot_time IS NOT NULL GROUP BY boot_time ORDER BY boot_time",
        [host],
    ).to_pylist()
    return rows
