"""Tails against scipy.stats, far out too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from broadstreet.statistics.tails import binomial_tail, negative_binomial_tail, poisson_head, poisson_tail

COUNTS = st.integers(0, 5000)
SHARES = st.floats(1e-9, 1, allow_nan=False)
MEANS = st.floats(1e-9, 5000, allow_nan=False)
FAR = 1e-280
"""Under which the oracles themselves lose digits."""


def agree(ours: float, oracle: float) -> bool:
    return (ours < FAR and oracle < FAR * 10) or ours == pytest.approx(oracle, rel=1e-6)


@given(COUNTS, COUNTS, SHARES)
def test_the_binomial_tail_is_that_of_scipy(k: int, n: int, share: float) -> None:
    assert agree(float(binomial_tail(k, n, share)), float(stats.binom.sf(k - 1, n, share)))


@given(COUNTS, MEANS)
def test_the_poisson_tail_and_head_are_those_of_scipy(k: int, mean: float) -> None:
    assert agree(float(poisson_tail(k, mean)), float(stats.poisson.sf(k - 1, mean)))
    assert agree(float(poisson_head(k, mean)), float(stats.poisson.cdf(k, mean)))


@given(st.integers(0, 500), st.floats(1e-6, 500), st.floats(1e-3, 20))
def test_the_negative_binomial_tail_is_that_of_scipy(k: int, mean: float, dispersion: float) -> None:
    size = 1 / dispersion
    assert agree(
        float(negative_binomial_tail(k, mean, dispersion)), float(stats.nbinom.sf(k - 1, size, size / (size + mean)))
    )


@pytest.mark.parametrize("dispersion", [0, 1e-15, 1e-12])
def test_no_dispersion_to_speak_of_is_the_poisson(dispersion: float) -> None:
    told = negative_binomial_tail([0, 1, 5, 50], [0.1, 1, 5, 5], dispersion)
    assert told == pytest.approx(poisson_tail([0, 1, 5, 50], [0.1, 1, 5, 5]), rel=1e-6)


def test_three_cases_on_one_of_ten_thousand_hosts_by_hand() -> None:
    # 100 cases, share 1/10,000: C(100,3) q**3 (1-q)**97, and next to nothing above.
    assert float(binomial_tail(3, 100, 1e-4)) == pytest.approx(161700 * 1e-12 * (1 - 1e-4) ** 97, rel=3e-3)


def test_nine_cases_in_50_hours_against_30_in_2000_are_not_chance() -> None:
    """The conditional binomial gives 3.3e-7; scipy's two-sided poisson_means_test would say 0.39."""
    assert float(binomial_tail(9, 39, 50 / 2050)) == pytest.approx(3.3e-7, rel=0.02)
    assert stats.poisson_means_test(9, 50, 30, 2000).pvalue > 0.3


def test_a_tail_is_never_zero_and_never_over_one() -> None:
    k = np.asarray([0, 1, 10, 10**6, 10**6])
    for told in (
        binomial_tail(k, 10**6, 1e-9),
        poisson_tail(k, 1e-9),
        poisson_head(k, 1e7),
        negative_binomial_tail(k, 1e-9, 0.5),
        binomial_tail(k, 5, 0.0),
    ):
        assert np.all((told >= 1e-300) & (told <= 1))


def test_only_an_unknown_argument_gives_an_unknown_tail() -> None:
    assert np.isnan(binomial_tail([1, np.nan], 10, 0.5)).tolist() == [False, True]
    assert np.isnan(negative_binomial_tail(1, 1, [0.0, np.nan])).tolist() == [False, True]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_nothing_or_of_all_is_certain(share: float) -> None:
    assert binomial_tail([0, 1, 10], 10, share) == pytest.approx([1, share, share], abs=1e-299)
