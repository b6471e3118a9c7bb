"""A stranger's question reaches the casebook, and nothing else; and it ends."""

import io
import os
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from broadstreet.errors import UsageError
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web import sql_box
from broadstreet.surfaces.web.apart import LONGEST_CELL, MOST_COLUMNS
from tests.surfaces.web.stand_in import OnShelf, reader

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT {} FROM t"


def ask(atlas: Atlas, select: str, seconds: float = 5.0) -> Any:
    return sql_box.rows(atlas.about, atlas.folder, select, seconds)


def test_the_atlas_is_asked_by_plain_names_and_the_casebook_by_both(atlas: Atlas) -> None:
    for select in ("SELECT count(*) FROM crashes", "SELECT count(*) FROM cases", "SELECT count(*) FROM casebook.cases"):
        assert ask(atlas, select).rows == [[7]]
    ask(atlas, "SELECT count(*) FROM casebook.traces JOIN casebook.syndromes ON true JOIN traces USING (trace_id)")


@pytest.mark.parametrize(
    "statement",
    [
        "COPY crashes TO '{there}'",
        "COPY (SELECT 1) TO '{there}'",
        "ATTACH '{there}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "PRAGMA enable_logging",
        "CALL pragma_version()",
        "EXPORT DATABASE '{there}'",
        "IMPORT DATABASE '{there}'",
        "SET threads = 8",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "EXPLAIN ANALYZE COPY crashes TO '{there}'",
        "EXPLAIN ANALYZE SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        "CREATE OR REPLACE VIEW crashes AS SELECT 1",
        "DROP VIEW crashes",
        "INSERT INTO crashes SELECT * FROM crashes",
        "DELETE FROM crashes",
        "PREPARE x AS SELECT 1",
        "BEGIN",
        "CHECKPOINT",
        "VACUUM",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY crashes TO '{there}'",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM '/etc/passwd.csv'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('http://localhost:1/')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT getenv('HOME')",
        "SELECT * FROM query('COPY crashes TO ''{there}''')",
        "SELECT * FROM sys",
        "SELECT * FROM question",
        "SELECT",
        "(((((",
        "\x00",
        "-- nothing",
    ],
)
def test_what_is_no_question_about_the_casebook_is_refused(atlas: Atlas, tmp_path: Path, statement: str) -> None:
    there = tmp_path / "there"
    with pytest.raises(UsageError) as refused:
        ask(atlas, statement.format(there=there))
    assert not there.exists()
    assert "root:" not in refused.value.what


def test_what_takes_long_is_ended_when_its_time_is_up(atlas: Atlas) -> None:
    for select in (
        "SELECT count(*) FROM range(1000000000000)",
        ENDLESS.format("max(n)"),
        "SELECT count(*) FROM cases, range(1000000000000)",
        "SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c WHERE a.range + b.range = c.range",
    ):
        began = time.monotonic()
        with pytest.raises(UsageError, match="takes longer than 1 seconds"):
            ask(atlas, select, seconds=1.0)
        assert time.monotonic() - began < 1 + 4 + 3
    assert not children()


@pytest.mark.parametrize(
    "select",
    [
        "SELECT repeat('x', 10000000000)",
        "SELECT repeat('x', 4000000000)",
        "SELECT string_agg(repeat('x', 1000000), '') FROM range(1000000)",
        "SELECT list(range) FROM range(1000000000)",
        "SELECT repeat('x', 100000) FROM range(1000)",
        "SELECT " + "(" * 9000 + "1" + ")" * 9000,
        "SELECT " + "-" * 9001 + "1",
        "SELECT " + " + ".join(["1"] * 6000),
    ],
)
def test_what_is_too_large_is_refused_or_cut(atlas: Atlas, select: str) -> None:
    try:
        found = ask(atlas, select)
    except UsageError:
        return
    assert sum(len(str(cell)) for row in found.rows for cell in row) < 4 << 20


def test_a_page_has_the_first_thousand_rows_and_says_that_there_are_more(atlas: Atlas) -> None:
    found = ask(atlas, "SELECT * FROM range(1000000000000)")
    assert (len(found.rows), found.more_rows) == (1000, True)
    assert (len(ask(atlas, ENDLESS.format("n")).rows)) == 1000
    found = ask(atlas, "SELECT * FROM range(1000)")
    assert (len(found.rows), found.more_rows) == (1000, False)


def test_a_page_has_so_many_columns_and_says_how_many_more(atlas: Atlas) -> None:
    found = ask(atlas, "SELECT " + ", ".join(f"{at} AS c{at}" for at in range(1000)))
    assert (len(found.columns), found.more_columns) == (MOST_COLUMNS, 1000 - MOST_COLUMNS)


def test_ten_thousand_columns_are_an_answer_or_refused(atlas: Atlas) -> None:
    with pytest.raises(UsageError, match="at most 20,000 characters"):
        ask(atlas, "SELECT " + ", ".join(f"{at} AS c{at}" for at in range(10_000)))
    wide = "PIVOT (SELECT range AS r FROM range(10000)) ON r USING count(*)"
    with pytest.raises(UsageError):
        ask(atlas, wide)
    struct = "SELECT unnest(json_transform('{}', (SELECT json_group_object('c' || range, 'INT') FROM range(10000))))"
    with pytest.raises(UsageError):
        ask(atlas, struct)


def test_values_are_those_that_a_program_can_hold(atlas: Atlas) -> None:
    select = (
        "SELECT 9007199254740993 AS big, 'nan'::DOUBLE AS nan, 'inf'::DOUBLE AS inf, NULL AS nothing, "
        "repeat('x', 5000) AS long, [1, NULL] AS list, {'a': 1} AS struct, 1.5::DECIMAL(4, 1) AS tenth, "
        "TIMESTAMPTZ '2026-03-12T14:02:00Z' AS time, true AS yes, '\\x00'::BLOB AS blob, interval 1 day AS span"
    )
    row = ask(atlas, select).rows[0]
    assert row[:4] == ["9007199254740993", "nan", "inf", None]
    assert len(row[4]) == LONGEST_CELL + 1
    assert row[5:10] == ["[1,null]", '{"a":1}', "1.5", "2026-03-12T14:02:00Z", True]


def test_two_columns_of_one_name_are_told_apart(atlas: Atlas) -> None:
    assert [one.name for one in ask(atlas, "SELECT 1 AS a, 2 AS a").columns] == ["a", "a_1"]


def test_keys_of_the_environment_are_not_there(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    found = ask(atlas, "SELECT * FROM duckdb_settings()")
    assert "a secret" not in str(found.rows)
    assert ask(atlas, "SELECT count(*) FROM duckdb_secrets()").rows == [[0]]


@pytest.fixture
def client(atlas: Atlas) -> TestClient:
    return reader(OnShelf(atlas))


def test_the_page_shows_values_as_text(client: TestClient) -> None:
    select = "SELECT '<script>alert(1)</script>' AS \"<b>\", chr(27) || '[31m' || chr(8238) || 'x' AS odd"
    page = client.get("/sql", params={"select": select})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<b>&" not in page.text
    assert "\\x1b[31m\\u202ex" in page.text
    assert not any(odd in page.text for odd in ("\x1b", "\u202e"))


def test_a_question_that_fails_keeps_its_text_and_says_why(client: TestClient) -> None:
    page = client.get("/sql", params={"select": "SELECT nothing\nFROM crashes"})
    assert page.status_code == 400
    assert "SELECT nothing\nFROM crashes</textarea>" in page.text
    assert "nothing" in client.get("/sql.json", params={"select": "SELECT nothing FROM crashes"}).json()["failed"]


def test_an_answer_is_a_file_too(client: TestClient) -> None:
    asked = {"select": "SELECT case_id, '=1+1' AS formula FROM crashes"}
    table = client.get("/sql.csv", params=asked)
    assert table.headers["content-disposition"].startswith('attachment; filename="broadstreet-')
    lines = table.text.splitlines()
    assert (lines[0], len(lines)) == ("case_id,formula", 8)
    assert ",=1+1" not in table.text  # a spreadsheet would reckon it
    rows = pyarrow.parquet.read_table(io.BytesIO(client.get("/sql.parquet", params=asked).content))
    assert rows.num_rows == 7
    assert client.get("/sql.csv", params={"select": "COPY crashes TO 'x'"}).status_code == 400
    assert client.get("/sql.csv").status_code == 400


def test_every_example_is_answered(client: TestClient) -> None:
    for example in client.get("/sql.json").json()["examples"]:
        told = client.get("/sql.json", params={"select": example["select"]}).json()
        assert told["failed"] is None, told["failed"]


def children() -> list[str]:
    """Processes of the SQL box that are still there."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat, open(f"/proc/{name}/cmdline") as line:
                if stat.read().split()[3] == str(os.getpid()) and "web.apart" in line.read():
                    found.append(name)
        except OSError:
            continue
    return found
