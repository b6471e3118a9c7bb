"""The scan of a tree: its ratio by hand, its level by simulation, and which level it names."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from broadstreet.statistics.tree import Level, best_of_tree, scan_ratio

HOSTS, IN_A_RACK = 2000, 40
RACK = np.arange(HOSTS) // IN_A_RACK


def levels(hosts: NDArray[np.int64]) -> list[Level]:
    share = np.full(HOSTS, 1 / HOSTS)
    return [Level(hosts, share, RACK), Level(np.bincount(RACK, hosts), np.bincount(RACK, share))]


def scattered(cases: int, seed: int) -> NDArray[np.int64]:
    return np.bincount(np.random.default_rng(seed).integers(0, HOSTS, cases), minlength=HOSTS)


def test_the_ratio_by_hand() -> None:
    told = scan_ratio([5, 1, 0, 10], [1, 1, 1, 1], 10)
    assert told == pytest.approx([5 * math.log(5) + 5 * math.log(5 / 9), 0, 0, 10 * math.log(10)])


def test_a_cell_with_less_than_expected_has_no_ratio() -> None:
    assert scan_ratio(1, 5, 10) == 0


def test_a_bad_host_is_named_as_that_host() -> None:
    hosts = scattered(100, 1)
    hosts[77] += 5
    best = best_of_tree(levels(hosts), 105, np.random.default_rng(2))
    assert (best.level, best.index) == (0, 77)
    assert best.p < 1e-4


def test_a_bad_rack_whose_hosts_have_one_case_each_is_named_as_that_rack() -> None:
    hosts = scattered(100, 3)
    hosts[400:412] += 1
    best = best_of_tree(levels(hosts), 112, np.random.default_rng(2))
    assert (best.level, best.index, best.how) == (1, 10, "gumbel")
    assert best.p <= 0.001


def test_without_an_outbreak_the_level_is_held() -> None:
    generator = np.random.default_rng(5)
    ps = [best_of_tree(levels(scattered(1500, seed)), 1500, generator, 199).p for seed in range(150)]
    assert np.mean(np.asarray(ps) <= 0.05) <= 0.1
    assert np.mean(np.asarray(ps) <= 0.5) <= 0.6


def test_a_fleet_whose_hosts_differ_has_no_outbreak_if_told_so() -> None:
    generator = np.random.default_rng(5)
    naive, told = [], []
    for _ in range(20):
        hosts = generator.multinomial(4000, (rates := generator.gamma(1, 1, HOSTS)) / rates.sum())
        naive.append(best_of_tree(levels(hosts), 4000, generator, 99).p)
        told.append(best_of_tree(levels(hosts), 4000, generator, 99, dispersion=1.0).p)
    assert np.mean(np.asarray(naive) <= 0.05) > 0.9
    assert np.mean(np.asarray(told) <= 0.05) <= 0.2


def test_what_has_no_known_parent_and_what_no_host_holds_is_part_of_the_null() -> None:
    """Half of the rack's time at risk is on hosts that nobody named: its cases come from there."""
    tree = [Level([1, 0], [0.1, 0.1], [0, -1]), Level([30], [0.6])]
    best = best_of_tree(tree, 50, np.random.default_rng(1))
    assert best.p > 0.3


def test_the_same_generator_gives_the_same_answer() -> None:
    hosts = scattered(500, 9)
    one, other = (best_of_tree(levels(hosts), 500, np.random.default_rng(4)) for _ in range(2))
    assert one == other


def test_drawing_stops_when_enough_reached_it() -> None:
    assert best_of_tree(levels(scattered(1500, 1)), 1500, np.random.default_rng(4), 9999).permutations < 9999
