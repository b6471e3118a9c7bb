"""Time at risk of the sample's ten thousand hosts, held against sums in plain Python; and what operators see of it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from broadstreet.records.columns import FLEET
from broadstreet.records.fleet_rows import aligned, plain
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.fleet import FleetTables
from broadstreet.store.questions import Questions
from tests.store.examined import ROOT, sample
from tests.store.fleets import book, crash

TABLES = ("hosts", "placements", "services", "at_risk")
Row = dict[str, Any]


def told(table: str) -> Any:
    (file,) = (ROOT / "sample" / "fleet").glob(f"{table}.*")
    return parquet.read_table(file)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Questions]:
    url = str(tmp_path_factory.mktemp("fleet") / "casebook")
    written = open_for_writing(url)
    written.add(sample(), "a scan", "none", 2)
    fleet = FleetTables(url, written)
    for table in TABLES:
        fleet.replace_fleet(table, plain(FLEET[table], aligned(FLEET[table], told(table))), "a test")
    written.close()
    with Questions(url) as questions:
        yield questions


def number(questions: Questions, select: str) -> float:
    (row,) = questions.answer(f"SELECT {select} AS n").to_pylist()
    return float(row["n"])


@pytest.mark.parametrize("measure", ["host_hours", "exceptions"])
def test_no_hour_and_no_exception_of_ten_thousand_hosts_is_lost(asked: Questions, measure: str) -> None:
    whole = float(sum(told("at_risk")[measure].to_pylist()))
    assert number(asked, f"(SELECT sum({measure}) FROM time_at_risk)") == pytest.approx(whole, rel=1e-12)


def test_the_hours_of_each_physical_host_are_those_of_its_placements(asked: Questions) -> None:
    of_host: dict[str, list[Row]] = defaultdict(list)
    for row in told("placements").to_pylist():
        of_host[row["host"]].append(row)
    by_hand: dict[str | None, float] = defaultdict(float)
    for row in told("at_risk").to_pylist():
        left = row["host_hours"]
        whole = (row["to"] - row["from"]).total_seconds()
        for placed in of_host[row["host"]]:
            shared = _shared(row, placed)
            by_hand[placed["physical_host"]] += row["host_hours"] * shared / whole
            left -= row["host_hours"] * shared / whole
        by_hand[None] += left
    found = asked.answer("SELECT physical_host, sum(host_hours) AS hours FROM time_at_risk GROUP BY ALL").to_pylist()
    assert {row["physical_host"]: row["hours"] for row in found} == pytest.approx(dict(by_hand), abs=1e-3)


def test_nothing_in_a_piece_changes_before_it_ends(asked: Questions) -> None:
    assert not number(
        asked,
        '(SELECT count(*) FROM time_at_risk t JOIN hosts h ON t.host = h.host AND h."from" > t."from" '
        'AND h."from" < t."to")',
    )
    assert not number(
        asked,
        """(SELECT count(*) FROM time_at_risk t JOIN hosts h ON t.host = h.host AND h."from" <= t."from"
        AND (h."to" IS NULL OR h."to" > t."from") AND t."from" < h.boot_time + INTERVAL 7 DAY
        AND t."to" > h.boot_time + INTERVAL 7 DAY)""",
    )


def test_each_case_has_the_row_of_its_host_that_held(asked: Questions) -> None:
    found = asked.answer("SELECT * FROM exposures").to_pylist()
    assert len(found) == len(sample())
    rows = {(row["host"], row["from"]): row for row in told("hosts").to_pylist()}
    for case in found:
        held = [row for row in rows.values() if row["host"] == case["host"] and _holds(row, case["time"])]
        assert len(held) == 1
        for name in ("region", "zone", "rack", "sku", "cpu_model", "microcode", "kernel_release"):
            assert case[name] == held[0][name]


def test_a_crash_of_which_no_placement_is_known_has_no_physical_host(tmp_path: Path) -> None:
    with book(
        tmp_path / "book",
        [crash(1, host="vm-1", time="2026-03-02T03:00:00Z"), crash(2, host="vm-1", time="2026-03-02T06:00:00Z")],
        placements=[
            {"host": "vm-1", "physical_host": "ph-1", "to": "2026-03-02T02:00:00Z"},
            {"host": "vm-1", "physical_host": "ph-1", "from": "2026-03-02T06:00:00Z"},
        ],
    ) as questions:
        found = questions.answer("SELECT physical_host FROM exposures ORDER BY time")["physical_host"].to_pylist()
    assert found == [None, "ph-1"]


def _shared(one: Row, other: Row) -> float:
    start = max(one["from"], other["from"] or one["from"])
    end = min(one["to"], other["to"] or one["to"])
    return max(0.0, (end - start).total_seconds())


def _holds(row: Row, moment: datetime) -> bool:
    return bool(row["from"] <= moment and (row["to"] is None or moment < row["to"]))
