"""A curve holds every dated case of its period once, and says how many have no place on it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import curve, load
from broadstreet.surfaces.web.curves import MarkTold, begin, curve_told, drawn, step_of
from tests.store.drawn import drawn as atlas_of
from tests.store.fleets import crash

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Nine dated crashes in three days, two without a time, one with the time of a file; load in two pieces."""
    crashes = [crash(n, time=(START + timedelta(hours=8 * n)).isoformat(), host=f"h{n % 2}") for n in range(9)]
    crashes += [crash(20), crash(21, host="h1"), crash(22, time=START.isoformat(), time_source="mtime")]
    whole = {"from": START.isoformat(), "to": (START + timedelta(days=3)).isoformat()}
    half = whole | {"from": (START + timedelta(hours=36)).isoformat()}
    at_risk = [{"host": "h0", "exceptions": 3.0 * 86400, "host_hours": 72.0, **whole}]
    at_risk += [{"host": "h1", "exceptions": 1.5 * 86400, "host_hours": 36.0, **half}]
    return atlas_of(tmp_path_factory.mktemp("curves"), crashes, at_risk=at_risk)


@pytest.mark.parametrize("by", [None, "mechanism", "syndrome", "host"])
def test_counts_of_all_series_are_the_dated_cases(atlas: Atlas, by: str | None) -> None:
    told = curve_told(atlas, EVERYTHING, by)
    assert told is not None
    assert sum(map(sum, (one.counts for one in told.series))) == atlas.about.dated == 9
    assert all(one.cases == sum(one.counts) for one in told.series)


def test_cases_without_a_time_are_told_beside_it(atlas: Atlas) -> None:
    told = curve_told(atlas, EVERYTHING)
    assert told is not None
    assert told.undated == 3
    assert told.caption.endswith("3 cases without a time not on it")
    of_host = curve_told(atlas, Selection(conditions=(Condition("host", "is", ("h0",)),)))
    assert of_host is not None
    assert (of_host.undated, "without a time" in of_host.caption) == (0, False)


def test_a_case_before_the_curve_is_not_in_its_first_step(atlas: Atlas) -> None:
    told = curve_told(atlas, EVERYTHING, period=(START + timedelta(days=1), START + timedelta(days=2)))
    assert told is not None
    assert sum(map(sum, (one.counts for one in told.series))) + (told.outside or 0) == 9
    hours = [place for place, count in enumerate(told.series[0].counts) if count]
    assert (told.step, told.outside, hours) == ("hour", 6, [0, 8, 16])


def test_cases_before_all_time_at_risk_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    crashes = [crash(1, time=(START - timedelta(hours=3)).isoformat()), crash(2, time=START.isoformat(), host="h0")]
    fleet = [
        {"host": "h0", "from": START.isoformat(), "to": (START + timedelta(days=9)).isoformat(), "host_hours": 9.0}
    ]
    told = curve_told(atlas_of(tmp_path_factory.mktemp("early"), crashes, at_risk=fleet), EVERYTHING)
    assert told is not None
    assert (told.series[0].counts, told.outside) == ([1] + 8 * [0], 1)
    assert "1 case of other times not on it" in told.caption


def test_load_before_the_first_bin_is_in_none(atlas: Atlas) -> None:
    rows = load(atlas, EVERYTHING, START + timedelta(days=3, hours=1), 24, "exceptions").dicts()
    assert rows == []


def test_the_query_of_a_curve_gives_its_counts(atlas: Atlas) -> None:
    told = curve_told(atlas, EVERYTHING, "host")
    assert told is not None
    rows = atlas.ask(told.query).dicts()
    assert sum(row["cases"] for row in rows if row["bin"] is None) == told.undated
    assert sum(row["cases"] for row in rows if row["value"] == "h1" and row["bin"] is not None) == next(
        one.cases for one in told.series if one.value == "h1"
    )


def test_a_selected_time_is_marked_and_takes_nothing_from_the_curve(atlas: Atlas) -> None:
    told = curve_told(atlas, Selection(START + timedelta(days=1), START + timedelta(days=2)))
    assert told is not None
    assert told.selected == (START + timedelta(days=1), START + timedelta(days=2))
    assert sum(told.series[0].counts) == 9


def test_a_selection_of_another_time_marks_nothing(atlas: Atlas) -> None:
    told = curve_told(atlas, Selection(START + timedelta(days=100)))
    assert told is not None
    assert told.selected is None


def test_an_outage_that_began_before_the_curve_is_drawn_from_its_begin(atlas: Atlas) -> None:
    outage = MarkTold("outage", START - timedelta(days=1), "Collector down", until=START + timedelta(hours=5))
    over = MarkTold("outage", START - timedelta(days=2), "Collector down", until=START - timedelta(days=1))
    told = curve_told(atlas, EVERYTHING, marks=[outage, over])
    assert told is not None
    assert told.marks == [outage]
    assert "Collector down" in drawn(told, "Cases")


def test_bins_begin_where_they_say(atlas: Atlas) -> None:
    rows = curve(atlas, EVERYTHING, START, 24).dicts()
    assert [(row["bin"], row["cases"]) for row in rows] == [(0, 3), (1, 3), (2, 3), (None, 3)]
    before = curve(atlas, EVERYTHING, START + timedelta(hours=20), 24).dicts()
    assert [(row["bin"], row["cases"]) for row in before] == [(-1, 3), (0, 3), (1, 3), (None, 3)]


def test_load_is_spread_evenly_over_the_bins_that_a_piece_lies_in(atlas: Atlas) -> None:
    rows = {row["bin"]: row["per_second"] for row in load(atlas, EVERYTHING, START, 24, "exceptions").dicts()}
    # One a second on h0 for three days; on h1 one a second from the middle of the second day.
    assert rows == pytest.approx({0: 1.0, 1: 1.5, 2: 2.0})


def test_a_bin_that_what_was_observed_fills_in_part_has_the_load_of_that_part(atlas: Atlas) -> None:
    early = START - timedelta(hours=12)
    rows = {row["bin"]: row["per_second"] for row in load(atlas, EVERYTHING, early, 24, "exceptions").dicts()}
    assert rows == pytest.approx({0: 1.0, 1: 1.0, 2: 2.0, 3: 2.0})


def test_nothing_dated_and_no_fleet_has_no_curve(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> None:
    undated = atlas_of(tmp_path_factory.mktemp("undated"), [crash(1, host="h1")])
    assert curve_told(undated, EVERYTHING) is None


def test_one_dated_case_is_a_curve_of_one_case(tmp_path_factory: pytest.TempPathFactory) -> None:
    told = curve_told(atlas_of(tmp_path_factory.mktemp("one"), [crash(1, time=START.isoformat())]), EVERYTHING)
    assert told is not None
    assert [one.counts for one in told.series] == [[1]]


@pytest.mark.parametrize(
    ("days", "step"), [(0, "hour"), (4, "hour"), (4.01, "day"), (400, "day"), (401, "week"), (4000, "week")]
)
def test_longer_periods_have_longer_steps(days: float, step: str) -> None:
    assert step_of(START, START + timedelta(days=days)) == step


@pytest.mark.parametrize(
    ("step", "holds"),
    [("hour", lambda at: at.minute == 0), ("day", lambda at: at.hour == 0), ("week", lambda at: at.weekday() == 0)],
)
def test_a_step_begins_at_or_before_every_moment_in_it(step: str, holds: Callable[[datetime], bool]) -> None:
    for hours in range(200):
        at = START + timedelta(hours=hours, minutes=59, seconds=59, microseconds=hours)
        begun = begin(at, step)
        assert begun <= at < begun + timedelta(hours={"hour": 1, "day": 24, "week": 168}[step])
        assert holds(begun)
        assert (begun.second, begun.microsecond) == (0, 0)
