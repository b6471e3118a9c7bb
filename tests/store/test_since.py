"""What is new since a moment is told by when it was read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadstreet.store.atlas import Atlas
from broadstreet.store.since import outbreaks_since, read_since, syndromes_since
from tests.store.drawn import drawn
from tests.store.fleets import crash

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    return drawn(tmp_path_factory.mktemp("since"), [crash(n, time=f"1999-01-0{n}T00:00:00Z") for n in range(1, 6)])


def test_an_old_crash_that_was_read_today_is_new(atlas: Atlas) -> None:
    [row] = read_since(atlas, LONG_AGO).dicts()
    assert (row["cases"], row["newest"] > LONG_AGO) == (5, True)


def test_what_was_read_before_is_not_new(atlas: Atlas) -> None:
    [row] = read_since(atlas, LONG_AGO).dicts()
    later = row["newest"] + timedelta(microseconds=1)
    assert read_since(atlas, later).dicts()[0]["cases"] == 0
    assert read_since(atlas, row["newest"]).dicts()[0]["cases"] == 5
    assert syndromes_since(atlas, later).dicts() == []


def test_new_cases_are_those_of_syndromes_and_those_of_none(atlas: Atlas) -> None:
    [whole] = read_since(atlas, LONG_AGO).dicts()
    rows = syndromes_since(atlas, LONG_AGO).dicts()
    assert sum(row["new"] for row in rows) + whole["without"] == whole["cases"]
    assert all(row["unseen"] for row in rows)
    assert {(row["of"], row["of_unseen"]) for row in rows} == {(len(rows), len(rows))}


def test_no_outbreak_has_new_cases_where_there_is_none(atlas: Atlas) -> None:
    assert outbreaks_since(atlas, LONG_AGO).dicts() == []


def test_an_empty_casebook_has_nothing_new(tmp_path: Path) -> None:
    empty = drawn(tmp_path, [])
    assert read_since(empty, LONG_AGO).dicts() == [{"cases": 0, "without": 0, "newest": None}]
    assert syndromes_since(empty, LONG_AGO).dicts() == []
