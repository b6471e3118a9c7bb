"""Keys that others made up become names that can be asked for."""

import pytest

from broadstreet.population.naming import LONGEST, exposure_names

TAKEN = ("host", "tenant")


def test_a_plain_key_is_its_own_name() -> None:
    assert exposure_names(["pool"], TAKEN) == {"pool": "pool"}


def test_a_key_that_is_a_declared_exposure_is_that_exposure() -> None:
    assert exposure_names(["tenant"], TAKEN) == {"tenant": "tenant"}


@pytest.mark.parametrize("key", ["time", "case_id", "number", "reading", "HOST", "Tenant"])
def test_a_key_that_reads_like_another_column_says_whose_it_is(key: str) -> None:
    assert exposure_names([key], TAKEN) == {f"fleet {key}": key}


def test_keys_that_differ_in_capitals_alone_are_told_apart() -> None:
    assert exposure_names(["Pool", "pool", "POOL"], ()) == {
        "Pool": "Pool",
        "fleet pool": "pool",
        "fleet POOL 2": "POOL",
    }


def test_labels_are_told_from_the_fleet_s_keys() -> None:
    assert exposure_names(["pool", "Pool"], ("label pool",), "label ") == {
        "label pool 2": "pool",
        "label Pool 3": "Pool",
    }


def test_what_cannot_be_shown_stands_as_its_code() -> None:
    assert exposure_names(["a\0\x1b\u202e"], ()) == {"a\\x00\\x1b\\u202e": "a\0\x1b\u202e"}


def test_a_name_is_never_empty() -> None:
    assert exposure_names([""], ()) == {"fleet ": ""}


def test_long_keys_are_cut_and_stay_apart() -> None:
    long = ["x" * 1000, "x" * 1001]
    names = exposure_names(long, ())
    assert list(names.values()) == long
    assert all(len(name) < LONGEST + 20 for name in names)


def test_no_exposure_has_the_name_of_what_is_counted_by_it() -> None:
    assert list(exposure_names(["cases", "Episodes", "at_risk"], ())) == [
        "fleet cases",
        "fleet Episodes",
        "fleet at_risk",
    ]
