"""Tidying and forgetting: what goes, what stays, and the proof."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from broadstreet.errors import UsageError
from broadstreet.records.case import Case
from broadstreet.records.columns import STORED_FLEET
from broadstreet.records.exposure import SIMULATED
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.store.casebook import Casebook, open_for_writing
from broadstreet.store.fleet import FleetTables
from broadstreet.store.forgetting import Forgotten, What, forget
from broadstreet.store.questions import Questions
from broadstreet.store.schema import schema
from broadstreet.store.tidying import Tidied, tidy
from tests.store.examined import bare, case, sample

OLD, NEW = "2020-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"


def crash(number: int, host: str, time: str | None = NEW) -> Examined:
    one = sample()[number]
    place = replace(case(one).circumstances, host=host, time=time, path=f"/cores/{number}")
    return Examined(Specimen(f"/cores/{number}", 1, "1"), replace(case(one), circumstances=place), one.evidence)


def made(url: Path, *batches: list[Examined]) -> None:
    book = open_for_writing(str(url))
    scan = book.begin(["/cores", "/mnt/vm-secret/cores"], "1")
    for batch in batches:
        book.add(batch, scan, "pointers", 2)
    book.close()


def alone(url: Path) -> Casebook:
    return open_for_writing(str(url), alone=True)


def tidied(url: Path, keep: timedelta | None = None, evidence: timedelta | None = None, now: bool = True) -> Tidied:
    book = alone(url)
    try:
        return tidy(book, str(url), keep, evidence, now)
    finally:
        book.close()


def forgotten(url: Path, **what: object) -> Forgotten:
    book = alone(url)
    try:
        return forget(book, str(url), What(**what))  # type: ignore[arg-type]
    finally:
        book.close()


def cases(url: Path) -> list[Case]:
    with Questions(str(url)) as questions:
        return sorted(questions.cases(), key=lambda one: one.circumstances.path)


def rows(url: Path, view: str) -> int:
    with Questions(str(url)) as questions:
        return int(questions.answer(f"SELECT count(*) AS n FROM {view}")["n"][0].as_py())


def every_text(url: Path) -> bytes:
    """All bytes below the casebook, and all that its Parquet files say, by another way than the product's."""
    found = b""
    for path in url.rglob("*"):
        if path.is_file():
            found += path.read_bytes()
            if path.suffix == ".parquet":
                found += repr(parquet.read_table(path).to_pylist()).encode()
    return found


def test_tidying_without_a_limit_changes_no_answer(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a"), crash(1, "b")], [crash(2, "c")], [crash(3, "d", None)])
    before = cases(tmp_path)
    assert tidied(tmp_path).readings == 0
    assert cases(tmp_path) == before
    assert len(list((tmp_path / "cases").glob("*.parquet"))) == 1
    assert rows(tmp_path, "evidence") == 4


def test_old_cases_go_and_those_without_a_time_are_as_old_as_their_reading(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a", OLD), crash(1, "b", "2999-01-01T00:00:00.000000Z"), crash(2, "c", None)])
    assert tidied(tmp_path, keep=timedelta(days=400)).readings == 1
    assert [one.circumstances.path for one in cases(tmp_path)] == ["/cores/1", "/cores/2"]
    assert rows(tmp_path, "evidence") == rows(tmp_path, "raw_evidence") == 2
    assert rows(tmp_path, "raw_findings") == 2 * len(case(sample()[0]).findings)


def test_old_evidence_goes_and_its_case_stays(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a", OLD), crash(1, "b", "2999-01-01T00:00:00.000000Z")])
    assert tidied(tmp_path, evidence=timedelta(days=90)).evidence == 1
    assert (rows(tmp_path, "cases"), rows(tmp_path, "evidence"), rows(tmp_path, "raw_evidence")) == (2, 1, 1)
    with Questions(str(tmp_path)) as questions:
        assert questions.evidence(case(sample()[0]).case_id) is None
        assert questions.evidence(case(sample()[1]).case_id) == sample()[1].evidence


def test_files_that_a_reader_may_have_open_stay_for_an_hour(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a")], [crash(1, "b")])
    with Questions(str(tmp_path)) as reader:
        files = set((tmp_path / "cases").glob("*.parquet"))
        assert tidied(tmp_path, now=False).files_left >= len(files) == 2
        assert files < set((tmp_path / "cases").glob("*.parquet"))
        assert len(list(reader.cases())) == 2
    assert tidied(tmp_path, now=True).files_left == 0
    assert len(list((tmp_path / "cases").glob("*.parquet"))) == 1


def test_a_version_that_a_verdict_cites_outlives_tidying_and_not_forgetting(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a", OLD)], [crash(1, "b")])
    book = alone(tmp_path)
    book.commit("pin", "a verdict", pinned=[1])
    book.close()
    tidied(tmp_path, keep=timedelta(days=1))
    with Questions(str(tmp_path), 1) as questions:
        assert [one.circumstances.host for one in questions.cases()] == ["a"]
    forgotten(tmp_path, host="nobody")
    with pytest.raises(UsageError):
        Questions(str(tmp_path), 1)


def test_a_forgotten_host_is_nowhere_and_the_others_are_as_before(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "vm-secret"), crash(1, "vm-secret-2")], [crash(2, "vm-secret", None), crash(3, "d")])
    before = cases(tmp_path)
    done = forgotten(tmp_path, host="vm-secret")
    assert (done.cases, done.readings, done.found) == (2, 2, ())
    assert cases(tmp_path) == [before[1], before[3]]
    text = every_text(tmp_path)
    assert b"vm-secret-2" in text
    assert text.count(b"vm-secret") == text.count(b"vm-secret-2")
    for number in (0, 2):
        assert case(sample()[number]).case_id.encode() not in text
        assert f"/cores/{number}'".encode() not in text
    assert b"/mnt/vm-secret" not in text


def test_what_is_forgotten_leaves_the_fleet_s_tables_too(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "vm-1"), crash(1, "vm-2")])
    hosts, placements = (next(t for t in STORED_FLEET if t.name == name) for name in ("hosts", "placements"))
    book = open_for_writing(str(tmp_path))
    fleet = FleetTables(str(tmp_path), book)
    nothing = {"exposures": []}
    fleet.replace_fleet(
        "hosts", pa.Table.from_pylist([{"host": h, **nothing} for h in ("vm-1", "vm-2")], schema=schema(hosts)), "test"
    )
    placed = [{"host": "vm-2", "physical_host": "vm-1", **nothing}, {"host": "vm-3", "physical_host": "m", **nothing}]
    fleet.replace_fleet("placements", pa.Table.from_pylist(placed, schema=schema(placements)), "test")
    book.close()
    done = forgotten(tmp_path, host="vm-1")
    assert (done.cases, done.fleet_rows, done.found) == (1, 2, ())
    assert (rows(tmp_path, "hosts"), rows(tmp_path, "placements")) == (1, 1)
    assert b"vm-1" not in every_text(tmp_path)


@pytest.mark.parametrize("name", ["a#b", "a'b", "a b", "ü"])
def test_any_name_of_a_folder_can_be_tidied_and_forgets(tmp_path: Path, name: str) -> None:
    made(tmp_path / name, [crash(0, "vm-1"), crash(1, "vm-2")])
    tidied(tmp_path / name)
    done = forgotten(tmp_path / name, host="vm-1")
    assert (done.cases, done.found) == (1, ())
    assert len(cases(tmp_path / name)) == 1


def test_one_case_and_all_before_a_date_can_be_forgotten(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a", OLD), crash(1, "b"), crash(2, "c")])
    assert forgotten(tmp_path, case_id=case(sample()[1]).case_id).cases == 1
    assert forgotten(tmp_path, before=datetime(2025, 1, 1, tzinfo=UTC)).cases == 1
    (left,) = cases(tmp_path)
    assert left.circumstances.path == "/cores/2"
    assert left == bare(left)


def test_the_search_finds_a_name_that_stands_elsewhere(tmp_path: Path) -> None:
    other = crash(1, "b")
    place = replace(
        case(other).circumstances, path="/cores/from vm-secret/1", labels=(SIMULATED, ("peer", "vm-secret"))
    )
    other = Examined(other.specimen, replace(case(other), circumstances=place))
    made(tmp_path, [crash(0, "vm-secret"), other])
    done = forgotten(tmp_path, host="vm-secret")
    assert done.cases == 1
    assert any("cases/" in where and "vm-secret" in where for where in done.found)


def test_what_a_killed_writer_left_goes_too(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "vm-secret"), crash(1, "b")])
    table = parquet.read_table(next((tmp_path / "cases").glob("*.parquet")))
    parquet.write_table(table, tmp_path / "cases" / "part-of-a-killed-writer.parquet")
    assert forgotten(tmp_path, host="vm-secret").found == ()
    assert not (tmp_path / "cases" / "part-of-a-killed-writer.parquet").exists()
    assert b"vm-secret" not in every_text(tmp_path)


def test_a_search_for_nothing_finds_nothing(tmp_path: Path) -> None:
    made(tmp_path, [crash(0, "a")])
    done = forgotten(tmp_path, host="nobody")
    assert (done.cases, done.readings, done.fleet_rows, done.found) == (0, 0, 0, ())
    assert len(cases(tmp_path)) == 1


def test_a_short_name_is_not_found_in_packed_bytes_and_is_found_in_values(tmp_path: Path) -> None:
    made(tmp_path, [crash(number, "x" if number == 0 else f"host-{number}") for number in range(40)])
    assert forgotten(tmp_path, host="x").found == ()
    other = crash(0, "b")
    place = replace(case(other).circumstances, labels=(SIMULATED, ("peer", "x")))
    made(tmp_path, [Examined(Specimen("/cores/again", 1, "2"), replace(case(other), circumstances=place))])
    assert any("labels" in where for where in forgotten(tmp_path, host="x").found)
