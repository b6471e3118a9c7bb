"""Tables in strata, against enumeration, scipy and statsmodels."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from broadstreet.statistics.margins import corner, odds_ratio


def arrays(*tables: tuple[int, int, int, int]) -> tuple[np.ndarray, ...]:
    """(here and with it, here, with it, total) of each stratum."""
    return tuple(np.array(column) for column in zip(*tables, strict=True))


def test_one_stratum_is_the_test_of_fisher() -> None:
    result = corner(*arrays((7, 8, 9, 40)))
    assert result.greater == pytest.approx(stats.fisher_exact([[7, 1], [2, 30]], alternative="greater").pvalue)
    assert result.less == pytest.approx(stats.fisher_exact([[7, 1], [2, 30]], alternative="less").pvalue)


def test_strata_are_enumerated() -> None:
    tables = [(2, 3, 4, 9), (1, 2, 2, 5), (3, 4, 5, 8)]
    chances = []
    for _, here, with_it, total in tables:
        law = stats.hypergeom(total, with_it, here)
        chances.append([(k, law.pmf(k)) for k in range(here + 1)])
    at_least = sum(np.prod([p for _, p in way]) for way in product(*chances) if sum(k for k, _ in way) >= 6)
    assert corner(*arrays(*tables)).greater == pytest.approx(at_least)


def test_a_stratum_in_which_all_are_here_says_nothing() -> None:
    assert corner(*arrays((4, 4, 4, 4), (3, 3, 3, 3))) == (1.0, 1.0, 0.0, 0)
    assert odds_ratio(*arrays((4, 4, 4, 4))) is None


def test_large_tables_are_near_the_exact_ones() -> None:
    tables = [(1_300, 5_000, 2_000, 10_000), (1_050, 4_000, 2_500, 10_000)]
    by_hand = stats.norm.sf((2_350 - 0.5 - 2_000) / np.sqrt(sum(
        h * w * (n - h) * (n - w) / n**2 / (n - 1) for _, h, w, n in tables
    )))  # fmt: skip
    assert corner(*arrays(*tables)).greater == pytest.approx(by_hand)


def test_the_ratio_and_its_interval_are_those_of_mantel_and_haenszel() -> None:
    tables = [(12, 20, 25, 80), (9, 15, 30, 60), (4, 10, 12, 50)]
    cells = [np.array([[a, h - a], [w - a, n - h - w + a]]) for a, h, w, n in tables]
    theirs = StratifiedTable(cells)
    ours = odds_ratio(*arrays(*tables))
    assert ours is not None
    assert ours.value == pytest.approx(theirs.oddsratio_pooled)
    assert (ours.low, ours.high) == pytest.approx(theirs.oddsratio_pooled_confint(0.05), rel=1e-4)


def test_an_empty_cell_gives_a_finite_ratio_with_a_wide_interval() -> None:
    ours = odds_ratio(*arrays((6, 6, 6, 30)))
    assert ours is not None
    assert 1 < ours.low < ours.value < ours.high < np.inf
