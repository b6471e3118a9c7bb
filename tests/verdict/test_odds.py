"""Odds as they are told along an argument."""

import pytest

from broadstreet.records.weights import Interval
from broadstreet.verdict.judging import multiplied, odds_of
from broadstreet.verdict.sentences import said


def test_odds_start_at_those_before_any_evidence_and_take_each_ratio_in_turn() -> None:
    assert list(multiplied(0.05, [2.0, 10.0])) == pytest.approx([0.05, 0.1, 1.0])


def test_odds_of_a_certainty_are_bounded() -> None:
    assert odds_of(0.75) == pytest.approx(3.0)
    assert odds_of(1.0) == pytest.approx(1e9, rel=1e-3)


def test_a_verdict_that_is_held_says_no_certainty() -> None:
    assert said("undetermined", "capture fell", 0.9, Interval(0.9, 0.8, 0.95)) == ("Held", "")


def test_what_cannot_be_told_says_between_which_probabilities_it_lies() -> None:
    assert said("undetermined", None, 0.6, Interval(0.6, 0.4, 0.7)) == ("Cannot tell", "hardware with 40% to 70%")


def test_where_a_law_keeps_it_from_being_told_the_odds_are_not_said() -> None:
    assert said("undetermined", None, 0.9, Interval(0.99, 0.98, 0.99)) == ("Cannot tell", "")
