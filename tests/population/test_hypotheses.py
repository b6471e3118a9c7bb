"""The hypotheses that ship, and what they say of what was observed."""

import pytest

from broadstreet.errors import UsageError
from broadstreet.population.hypotheses import (
    chance,
    dose_response,
    plausibility,
    quantity,
    ranges,
    solution,
    span,
    templates,
)
from broadstreet.records.hypothesis import Range


def exactly(value: float) -> Range:
    return Range(value, value, value)


RACE = {"window": exactly(1e-10), "harm": exactly(1.0)}


@pytest.mark.parametrize(
    ("period", "rate", "hours"), [(1e-3, 1e4, 0.28), (5e-3, 1e3, 13.9), (10e-3, 1e4, 2.8)], ids=str
)
def test_a_race_by_hand(period: float, rate: float, hours: float) -> None:
    """tau / (w * r): the figures of the arithmetic that the story's engineers did."""
    settings = RACE | {"interrupt_rate": exactly(1 / period), "operation_rate": exactly(rate)}
    told = plausibility("signal_race", settings, 1, 100.0, seed=1)
    assert told.hours_between.value == pytest.approx(hours, rel=0.01)


def test_two_streams_that_overlap_by_hand() -> None:
    # 10 a second and 20 a second, 1 ms: 0.2 overlaps a second, 720 an hour.
    settings = {name: exactly(value) for name, value in (("window", 1e-3), ("first_rate", 10), ("second_rate", 20))}
    told = plausibility("lock_order_race", settings | {"harm": exactly(1)}, 720, 1.0, seed=1)
    assert told.hours_between.value == pytest.approx(1 / 720)
    assert told.answer == "compatible"


def test_flipped_bits_by_hand() -> None:
    # 100 FIT/Mbit in 64 GiB (524,288 Mbit): 52,428,800 failures in 1e9 hours; a quarter of them crash.
    settings = {"fit_per_mbit": exactly(100), "memory": exactly(64), "harm": exactly(0.25)}
    told = plausibility("soft_error", settings, 0, 1.0, seed=1)
    assert told.hours_between.value == pytest.approx(1e9 / (52_428_800 / 4))


@pytest.mark.parametrize("name", list(templates()))
def test_every_factor_has_a_meaning_and_every_usual_range_a_source(name: str) -> None:
    for factor in templates()[name].factors.values():
        assert factor.means
        assert bool(factor.source) == (factor.usual is not None)
        assert factor.usual is None or 0 < factor.usual.low <= factor.usual.mid <= factor.usual.high
        assert [mark.least for mark in factor.landmarks] == sorted(mark.least for mark in factor.landmarks)


def test_a_window_that_would_have_to_be_milliseconds_is_a_lock() -> None:
    settings = {"operation_rate": exactly(1.0), "interrupt_rate": exactly(1.0), "harm": exactly(1.0)}
    told = solution("signal_race", "window", settings, 1200, 100.0, seed=1)
    assert told.value.value == pytest.approx(1200 / 360_000, rel=0.02)
    assert told.says == "the window must be at least 3.1 ms: look for a lock, not an instruction"


def test_a_share_that_would_have_to_be_over_one_explains_nothing() -> None:
    settings = {"window": exactly(1e-10), "operation_rate": exactly(1.0), "interrupt_rate": exactly(1.0)}
    told = solution("signal_race", "harm", settings, 100, 1.0, seed=1)
    assert told.says.startswith("no harm explains it")


def test_a_share_that_is_set_over_one_is_refused() -> None:
    with pytest.raises(UsageError, match="harm cannot be 2: it is the share of such signals"):
        plausibility("signal_race", {"operation_rate": exactly(1e3), "harm": exactly(2)}, 3, 5, 1)
    assert plausibility("signal_race", {"operation_rate": exactly(1e3), "harm": exactly(1)}, 3, 5, 1).draws


def test_a_chance_at_the_floor_is_no_value() -> None:
    assert (chance(1e-300), chance(8.5e-80), chance(0.43)) == ("under 1e-300", "8.5e-80", "0.43")


def test_the_same_seed_gives_the_same_figures() -> None:
    settings = {"operation_rate": Range(1.0, 10.0, 100.0)}
    one, other, third = (plausibility("signal_race", settings, 3, 100.0, seed) for seed in (1, 1, 2))
    assert one == other
    assert one.predicted != third.predicted or one.at_least != third.at_least


def test_a_factor_of_which_nothing_is_known_is_asked_for() -> None:
    with pytest.raises(UsageError, match="nothing is known of operation_rate") as error:
        ranges("signal_race", {})
    assert "--set operation_rate=" in error.value.hint
    assert "operation_rate" not in ranges("signal_race", {}, but="operation_rate")


@pytest.mark.parametrize(("name", "settings"), [("nonsense", {}), ("signal_race", {"gap": exactly(1.0)})])
def test_what_does_not_exist_is_refused(name: str, settings: dict[str, Range]) -> None:
    with pytest.raises(UsageError, match=r"there is no|has no factor"):
        ranges(name, settings)


@pytest.mark.parametrize(
    ("cases", "follows"),
    [
        ([10, 20, 40, 80], "in proportion"),
        ([40, 38, 41, 39], "does not follow"),
        ([1, 1, 0, 2], "cannot tell"),
        ([4, 16, 64, 256], "grows otherwise"),
    ],
)
def test_the_dose_is_followed_or_not(cases: list[int], follows: str) -> None:
    assert dose_response("abcd", [1, 2, 4, 8], cases, [100.0] * 4).follows == follows


def test_cases_without_the_dose_are_never_in_proportion_to_it() -> None:
    told = dose_response("abcd", [0, 1, 2, 4], [30, 30, 60, 120], [100.0] * 4)
    assert (told.follows, told.without_dose) == ("grows otherwise", 30)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (3.2e-3, "s", "3.2 ms"),
        (1e-10, "s", "0.1 ns"),
        (2.0, "s", "2 s"),
        (1e4, "/s", "10,000 /s"),
        (0.25, "", "25 %"),
        (1.0, "", "100 %"),
        (2.5e9, "/s", "2.5e+09 /s"),
    ],
)
def test_quantities_are_said_as_people_say_them(value: float, unit: str, said: str) -> None:
    assert quantity(value, unit) == said


def test_a_range_names_its_unit_once() -> None:
    assert span(Range(100, 300, 1000), "/s") == "100 to 1,000 /s"
    assert span(Range(1e-10, 1e-9, 1e-6), "s") == "0.1 ns to 1 µs"
    assert span(exactly(5.0), "/s") == "5 /s"
