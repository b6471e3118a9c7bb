"""How often each value of several columns occurs, told from a pass over many columns."""

from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.tallies import MOST_COMBINATIONS, tallies, together
from tests.store.small_atlas import atlas_of

ROWS = [
    {"region": "eu", "signal": 11, "holds": ["one", "two"]},
    {"region": "eu", "signal": 6, "holds": ["one"]},
    {"region": "us", "signal": 11, "holds": []},
    {"region": None, "signal": 11, "holds": None},
]
EU, US = "\"region\" = 'eu'", "\"region\" = 'us'"


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    return atlas_of(tmp_path, {"region": "text", "signal": "int", "holds": "texts", "pc": "address"}, ROWS)


def _counts(atlas: Atlas, column: str, *populations: str, most: int = 10) -> list[tuple[str | None, int, int]]:
    return [(one.value, one.a, one.b) for one in tallies(atlas, [column], *populations, most=most)]


def test_not_known_is_a_value_of_its_own(atlas: Atlas) -> None:
    assert _counts(atlas, "region", "TRUE") == [("eu", 2, 0), ("us", 1, 0), (None, 1, 0)]


def test_a_case_counts_for_each_of_its_several_values_and_one_without_for_none(atlas: Atlas) -> None:
    assert _counts(atlas, "holds", "TRUE") == [("one", 2, 0), (None, 2, 0), ("two", 1, 0)]


def test_two_populations_are_counted_apart_and_an_unknown_condition_is_in_neither(atlas: Atlas) -> None:
    assert _counts(atlas, "signal", EU, US) == [("11", 1, 1), ("6", 1, 0)]


def test_known_leaves_out_cases_in_which_the_column_is_not_known(atlas: Atlas) -> None:
    (of_region,) = {(one.known_a, one.known_b) for one in tallies(atlas, ["region"], "TRUE", US)}
    assert of_region == (3, 1)


def test_several_columns_in_one_pass_say_what_each_says_alone(atlas: Atlas) -> None:
    names = ["region", "signal", "holds", "host"]
    alone = [one for name in names for one in tallies(atlas, [name], EU, US)]
    assert list(tallies(atlas, names, EU, US)) == alone


def test_the_commonest_values_are_told_and_how_many_there_are(atlas: Atlas) -> None:
    (only,) = tallies(atlas, ["region"], "TRUE", most=1)
    assert (only.value, only.values) == ("eu", 3)


def test_columns_that_combine_in_too_many_ways_are_counted_apart() -> None:
    columns = [
        AtlasColumn(str(n), "feature", "text", "", False, n, "", "", "") for n in (9, 99, 999, 1, MOST_COMBINATIONS)
    ]
    assert [[one.name for one in some] for some in together(columns)] == [
        ["9", "99"],
        ["999", "1"],
        [f"{MOST_COMBINATIONS}"],
    ]


@pytest.mark.parametrize(
    ("condition", "cases"),
    [
        (Condition("holds", "is", (None,)), 2),
        (Condition("holds", "not", (None,)), 2),
        (Condition("holds", "not", ("one",)), 2),
        (Condition("region", "not", ("eu", None)), 1),
        (Condition("region", "is", ("us", None)), 2),
        (Condition("region", "is", ("'; DROP TABLE crashes; --",)), 0),
        (Condition("region", "is", ("e\0u",)), 0),
        (Condition("signal", "min", ("7",)), 3),
        (Condition("pc", "is", ("0xffffffffffffffff",)), 0),
    ],
)
def test_a_condition_selects(atlas: Atlas, condition: Condition, cases: int) -> None:
    assert sum(one.a for one in tallies(atlas, ["host"], atlas.where(Selection(conditions=(condition,))))) == cases


@pytest.mark.parametrize(
    "condition",
    [
        Condition("nothing", "is", ("1",)),
        Condition('region" OR 1=1 --', "is", ("1",)),
        Condition("region", "min", ("1",)),
        Condition("signal", "is", ("eleven",)),
        Condition("signal", "is", ("9" * 900,)),
        Condition("pc", "is", ("-1" * 30,)),
        Condition("time", "is", ("yesterday",)),
    ],
)
def test_what_is_no_condition_on_a_column_is_refused(atlas: Atlas, condition: Condition) -> None:
    with pytest.raises(UsageError):
        atlas.where(Selection(conditions=(condition,)))


def test_all_is_selected_where_nothing_is_said(atlas: Atlas) -> None:
    assert atlas.where(EVERYTHING) == "TRUE"
