"""What is new since a reader last looked: every case that was read since, of a syndrome or of none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broadstreet.store.atlas import Atlas
from tests.store.drawn import drawn
from tests.store.fleets import crash
from tests.surfaces.web.stand_in import OnShelf, reader


def told(atlas: Atlas, address: str = "/new?since=2000-01-01") -> dict[str, Any]:
    answer = reader(OnShelf(atlas)).get(address, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def named(number: int, name: str) -> Any:
    """A crash whose whole stack has functions of its own."""
    one = crash(number, time=f"2020-01-01T{number // 60:02d}:{number % 60:02d}:00Z")
    frames = tuple(frame._replace(function=f"{name}_{place}") for place, frame in enumerate(one.frames))
    return replace(one, frames=frames)


def bare(number: int) -> Any:
    """A crash of whose stack nothing is known."""
    one = crash(number, time="2020-01-01T12:00:00Z")
    return replace(one, frames=(), below_sp=(), handler_frames=())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Sixty crashes that have nothing in common but that they were read today, and two of which no frame is known."""
    crashes = [named(n, f"only{n * 7919}of{'abcdefghij'[n % 10] * 9}") for n in range(60)]
    return drawn(tmp_path_factory.mktemp("many"), [*crashes, bare(100), bare(101)])


def test_new_cases_are_those_of_every_listed_syndrome_of_more_and_of_none(many: Atlas) -> None:
    page = told(many)
    [counts] = many.ask(
        'SELECT count(DISTINCT "syndrome") AS syndromes, count(*) FILTER ("syndrome" IS NULL) AS without FROM crashes'
    ).dicts()
    assert page["cases"] == 62
    assert len(page["syndromes"]) + page["more"] == counts["syndromes"]
    assert f"{counts['syndromes']} new syndrome" in page["heading"]
    assert counts["without"] == 2
    assert "2 of no syndrome" in page["heading"]


def test_every_count_is_that_of_its_question(many: Atlas) -> None:
    page = told(many)
    assert many.ask(page["queries"][0]).dicts()[0]["cases"] == page["cases"]
    assert many.ask(page["queries"][1]).dicts() == []
    assert [(row["syndrome"], row["new"], row["cases"]) for row in many.ask(page["queries"][2]).dicts()] == [
        (one["syndrome"], one["new"], one["cases"]) for one in page["syndromes"]
    ]


def test_without_a_moment_it_is_the_seven_days_before_the_newest_reading(many: Atlas) -> None:
    assert told(many, "/new")["cases"] == 62


def test_of_the_future_nothing_is_new(many: Atlas) -> None:
    page = told(many, "/new?since=2100-01-01")
    assert (page["heading"], page["cases"], page["syndromes"], page["more"]) == ("Nothing new.", 0, [], 0)


def test_a_moment_that_is_none_is_refused(many: Atlas) -> None:
    answer = reader(OnShelf(many)).get("/new?since=yesterday", headers={"accept": "application/json"})
    assert (answer.status_code, "yesterday" in answer.text) == (400, True)


def test_cases_of_no_syndrome_are_of_no_known_one(tmp_path: Path) -> None:
    page = told(drawn(tmp_path, [bare(1)]))
    assert page["heading"] == "1 case, no syndrome. No new outbreak."


def test_the_outbreaks_of_the_story_are_all_new_at_first(sample_atlas: Atlas) -> None:
    page = told(sample_atlas)
    [counts] = sample_atlas.ask("SELECT count(*) AS cases, count(DISTINCT outbreak) AS outbreaks FROM crashes").dicts()
    assert (page["cases"], len(page["outbreaks"])) == (counts["cases"], counts["outbreaks"])
    assert all(one["all_new"] for one in page["outbreaks"])
    assert f"{counts['outbreaks']} new outbreaks" in page["heading"]
