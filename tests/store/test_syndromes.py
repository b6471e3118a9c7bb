"""Assignments and events in a casebook: kept once, newest first, and absent from an older one."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from broadstreet.pipeline.grouping import keep_new
from broadstreet.records.columns import GROUPING
from broadstreet.store import syndromes as store
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.forgetting import What, forget
from broadstreet.store.questions import Questions
from broadstreet.store.syndromes import Event, aliases, called
from tests.store.examined import case, sample

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def event(number: int, kind: str, syndrome: str | None, other: str | None, text: str | None = None) -> Event:
    return Event(number, kind, syndrome, other, text, "ann", NOW)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A casebook of forty crashes of which nothing was grouped yet."""
    book = open_for_writing(str(tmp_path))
    book.add(sample(), book.begin(["made"], "test"), "none", case(sample()[0]).reader_version)
    book.close()
    return str(tmp_path)


def kept(url: str) -> int:
    book = open_for_writing(url)
    try:
        return keep_new(book, url)
    finally:
        book.close()


def test_a_casebook_in_which_nothing_was_grouped_has_no_such_tables_and_empty_views(url: str) -> None:
    with Questions(url) as questions:
        assert not {table.name for table in GROUPING} & {table.name for table in questions.tables()}
        for view in ("assignments", "syndromes"):
            assert [batch.num_rows for batch in questions.ask(f"select * from {view}")] == [0]


def test_what_is_kept_is_a_version_of_its_own(url: str) -> None:
    assert kept(url) > 0
    with Questions(url) as questions:
        commits = questions.answer("SELECT verb FROM raw_commits ORDER BY number")
        assert commits["verb"].to_pylist()[-1] == "group"


def test_nothing_is_kept_twice(url: str) -> None:
    kept(url)
    assert kept(url) == 0


def test_an_older_version_knows_nothing_of_what_was_grouped_later(url: str) -> None:
    with Questions(url) as questions:
        before = questions.version.number
    kept(url)
    with Questions(url, before) as questions:
        assert store.kept(questions).num_rows == 0


def test_the_views_count_every_case_once(url: str) -> None:
    kept(url)
    with Questions(url) as questions:
        assert questions.answer('SELECT count(*) AS n FROM "assignments"')["n"][0].as_py() == len(sample())
        assert questions.answer("SELECT sum(cases) AS n FROM syndromes")["n"][0].as_py() == len(sample())


def test_the_newest_assignment_of_a_trace_counts(url: str) -> None:
    kept(url)
    with Questions(url) as questions:
        row = store.kept(questions).to_pylist()[0]
    book = open_for_writing(url)
    store.keep(book, store.rows_of([row | {"syndrome": "S-moved"}]), [], "moved")
    book.close()
    with Questions(url) as questions:
        newest = {one["trace_id"]: one["syndrome"] for one in store.kept(questions).to_pylist()}
    assert newest[row["trace_id"]] == "S-moved"


def test_the_view_shows_a_merged_syndrome_under_its_name_of_now(url: str) -> None:
    kept(url)
    with Questions(url) as questions:
        ids = questions.answer("SELECT DISTINCT syndrome FROM raw_assignments ORDER BY 1")["syndrome"].to_pylist()
    book = open_for_writing(url)
    chain = [event(n + 1, "merge", one, other) for n, (one, other) in enumerate(pairwise(ids))]
    store.keep(book, store.rows_of([]), chain, "one")
    book.close()
    with Questions(url) as questions:
        assert questions.answer("SELECT syndrome, cases FROM syndromes").to_pylist() == [
            {"syndrome": ids[-1], "cases": len(sample())}
        ]


def test_two_events_never_share_a_number(url: str) -> None:
    book = open_for_writing(url)
    assert store.say(book, event(1, "name", "S-1", None, "one")) == 1
    assert store.say(book, event(1, "name", "S-1", None, "two")) == 2
    book.close()


def test_aliases_that_contradict_one_another_do_not_go_in_circles() -> None:
    into = aliases([event(1, "merge", "a", "b"), event(2, "merge", "b", "c"), event(3, "merge", "c", "a")])
    assert {called(one, into) for one in "abc"} == {"c"}


def test_forgetting_a_case_forgets_the_assignment_of_a_trace_that_nobody_else_left(url: str) -> None:
    kept(url)
    with Questions(url) as questions:
        alone = questions.answer(
            "SELECT min(case_id) AS case_id, trace_id FROM current_cases GROUP BY trace_id HAVING count(*) = 1 LIMIT 1"
        ).to_pylist()[0]
    book = open_for_writing(url, alone=True)
    forgotten = forget(book, url, What(case_id=alone["case_id"]))
    book.close()
    assert forgotten.found == ()
    with Questions(url) as questions:
        assert store.why(questions, alone["trace_id"]) is None
        assert store.kept(questions).num_rows > 0
