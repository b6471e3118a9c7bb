"""The syndromes of a scan: kept once, by whoever is first, and never changed because others came later."""

import multiprocessing
from pathlib import Path
from random import Random

import pytest

from broadstreet.errors import CasebookError
from broadstreet.pipeline import grouping as module
from broadstreet.pipeline.grouping import grouped, keep_new
from broadstreet.pipeline.scanning import Scan
from broadstreet.pipeline.syndromes import hearing
from broadstreet.records.columns import ASSIGNMENTS
from broadstreet.records.specimen import Examined
from broadstreet.store import syndromes as store
from broadstreet.store.casebook import open_for_writing, open_tables
from broadstreet.store.questions import Questions
from broadstreet.store.table import append_if_unchanged
from broadstreet.store.tidying import tidy
from tests.store.examined import case, sample

SEED, PARTS, WRITERS = 1854, 4, 3


def scanned(url: str, found: list[Examined]) -> Scan:
    """A scan that finds these, and reads those that are new."""
    book = open_for_writing(url)
    one = Scan(book, url, ("made",), "none")
    known = {examined.specimen.specimen_id: examined for examined in found}
    list(
        one.outcomes(
            (examined.specimen for examined in found),
            lambda new: (known[specimen.specimen_id] for specimen in new),
            lambda _: None,
        )
    )
    book.close()
    return one


def added(url: str, found: list[Examined]) -> None:
    """The same, of a scan that is killed after its last batch."""
    book = open_for_writing(url)
    book.add(found, book.begin(["made"], "test"), "none", case(found[0]).reader_version)
    book.close()


def kept(url: str) -> dict[str, str]:
    """The syndrome of each trace, as it stands in the casebook."""
    with Questions(url) as questions:
        rows = questions.answer("SELECT trace_id, syndrome FROM raw_assignments").to_pylist()
    assert len(rows) == len({row["trace_id"] for row in rows})
    return {row["trace_id"]: row["syndrome"] for row in rows}


def versions(url: str) -> list[str]:
    with Questions(url) as questions:
        return questions.answer("SELECT verb FROM raw_commits ORDER BY number")["verb"].to_pylist()


def test_a_scan_keeps_the_syndromes_of_its_cases_in_one_version(tmp_path: Path) -> None:
    url = str(tmp_path)
    assert scanned(url, list(sample())).ungrouped is None
    with Questions(url) as questions:
        grouping = grouped(questions)
    assert (grouping.new.num_rows, len(set(kept(url).values()))) == (0, len(grouping.syndromes))
    assert versions(url).count("group") == 1


def test_an_assignment_stays_when_more_cases_come_in_whatever_order(tmp_path: Path) -> None:
    url, crashes = str(tmp_path), list(sample())
    Random(SEED).shuffle(crashes)
    before: dict[str, str] = {}
    for part in range(PARTS):
        scanned(url, crashes[part::PARTS])
        now = kept(url)
        assert before.items() <= now.items()
        assert len(now) > len(before)
        before = now


def test_a_scan_of_nothing_new_adds_no_version(tmp_path: Path) -> None:
    url = str(tmp_path)
    scanned(url, list(sample()))
    before = versions(url)
    scanned(url, list(sample()))
    assert versions(url) == before


def test_what_a_scan_that_was_killed_left_ungrouped_the_next_one_groups(tmp_path: Path) -> None:
    url = str(tmp_path)
    added(url, list(sample()))
    assert kept(url) == {}
    with Questions(url) as questions:
        expected = set(grouped(questions).syndromes)
    scanned(url, list(sample()))
    assert set(kept(url).values()) == expected


def test_assignments_that_were_not_named_are_named_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path)
    added(url, list(sample()))
    book = open_for_writing(url)
    monkeypatch.setattr(type(book), "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        keep_new(book, url)
    monkeypatch.undo()
    book.close()
    assert kept(url) == {}
    scanned(url, list(sample()))
    found = kept(url)
    assert found
    assert open_tables(url)[2][ASSIGNMENTS.name].to_pyarrow_table().num_rows == len(found)
    assert versions(url)[-1] == "group"


def test_writers_at_once_put_each_trace_into_one_syndrome(tmp_path: Path) -> None:
    """Others may name the version before its writer does; that keeps nothing twice."""
    url = str(tmp_path)
    added(url, list(sample()))
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        counts = pool.map(keeping, [url] * WRITERS)
    assert sum(counts) == len(kept(url)) > 0
    assert "group" in versions(url)


def test_the_slower_of_two_writers_groups_again_upon_what_the_faster_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, crashes = str(tmp_path), list(sample())
    added(url, crashes[:20])
    faster = iter([True])

    def slow(questions: Questions) -> object:
        found = grouped(questions)
        if next(faster, False):
            with hearing(url, "ann") as heard:
                heard.name(heard.grouping.syndromes[0], "drain")
        return found

    monkeypatch.setattr(module, "grouped", slow)
    book = open_for_writing(url)
    assert keep_new(book, url) == 0
    book.close()
    assert kept(url)


def test_rows_that_rest_on_a_version_are_not_added_to_a_later_one(tmp_path: Path) -> None:
    url = str(tmp_path)
    scanned(url, list(sample())[:20])
    then = open_tables(url)[2][ASSIGNMENTS.name]
    rows = then.to_pyarrow_table()
    scanned(url, list(sample()))
    before = kept(url)
    assert not append_if_unchanged(then, ASSIGNMENTS, rows)
    assert kept(url) == before


def test_a_casebook_that_takes_no_more_leaves_every_case_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise CasebookError("assignments: No space left on device")

    url = str(tmp_path)
    monkeypatch.setattr(store, "append_if_unchanged", full)
    one = scanned(url, list(sample()))
    assert one.ungrouped == "assignments: No space left on device"
    with Questions(url) as questions:
        assert questions.answer("SELECT count(*) AS n FROM cases")["n"][0].as_py() == len(sample())
    assert kept(url) == {}
    monkeypatch.undo()
    assert scanned(url, list(sample())).ungrouped is None
    assert kept(url)


def test_tidying_leaves_nothing_to_be_kept_again(tmp_path: Path) -> None:
    url = str(tmp_path)
    scanned(url, list(sample()))
    before = kept(url)
    book = open_for_writing(url, alone=True)
    tidy(book, url, None, None, now=True)
    book.close()
    tidied = versions(url)
    scanned(url, list(sample()))
    assert (versions(url), kept(url)) == (tidied, before)


def test_what_people_said_stays_when_more_is_scanned(tmp_path: Path) -> None:
    url, crashes = str(tmp_path), list(sample())
    scanned(url, crashes[:30])
    with hearing(url, "ann") as heard:
        own = heard.name(heard.grouping.syndromes[0], "drain")
    scanned(url, crashes)
    with Questions(url) as questions:
        assert grouped(questions).names == {own: "drain"}


def keeping(url: str) -> int:
    book = open_for_writing(url)
    try:
        return keep_new(book, url)
    finally:
        book.close()


def killed(*_: object, **__: object) -> int:
    raise KeyboardInterrupt
