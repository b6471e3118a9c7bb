"""Dispersion on fleets of which the truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from broadstreet.statistics.dispersion import Dispersion, dispersion

Counts = NDArray[np.int64]


def fleets(mean: float, cells: int, spread: float, seeds: int = 40, bad: tuple[int, ...] = ()) -> list[Dispersion]:
    told = []
    for seed in range(seeds):
        generator = np.random.default_rng(seed)
        rates = generator.gamma(1 / spread, spread, cells) * mean if spread else np.full(cells, mean)
        counts = generator.poisson(rates)
        counts[: len(bad)] = bad
        told.append(dispersion(counts, np.ones(cells)))
    return told


@pytest.mark.parametrize(("mean", "cells"), [(0.01, 10_000), (0.1, 10_000), (1, 10_000), (5, 300), (100, 50)])
def test_equal_hosts_have_none(mean: float, cells: int) -> None:
    told = fleets(mean, cells, 0)
    assert np.median([one.value for one in told]) < 0.05
    assert np.mean([one.p < 0.05 for one in told]) <= 0.15


@pytest.mark.parametrize(("mean", "cells", "spread"), [(1, 10_000, 1.0), (0.1, 10_000, 1.0), (100, 300, 0.25)])
def test_gamma_hosts_have_that_of_the_gamma(mean: float, cells: int, spread: float) -> None:
    told = fleets(mean, cells, spread)
    assert np.mean([one.value for one in told]) == pytest.approx(spread, rel=0.1)
    assert all(one.p < 0.05 for one in told)


@pytest.mark.parametrize("bad", [(5,), (20,) * 5, (5000,)])
@pytest.mark.parametrize(("mean", "cells"), [(0.01, 10_000), (0.1, 10_000), (1, 2_000)])
def test_a_few_bad_hosts_are_no_restless_fleet(mean: float, cells: int, bad: tuple[int, ...]) -> None:
    told = fleets(mean, cells, 0, 20, bad)
    assert np.median([one.value for one in told]) < 0.2


def test_expectations_of_different_sizes_are_no_dispersion() -> None:
    generator = np.random.default_rng(1)
    expected = generator.lognormal(0, 2, 5000)
    assert dispersion(generator.poisson(expected), expected * 7).value < 0.02


def test_too_few_cases_to_tell_is_none() -> None:
    assert dispersion([3, 0, 0, 0], np.ones(4)) == Dispersion(0.0, 1.0)
    assert dispersion([], []) == Dispersion(0.0, 1.0)


def test_the_null_test_holds_its_level_where_cells_are_well_filled() -> None:
    assert np.mean([one.p < 0.05 for one in fleets(1, 3000, 0, 200)]) <= 0.09
