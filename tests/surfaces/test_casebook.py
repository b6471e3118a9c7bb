"""The commands about a casebook, as their users meet them."""

import csv
import io
import json
import os
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from broadstreet.surfaces.cli import cli
from tests.store.examined import ROOT
from tests.surfaces.shell import Said, broadstreet

SAMPLE, CORPUS = ROOT / "sample", ROOT / "corpus"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a casebook of a tenth of the sample, as `./casebook`."""
    place = tmp_path_factory.mktemp("user")
    said = ask("scan", SAMPLE / "cores", "--binaries", SAMPLE / "binaries", "--casebook", "casebook", at=place)
    assert said.status == 0, said.err
    assert "Kept in casebook. Ask it: broadstreet cases --casebook casebook" in said.text
    return place


def ask(*arguments: str | Path, at: Path, **changes: str) -> Said:
    sampled = ("--sample", "10%") if arguments[0] == "scan" else ()
    return broadstreet(*arguments, *sampled, store=at / "no store", changes=changes, folder=at)


def here(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> Result:
    """The same in this process, which is faster."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BROADSTREET_CASEBOOK", raising=False)
    return CliRunner(env={"COLUMNS": "80", "LC_ALL": "C.UTF-8"}).invoke(cli, list(arguments))


def test_a_second_scan_says_that_nothing_is_new_and_prints_every_case(folder: Path) -> None:
    said = ask("scan", SAMPLE / "cores", "--casebook", "casebook", "-o", "ndjson", at=folder)
    cases = said.text.splitlines()
    assert f"Nothing new; {len(cases)} were read before." in said.err
    assert len(cases) > 20
    assert all(json.loads(line)["findings"][0]["evidence"] for line in cases)


def test_a_relative_path_a_full_one_and_a_glob_are_the_same_specimens(folder: Path) -> None:
    os.symlink(SAMPLE / "cores", folder / "link")
    for place in ("link", SAMPLE / "cores", f"{SAMPLE}/cores/*"):
        said = ask("scan", place, "--casebook", "casebook", "-o", "ndjson", at=folder)
        assert "Nothing new" in said.err, place


def test_every_form_of_cases_holds_every_case(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = here(monkeypatch, folder, "cases", "-o", "ndjson").stdout.splitlines()
    ids = [json.loads(line)["case_id"] for line in lines]
    assert ids
    listed = json.loads(here(monkeypatch, folder, "cases", "-o", "json").stdout)
    assert [one["case_id"] for one in listed] == ids
    table = list(csv.DictReader(io.StringIO(here(monkeypatch, folder, "cases", "-o", "csv").stdout)))
    assert [row["case_id"] for row in table] == ids
    parquet = here(monkeypatch, folder, "cases", "-o", "parquet").stdout_bytes
    assert pyarrow.parquet.read_table(io.BytesIO(parquet))["case_id"].to_pylist() == ids
    shown = here(monkeypatch, folder, "cases", "-n", "1000").stdout
    assert [line.split()[0] for line in shown.splitlines()[1 : len(ids) + 1]] == [one[:8] for one in ids]


def test_the_table_of_cases_fits_a_terminal_of_80_columns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = here(monkeypatch, folder, "cases", "-n", "1000").stdout.splitlines()
    assert max(map(len, lines[:-1])) <= 80
    assert lines[-1].endswith("One from near: broadstreet read CASE")


def test_a_page_goes_on_after_the_last_case_of_the_one_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = [
        json.loads(line)["case_id"] for line in here(monkeypatch, folder, "cases", "-o", "ndjson").stdout.splitlines()
    ]
    page = here(monkeypatch, folder, "cases", "-n", "5").stdout
    assert f"5 of {len(every)} cases; go on with --after {every[4]}" in page
    rest = here(monkeypatch, folder, "cases", "--after", every[4], "-o", "ndjson").stdout.splitlines()
    assert [json.loads(line)["case_id"] for line in rest] == every[5:]


def test_a_filter_that_fits_nothing_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such case." in here(monkeypatch, folder, "cases", "--host", "nobody").stdout
    assert here(monkeypatch, folder, "cases", "--host", "nobody", "-o", "ndjson").stdout == ""


def test_that_a_fleet_is_simulated_is_said_whatever_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["cases", "-o", "csv"], ["sql", "select 1"], ["modules"], ["fleet", "show"], ["casebook", "info"]):
        result = here(monkeypatch, folder, *command)
        assert "Simulated fleet" in result.output, command


def test_every_form_of_an_answer_says_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    select = "select mechanism, count(*) as n, max(time) as last, null as nothing from cases group by 1 order by 1"
    rows = json.loads(here(monkeypatch, folder, "sql", select, "-o", "json").stdout)
    assert [row["nothing"] for row in rows] == [None] * len(rows)
    assert all(row["last"].endswith("Z") for row in rows)
    lines = here(monkeypatch, folder, "sql", select, "-o", "ndjson").stdout.splitlines()
    assert [json.loads(line) for line in lines] == rows
    table = list(csv.DictReader(io.StringIO(here(monkeypatch, folder, "sql", select, "-o", "csv").stdout)))
    assert [(row["mechanism"], int(row["n"]), row["last"], row["nothing"]) for row in table] == [
        (row["mechanism"], row["n"], row["last"], "") for row in rows
    ]
    shown = here(monkeypatch, folder, "sql", select).stdout.splitlines()
    assert shown[0].split() == ["mechanism", "n", "last", "nothing"]
    assert [line.split()[0] for line in shown[1:]] == [row["mechanism"] for row in rows]
    parquet = here(monkeypatch, folder, "sql", select, "-o", "parquet").stdout_bytes
    assert pyarrow.parquet.read_table(io.BytesIO(parquet))["n"].to_pylist() == [row["n"] for row in rows]


def test_an_answer_without_rows_is_empty_in_its_form(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    select = "select host from cases where false"
    outputs = {form: here(monkeypatch, folder, "sql", select, "-o", form).stdout for form in ("json", "ndjson", "csv")}
    assert outputs == {"json": "[]\n", "ndjson": "", "csv": "host\n"}


def test_a_wrong_question_is_said_with_a_hint_and_no_traceback(folder: Path) -> None:
    for select in ("drop table cases", "select nonsense from cases", "select"):
        said = ask("sql", select, at=folder)
        assert said.status == 2
        assert "Traceback" not in said.err
        lines = said.err.splitlines()
        assert sum(line.startswith("broadstreet: ") for line in lines) == 1
        assert lines[-1].startswith("  ")


def test_a_case_is_read_from_its_evidence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = here(monkeypatch, folder, "cases", "-n", "1").stdout.splitlines()[1].split()[0]
    page = here(monkeypatch, folder, "read", first, "--binaries", str(SAMPLE / "binaries")).stdout
    assert "Findings  mechanism: " in page
    assert "Stack words" in page
    missing = here(monkeypatch, folder, "read", "f" * 12)
    assert "no case ffffffffffff in this casebook" in str(missing.exception)


def test_the_casebook_is_the_named_one_else_the_variable_s_else_the_one_here(folder: Path, tmp_path: Path) -> None:
    assert ask("cases", "-n", "1", at=folder).status == 0
    assert ask("cases", "-n", "1", at=tmp_path).err.startswith("broadstreet: there is no casebook here\n")
    book = str(folder / "casebook")
    assert ask("cases", "-n", "1", "--casebook", book, at=tmp_path).status == 0
    assert ask("cases", "-n", "1", at=tmp_path, BROADSTREET_CASEBOOK=book).status == 0
    (tmp_path / ".sample").mkdir()
    os.symlink(book, tmp_path / ".sample" / "casebook")
    said = ask("cases", "-n", "1", at=tmp_path)
    assert (said.status, "From the sample, .sample/casebook." in said.err) == (0, True)


def test_what_changes_a_casebook_never_takes_the_sample_s_by_itself(folder: Path, tmp_path: Path) -> None:
    (tmp_path / ".sample").mkdir()
    os.symlink(folder / "casebook", tmp_path / ".sample" / "casebook")
    for command in (
        ["casebook", "tidy"],
        ["casebook", "forget", "--host", "x"],
        ["relabel"],
        ["fleet", "add", SAMPLE / "fleet"],
    ):
        said = ask(*command, at=tmp_path)
        assert (said.status, said.err.splitlines()[0]) == (2, "broadstreet: there is no casebook here")


def test_info_prints_each_table_and_what_a_case_costs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = here(monkeypatch, folder, "casebook", "info").stdout
    assert " bytes a case without evidence, " in text
    found = json.loads(here(monkeypatch, folder, "casebook", "info", "-o", "json").stdout)
    assert {table["name"] for table in found["tables"]} >= {"cases", "specimens", "evidence", "findings"}
    assert found["simulated"] is True


def test_forgetting_says_what_it_searched_and_exits_1_where_a_name_is_left(tmp_path: Path) -> None:
    ask("scan", SAMPLE / "cores", "--casebook", "casebook", at=tmp_path)
    host = json.loads(ask("sql", "select host from cases limit 1", "-o", "json", at=tmp_path).text)[0]["host"]
    said = ask("casebook", "forget", "--host", host, at=tmp_path)
    assert said.status == 0
    assert "forgotten" in said.text
    assert "none is left" in said.text
    (tmp_path / "casebook" / "cases" / "note.txt").write_text(f"the host {host} again")
    said = ask("casebook", "forget", "--host", host, at=tmp_path)
    assert (said.status, "Nothing of that was here." in said.text) == (0, True)
    (tmp_path / "casebook" / "note.txt").write_text(f"the host {host} again")
    said = ask("casebook", "forget", "--host", host, at=tmp_path)
    assert (said.status, "STILL FOUND" in said.text) == (1, True)


@pytest.mark.parametrize("arguments", [[], ["--host", "a", "--case", "b"]])
def test_what_to_forget_must_be_said_once(folder: Path, arguments: list[str]) -> None:
    said = ask("casebook", "forget", *arguments, at=folder)
    assert (said.status, said.err.splitlines()[0]) == (2, "broadstreet: say what to forget")


def test_an_hourly_scan_of_a_place_where_nothing_crashed_is_well(tmp_path: Path) -> None:
    (tmp_path / "cores").mkdir()
    assert ask("scan", "cores", "--casebook", "casebook", at=tmp_path).status == 0
    assert ask("scan", "cores", at=tmp_path).status == 1


@pytest.mark.parametrize("span", ["400", "d", "-1d", "1y", "9999999d", "999999w"])
def test_a_span_that_is_none_is_refused(folder: Path, span: str) -> None:
    said = ask("casebook", "tidy", "--keep", span, at=folder)
    assert said.status == 2
    assert "Traceback" not in said.err
