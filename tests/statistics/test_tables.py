"""Fisher's exact test against scipy.stats and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from broadstreet.statistics.tables import Margins, fisher, smallest_p

CELLS = st.integers(0, 60)


@given(CELLS, CELLS, CELLS, CELLS)
def test_both_ps_are_those_of_scipy(a: int, b: int, c: int, d: int) -> None:
    told = fisher(a, b, c, d)
    table = [[a, b], [c, d]]
    assert float(told.greater) == pytest.approx(stats.fisher_exact(table, "greater").pvalue, rel=1e-6, abs=1e-14)
    assert float(told.two_sided) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6, abs=1e-14)


def test_the_lady_tasting_tea() -> None:
    assert float(fisher(3, 1, 1, 3).greater) == pytest.approx(17 / 70)
    assert float(fisher(4, 0, 0, 4).greater) == pytest.approx(1 / 70)


def test_many_tables_are_asked_at_once_in_their_shape() -> None:
    cells = np.random.default_rng(1).integers(0, 2000, (4, 20, 50))
    told = fisher(*cells)
    one = stats.fisher_exact([[cells[0, 3, 7], cells[1, 3, 7]], [cells[2, 3, 7], cells[3, 3, 7]]], "greater").pvalue
    assert told.greater.shape == told.two_sided.shape == (20, 50)
    assert told.greater[3, 7] == pytest.approx(one)
    assert np.all((told.two_sided <= 1) & (told.greater >= 1e-300))


def test_a_far_tail_keeps_its_size() -> None:
    assert float(fisher(300, 0, 0, 300).greater) == pytest.approx(float(np.exp(-414.2)), rel=0.1)


def test_an_empty_table_tells_nothing() -> None:
    assert (float(fisher(0, 0, 0, 0).greater), float(fisher(0, 0, 0, 0).two_sided)) == (1, 1)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_the_smallest_p_is_that_of_the_most_extreme_table(row: int, column: int, more: int) -> None:
    total = max(row, column) + more
    together = min(row, column)
    most = stats.fisher_exact(
        [[together, row - together], [column - together, total - row - column + together]], "greater"
    )
    possible = total - row - column + together >= 0
    assert possible
    assert float(smallest_p(Margins(row, column, total))) == pytest.approx(most.pvalue)
