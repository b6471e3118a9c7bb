"""The weights that ship are those of the rules that ship, with counts that bear them out."""

import pytest

from broadstreet.lab.injection.faults import HARDWARE
from broadstreet.labels import CONTEXTS, MECHANISMS, RULES_VERSION
from broadstreet.reading.reader import READER_VERSION
from broadstreet.records.weights import STRICT, Weight
from broadstreet.verdict.weights import weights

LEAST_CRASHES, LEAST_VICTIMS = 3000, 4
ANY = "any hardware finding"


def of(finding: str, role: str = "fitted") -> Weight:
    return next(one for one in getattr(weights(), role) if one.finding == finding)


def test_they_were_counted_with_the_rules_and_the_reader_that_ship() -> None:
    assert (weights().rules_version, weights().reader_version) == (RULES_VERSION, READER_VERSION)


def test_every_finding_has_one_in_both_roles() -> None:
    labels = {ANY, *(rule.label for rule in (*MECHANISMS, *CONTEXTS))}
    assert {one.finding for one in weights().fitted} == labels
    assert {one.finding for one in weights().reported} == labels


def test_they_come_from_enough_crashes_and_programs() -> None:
    assert weights().crashes >= LEAST_CRASHES
    assert sum(one["crashes"] for one in weights().sets.values()) == weights().crashes
    runtimes = set(of(ANY).by_runtime["hardware"]) | set(of(ANY, "reported").by_runtime["hardware"])
    assert len(runtimes) >= LEAST_VICTIMS


def test_what_is_reported_comes_from_other_programs_than_what_is_fitted() -> None:
    assert not set(of(ANY).by_runtime["hardware"]) & set(of(ANY, "reported").by_runtime["hardware"])


@pytest.mark.parametrize("role", ["fitted", "reported"])
def test_counts_of_kinds_add_up(role: str) -> None:
    for one in getattr(weights(), role):
        for cause, total in (("hardware", one.hardware), ("software", one.software)):
            assert sum(count.judged for count in one.by_kind[cause].values()) == total.judged
            assert sum(count.held for count in one.by_kind[cause].values()) == total.held
        assert sum(count.judged for count in one.by_runtime["software"].values()) == one.software.judged


def test_every_kind_of_fault_was_made() -> None:
    assert set(HARDWARE) <= set(of(ANY).by_kind["hardware"])


@pytest.mark.parametrize("finding", [ANY, *STRICT])
def test_a_hardware_finding_speaks_for_hardware_beyond_its_interval(finding: str) -> None:
    ratio = of(finding).ratio
    assert ratio
    assert 1 < ratio.low < ratio.value < ratio.high


def test_every_strict_finding_is_a_mechanism() -> None:
    assert set(STRICT) <= {rule.label for rule in MECHANISMS}
