"""Axes: ticks on Mondays and firsts of a month, in UTC; labels that do not meet."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.surfaces.charts.axes import LogScale, TimeScale, decade, round_steps
from broadstreet.surfaces.charts.lettering import figure, fitted, text_width, until, wrapped
from broadstreet.surfaces.charts.svg import hatch

START = datetime(2026, 1, 15, tzinfo=UTC)


def labels(days: float, width: float, start: datetime = START) -> list[str]:
    scale = TimeScale(start, start + timedelta(days=days), 0, width)
    return [tick.label for tick in scale.ticks() if tick.label]


def test_ninety_days_have_firsts_of_the_month_labelled_and_mondays_as_ticks() -> None:
    ticks = TimeScale(START, START + timedelta(days=90), 0, 1240).ticks()
    assert [tick.label for tick in ticks if tick.label] == ["15 Jan 2026", "1 Feb", "1 Mar", "1 Apr"]
    mondays = [tick.at * 90 / 1240 for tick in ticks if not tick.label]
    # 19 January 2026 is a Monday.
    assert [round(at) for at in mondays] == [4 + 7 * week for week in range(13)]


def test_a_narrow_axis_leaves_the_year_to_the_page() -> None:
    assert labels(90, 360) == ["15 Jan", "1 Feb", "1 Mar", "1 Apr"]


def test_two_weeks_have_mondays_and_days() -> None:
    assert labels(14, 1240)[:4] == ["15 Jan 2026", "16 Jan", "17 Jan", "18 Jan"]


def test_two_days_have_hours() -> None:
    assert labels(2, 1240) == ["15 Jan 2026", "06:00", "12:00", "18:00", "16 Jan", "06:00", "12:00", "18:00"]


def test_years_have_januaries() -> None:
    assert labels(3 * 366, 400) == ["15 Jan", "1 Jan 2027", "1 Jan 2028"]


def test_a_time_in_another_zone_has_its_day_in_utc() -> None:
    there = timezone(timedelta(hours=9))
    assert labels(90, 360, datetime(2026, 1, 15, 3, tzinfo=there))[0] == "14 Jan"


@given(st.floats(0.02, 4000), st.floats(150, 1600))
def test_labels_of_an_axis_never_meet_and_stay_on_it(days: float, width: float) -> None:
    shown = [tick for tick in TimeScale(START, START + timedelta(days=days), 0, width).ticks() if tick.label]
    for one, other in itertools.pairwise(shown):
        assert one.at + 4 + text_width(one.label) <= other.at + 4
    assert all(one.at + text_width(one.label) <= width for one in shown[1:])


def test_a_decade_is_as_long_as_another() -> None:
    scale = LogScale(0.01, 10_000, 0, 600)
    assert [round(scale.x(value), 6) for value in (0.001, 0.01, 0.1, 1, 10_000, 1e9)] == [0, 0, 100, 200, 600, 600]
    assert [decade(value) for value in scale.tens()] == ["0.01", "0.1", "1", "10", "100", "1,000", "10,000"]


@pytest.mark.parametrize(
    ("top", "most", "steps"), [(2, 3, [1, 2]), (14, 3, [5, 10]), (1, 3, [1]), (2_400, 2, [1_000, 2_000])]
)
def test_grid_lines_are_round_numbers(top: float, most: int, steps: list[float]) -> None:
    assert round_steps(top, most) == steps


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (0.0123, "0.012"), (2.64, "2.6"), (0.999, "1.0"), (34.2, "34"), (1200, "1,200")]
)
def test_a_figure_has_two_digits_below_ten(value: float, shown: str) -> None:
    assert figure(value) == shown


def test_an_end_at_midnight_is_the_day_before() -> None:
    assert until(datetime(2026, 4, 15, tzinfo=UTC)) == "14 Apr"
    assert until(datetime(2026, 4, 15, 6, 30, tzinfo=UTC)) == "15 Apr 06:30"


@given(st.text(max_size=300), st.floats(20, 400))
def test_text_is_cut_to_its_room(words: str, room: float) -> None:
    assert text_width(fitted(words, room)) <= room
    assert all(text_width(line) <= room for line in wrapped(words, room, 3))
    assert len(wrapped(words, room, 3)) <= 3


@given(st.floats(1, 200), st.floats(1, 200))
def test_a_hatch_stays_within_its_rectangle(width: float, height: float) -> None:
    numbers = [float(one) for one in hatch(10, 20, width, height).replace("M", " ").replace("L", " ").split()]
    assert all(9.99 <= x <= 10.01 + width for x in numbers[::2])
    assert all(19.99 <= y <= 20.01 + height for y in numbers[1::2])
