"""Pages of cases by their number, spreads of numbers, and what would be without a limit."""

from pathlib import Path

import pytest

from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import page, spread, turned, without_each
from tests.store.small_atlas import atlas_of

ODD = Selection(conditions=(Condition("odd", "is", ("true",)),))


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    rows = [{"odd": bool(n % 2), "size": n, "pc": (1 << 64) - 1 - n, "region": "eu"} for n in range(25)]
    return atlas_of(tmp_path, {"odd": "bool", "size": "int", "pc": "address", "region": "text"}, rows)


def test_turning_pages_shows_every_selected_case_once(atlas: Atlas) -> None:
    seen: list[int] = []
    after = None
    while rows := page(atlas, ODD, ["size"], after, 5).dicts():
        seen += [row["size"] for row in rows]
        after = rows[-1]["number"]
    assert seen == list(range(1, 25, 2))


def test_turning_back_from_a_page_gives_the_one_before(atlas: Atlas) -> None:
    first, second, third = (page(atlas, ODD, [], after, 4).dicts() for after in (None, 7, 15))
    (back,) = turned(atlas, ODD, third[0]["number"] - 1, 4).dicts()
    assert back["newer"] == len(first) + len(second)
    assert page(atlas, ODD, [], back["before"], 4).dicts() == second
    assert page(atlas, ODD, [], back["oldest"], 4).dicts()[-1]["number"] == 23


def test_nothing_stands_before_the_first_page(atlas: Atlas) -> None:
    assert turned(atlas, EVERYTHING, None, 5).dicts() == [{"newer": 0, "before": None, "oldest": 19}]


def test_bins_of_whole_numbers_are_whole_and_hold_every_case(atlas: Atlas) -> None:
    rows = spread(atlas, EVERYTHING, "size", 10).dicts()
    assert {(row["low"], row["high"], row["step"]) for row in rows} == {("0", "24", "3")}
    assert [row["cases"] for row in rows] == [3, 3, 3, 3, 3, 3, 3, 3, 1]


def test_addresses_at_the_top_of_memory_are_told_exactly(atlas: Atlas) -> None:
    (row,) = spread(atlas, EVERYTHING, "pc", 1).dicts()
    assert (int(row["low"]), int(row["high"]), row["cases"]) == ((1 << 64) - 25, (1 << 64) - 1, 25)


def test_each_limit_says_what_there_would_be_without_it(atlas: Atlas) -> None:
    none = Selection(conditions=(*ODD.conditions, Condition("size", "is", ("2",))))
    assert without_each(atlas, none).dicts() == [{"c0": 1, "c1": 12, "time": 0}]
