"""An epidemic curve: which bin a case falls into, and how wide bins are."""

from datetime import UTC, datetime, timedelta

import pytest

from broadstreet.population.curve import curves

START = datetime(2026, 1, 15, tzinfo=UTC)


def test_ninety_days_in_forty_five_bins_are_two_days_each() -> None:
    assert curves({}, [[]], START, START + timedelta(days=90), 45).hours == 48
    assert curves({}, [[]], START, START + timedelta(days=90), 44).hours == 72


@pytest.mark.parametrize(
    ("span", "hours"),
    [
        (timedelta(hours=10), 1),
        (timedelta(days=2), 2),
        (timedelta(days=45), 24),
        (timedelta(days=365), 14 * 24),
        (timedelta(days=3650), 112 * 24),
    ],
)
def test_bins_are_spans_that_a_person_reads(span: timedelta, hours: int) -> None:
    assert curves({}, [[]], START, START + span, 45).hours == hours


def test_a_case_falls_into_the_bin_that_begins_at_its_time() -> None:
    times = {"first": START, "last of the bin": START + timedelta(hours=47, minutes=59), "next": START + timedelta(2)}
    drawn = curves(times, [list(times)], START, START + timedelta(days=90), 45)
    assert drawn.rows[0][:3] == (2, 1, 0)
    assert sum(drawn.rows[0]) == 3


def test_days_begin_at_midnight_wherever_the_observation_begins() -> None:
    noon = START + timedelta(hours=12)
    drawn = curves({"a": START + timedelta(hours=25)}, [["a"]], noon, noon + timedelta(days=40), 45)
    assert drawn.start == START
    assert drawn.rows[0][:2] == (0, 1)


def test_groups_share_one_scale() -> None:
    times = {"a": START, "b": START, "c": START}
    assert curves(times, [["a"], ["b", "c"]], START, START + timedelta(days=9), 45).most == 2


def test_a_case_without_a_time_is_undated_and_in_no_bin() -> None:
    drawn = curves({"a": START}, [["a", "b"]], START, START + timedelta(days=9), 45)
    assert (sum(drawn.rows[0]), drawn.undated) == (1, 1)


def test_a_case_outside_of_what_was_observed_is_in_the_first_or_the_last_bin() -> None:
    times = {"before": START - timedelta(days=3), "after": START + timedelta(days=99)}
    drawn = curves(times, [["before", "after"]], START, START + timedelta(days=9), 45)
    assert (drawn.rows[0][0], drawn.rows[0][-1]) == (1, 1)


def test_an_observation_of_no_length_has_one_bin() -> None:
    assert curves({"a": START}, [["a"]], START, START, 45).rows == ((1,),)
