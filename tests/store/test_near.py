"""What is asked of an atlas for one case and one place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadstreet.errors import NotInCasebook, UsageError
from broadstreet.records.selection import EVERYTHING, Condition
from broadstreet.store import near
from broadstreet.store.atlas import Atlas
from tests.store.fleets import book, crash
from tests.surfaces.web.drawn import pages_of


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atlas]:
    """Five crashes on two hosts, a minute between the first two; labels whose names are hard to tell apart."""
    folder: Path = tmp_path_factory.mktemp("near")
    labels = (("Team", "red"), ("team", "blue"), ("a\0b", "x"), ("a\0c", "y"))
    crashes = [
        crash(0xAA00, host="one", time="2026-03-01T00:00:00Z", labels=labels),
        crash(0xAA01, host="one", time="2026-03-01T00:01:00Z", labels=labels),
        crash(0xBB00, host="two", time="2026-03-01T00:02:00Z", labels=(("Team", "red"),)),
        crash(0xCC00, host="two", time="2026-03-01T00:04:00Z"),
        crash(0xDD00, host="two", time=None),
    ]
    book(folder / "book", crashes).close()
    with pages_of(str(folder / "book"), folder / "cache") as read:
        yield read.atlas


def test_a_case_is_found_by_the_beginning_of_its_id(atlas: Atlas) -> None:
    whole = f"{0xBB00:032x}"
    assert near.case_row(atlas, whole[:-1])["case_id"] == whole
    assert near.case_row(atlas, whole)["host"] == "two"


def test_a_beginning_of_several_ids_and_of_none_is_refused(atlas: Atlas) -> None:
    with pytest.raises(UsageError, match="Several"):
        near.case_row(atlas, f"{0xAA00:032x}"[:-1])
    with pytest.raises(NotInCasebook):
        near.case_row(atlas, "f" * 8)


def test_counts_are_those_of_their_selections(atlas: Atlas) -> None:
    asked = {name: EVERYTHING._replace(conditions=(Condition("host", "is", (name,)),)) for name in ("one", "two")}
    assert near.counts(atlas, {**asked, "all": EVERYTHING}) == {"one": 2, "two": 3, "all": 5}
    assert near.counts(atlas, {}) == {}
    assert atlas.ask(near.count_of(atlas, asked["two"])).rows["cases"].to_pylist() == [3]


def test_an_average_minute_is_counted_from_the_first_to_the_last_dated_case(atlas: Atlas) -> None:
    assert near.a_minute(atlas) == pytest.approx(4 / 4)


def test_names_that_are_alike_are_found_either_way(atlas: Atlas) -> None:
    assert near.alike(atlas, "host", "ON") == ["one"]
    assert near.alike(atlas, "host", "host-two.example") == ["two"]
    assert near.alike(atlas, "host", "'; DROP TABLE crashes; --") == []


def test_a_place_without_time_at_risk_tells_what_its_cases_show(atlas: Atlas) -> None:
    rows = near.shown(atlas, "host", "one", ["label Team"]).dicts()
    assert [(row["value"], row["cases"], row["at_risk"]) for row in rows] == [("red", 2, None)]
    assert near.at_risk(atlas, "host", "one") == {"first": None, "last": None, "at_risk": None}


def test_labels_that_differ_in_letter_case_are_two_exposures(atlas: Atlas) -> None:
    row = near.case_row(atlas, f"{0xAA00:032x}")
    assert (row["label Team"], row["label team 2"]) == ("red", "blue")
    assert not any("\0" in name for name in row)
