"""The overview: what it says is what the casebook has, and what nobody tells is not a zero."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from broadstreet.store.atlas import Atlas
from tests.store.drawn import drawn
from tests.store.fleets import crash
from tests.surfaces.web.stand_in import OnShelf, reader

START, END = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"
FLEET = [{"host": f"h{n}", "from": START, "to": END} for n in range(3)]


def told(atlas: Atlas, address: str = "/") -> dict[str, Any]:
    answer = reader(OnShelf(atlas)).get(address, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def words(atlas: Atlas, address: str = "/") -> str:
    answer = reader(OnShelf(atlas)).get(address, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Seven crashes on a fleet of three hosts, of which nobody counts the crashes."""
    crashes = [crash(n, time=f"2026-01-{n:02d}T12:00:00Z", host=f"h{n % 3}") for n in range(1, 8)]
    return drawn(tmp_path_factory.mktemp("few"), crashes, hosts=FLEET)


def test_what_is_selected_is_said_beside_what_is_not(few: Atlas) -> None:
    said = words(few, "/?is.host=h1")
    assert told(few, "/?is.host=h1")["selected"] == 3
    assert "3 of 7 crashes are selected. Answer and outbreaks are of all." in said
    assert "3 hosts, 3 crashes. Open the map" in said
    assert "are selected" not in words(few)


def test_every_number_is_that_of_its_question(few: Atlas) -> None:
    page = told(few, "/?is.host=h1")
    assert few.ask(page["queries"]["selected"]).dicts()[0]["cases"] == page["selected"]
    [most] = few.ask(page["queries"]["largest"]).dicts()
    assert (most["in_none"], most["syndromes"]) == (page["other_cases"], page["other_syndromes"])
    assert page["other_cases"] == 7


def test_where_nobody_counts_crashes_the_capture_is_not_known(few: Atlas) -> None:
    assert told(few)["capture"]["fatal"] is None
    assert "not known : nothing else counts crashes" in words(few)


def test_without_time_at_risk_nothing_is_said_to_be_explained_by_it(tmp_path: Path) -> None:
    bare = drawn(tmp_path, [crash(n, time=f"2026-01-{n:02d}T12:00:00Z", host=f"h{n % 3}") for n in range(1, 8)])
    assert "time at risk explains" not in words(bare)
    assert "its time at risk would explain" not in words(bare)


def test_hours_of_processes_are_no_load(tmp_path: Path) -> None:
    at_risk = [{**one, "host_hours": 744.0, "process_hours": 7440.0} for one in FLEET]
    atlas = drawn(tmp_path, [crash(1, time="2026-01-02T00:00:00Z", host="h1")], at_risk=at_risk)
    assert atlas.about.measures == ("host_hours", "process_hours")
    page = told(atlas)
    assert page["curve"]["strip"] is None


def test_exceptions_are_the_load_of_every_step(tmp_path: Path) -> None:
    at_risk = [{**one, "host_hours": 744.0, "exceptions": 31 * 86400.0} for one in FLEET]
    page = told(drawn(tmp_path, [crash(1, time="2026-01-02T00:00:00Z", host="h1")], at_risk=at_risk))
    assert page["curve"]["strip"]["values"] == pytest.approx([3.0] * 31)
    assert len(page["curve"]["strip"]["values"]) == len(page["curve"]["series"][0]["counts"])


def test_an_empty_casebook_says_what_to_do(tmp_path: Path) -> None:
    atlas = drawn(tmp_path, [])
    page = told(atlas)
    assert (page["cases"], page["curve"], page["outbreaks"], page["newest"]) == (0, None, [], None)
    assert "broadstreet scan" in words(atlas)


def test_undated_crashes_have_no_curve_and_no_time(tmp_path: Path) -> None:
    atlas = drawn(tmp_path, [crash(1, host="h1"), crash(2, host="h1", time=START, time_source="mtime")])
    page = told(atlas)
    assert (page["cases"], page["curve"], page["newest"]) == (2, None, None)
    assert "No case has a time." in words(atlas)


@pytest.mark.parametrize("by", ["outbreak", "mechanism", "syndrome"])
def test_the_curve_of_the_story_holds_every_dated_case_however_it_is_stacked(sample_atlas: Atlas, by: str) -> None:
    curve = told(sample_atlas, f"/?by={by}")["curve"]
    rows = sample_atlas.ask("SELECT time FROM crashes WHERE dated").dicts()
    columns = [sum(counts) for counts in zip(*(one["counts"] for one in curve["series"]), strict=True)]
    wanted = [0] * len(columns)
    for row in rows:
        wanted[(row["time"].date() - rows[0]["time"].fromisoformat(curve["start"]).date()).days] += 1
    assert curve["step"] == "day"
    assert columns == wanted
    assert curve["undated"] == sample_atlas.about.cases - sample_atlas.about.dated
    assert curve["outside"] == 0


def test_the_rates_of_the_story_are_those_of_its_rows(sample_atlas: Atlas) -> None:
    page = told(sample_atlas)
    [machine] = [one for one in page["outbreaks"] if one["verdict"] == "hardware"]
    [name] = {
        row["physical_host"]
        for row in sample_atlas.ask(f"SELECT physical_host FROM crashes WHERE outbreak = {machine['rank']}").dicts()
    }
    [row] = sample_atlas.ask(
        f"SELECT sum(host_hours) FILTER (physical_host = '{name}') AS hours, "
        f"(SELECT count(*) FROM crashes WHERE episode AND outbreak = {machine['rank']}) AS episodes FROM pieces"
    ).dicts()
    assert machine["rate"]["value"] == pytest.approx(row["episodes"] / row["hours"] * 1e5, rel=0.01)
    assert machine["rate"]["low"] < machine["rate"]["value"] < machine["rate"]["high"]
