"""Benjamini-Hochberg against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from broadstreet.statistics.discoveries import discovered, q_values


@given(st.lists(st.floats(1e-12, 1), min_size=1, max_size=40))
def test_corrected_values_are_those_of_statsmodels(p: list[float]) -> None:
    assert q_values(p, len(p)) == pytest.approx(multipletests(p, method="fdr_bh")[1])


@given(st.lists(st.floats(1e-12, 0.2), min_size=1, max_size=20), st.integers(0, 500))
def test_those_not_given_count_as_one(p: list[float], more: int) -> None:
    whole = multipletests([*p, *[1.0] * more], method="fdr_bh")[1]
    assert q_values(p, len(p) + more) == pytest.approx(whole[: len(p)])


def test_a_corrected_value_by_hand() -> None:
    assert q_values([0.03, 0.001, 0.01], 10) == pytest.approx([0.1, 0.01, 0.05])
    assert discovered([0.03, 0.001, 0.01], 10, 0.05).tolist() == [False, True, True]


def test_nothing_asked_is_nothing_found() -> None:
    assert q_values([], 0).tolist() == []


def test_more_answers_than_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="2 answers to 1 questions"):
        q_values([0.1, 0.2], 1)


def test_among_nulls_alone_a_discovery_is_as_rare_as_the_rate() -> None:
    generator = np.random.default_rng(2)
    found = [discovered(generator.random(200), 200, 0.05).any() for _ in range(2000)]
    assert np.mean(found) < 0.065
