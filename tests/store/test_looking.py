"""Pages of cases by their number, spreads of numbers, rates of places, and what would be without a limit."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadstreet.population.population import Population
from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import arrived, counted, page, placed, rates, spread, turned, without_each
from tests.store.drawn import told_and_drawn
from tests.store.fleets import crash
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


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Atlas, Population]:
    """Hosts with and without a rack, one that moved, crashes of which host or time is not known."""
    start, middle, end = (f"2026-{when}T00:00:00+00:00" for when in ("01-01", "01-11", "02-01"))
    hosts = [{"host": f"h{n}", "region": "eu" if n else None, "from": start, "to": end} for n in range(3)]
    hosts[1]["rack"] = "r1"
    hosts += [
        {"host": "h3", "rack": rack, "from": a, "to": b} for rack, a, b in (("r1", start, middle), ("r2", middle, end))
    ]
    crashes = [crash(n, time=f"2026-01-{n:02d}T00:00:00Z", host=f"h{n % 4}") for n in range(1, 30)]
    crashes += [crash(40), crash(41, host="h3"), crash(42, time=start), crash(43, time=middle, host="nobody knows")]
    return told_and_drawn(tmp_path_factory.mktemp("rates"), crashes, hosts=hosts)


@pytest.mark.parametrize("columns", [["region"], ["rack"], ["host"], ["region", "rack"], ["host", "rack"]])
def test_cells_of_rates_hold_all_cases_and_all_time_at_risk(
    fleet: tuple[Atlas, Population], columns: list[str]
) -> None:
    atlas, crashes = fleet
    rows = rates(atlas, EVERYTHING, columns).dicts()
    assert sum(row["cases"] for row in rows) == atlas.about.cases == 33
    assert sum(row["episodes"] for row in rows) == atlas.about.episodes
    assert sum(row["at_risk"] or 0 for row in rows) == pytest.approx(atlas.about.at_risk)
    assert crashes.at_risk is not None
    wanted: dict[tuple[str | None, ...], float] = {}
    for at, hours in enumerate(crashes.at_risk.measures["host_hours"]):
        codes = [(crashes.exposures[name], crashes.exposures[name].at_risk) for name in columns]
        key = tuple(None if of is None or of[at] < 0 else one.values[of[at]] for one, of in codes)
        wanted[key] = wanted.get(key, 0) + hours
    found = {tuple(row[name] for name in columns): row["at_risk"] for row in rows if row["at_risk"] is not None}
    assert found == pytest.approx(wanted)


def test_a_cell_with_crashes_and_no_time_at_risk_is_unknown_and_not_zero(fleet: tuple[Atlas, Population]) -> None:
    rows = {row["host"]: row for row in rates(fleet[0], EVERYTHING, ["host"]).dicts()}
    assert [(rows[name]["cases"], rows[name]["at_risk"]) for name in (None, "nobody knows")] == [(2, None), (1, None)]


def test_a_cell_that_ran_and_never_crashed_has_no_case_and_its_time(fleet: tuple[Atlas, Population]) -> None:
    early = Selection(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    rows = {row["host"]: (row["cases"], row["at_risk"]) for row in rates(fleet[0], early, ["host"]).dicts()}
    assert rows == {"h0": (0, 24), "h1": (1, 24), "h2": (0, 24), "h3": (0, 24), None: (1, None)}


def test_a_selection_of_the_unknown_and_one_of_the_known_have_all_time_at_risk(fleet: tuple[Atlas, Population]) -> None:
    atlas = fleet[0]
    both = [
        sum(
            row["at_risk"] or 0
            for row in rates(atlas, Selection(conditions=(Condition("region", kind, (None,)),)), ["host"]).dicts()
        )
        for kind in ("is", "not")
    ]
    assert sum(both) == pytest.approx(atlas.about.at_risk)
    assert both[1] == pytest.approx(2 * 31 * 24)


def test_of_a_column_that_no_time_at_risk_is_told_by_no_time_is_known(fleet: tuple[Atlas, Population]) -> None:
    rows = rates(fleet[0], EVERYTHING, ["mechanism"]).dicts()
    assert {row["at_risk"] for row in rows} == {None}
    assert sum(row["cases"] for row in rows) == 33


def test_a_place_has_each_value_for_as_long_as_its_pieces_say(fleet: tuple[Atlas, Population]) -> None:
    rows = placed(fleet[0], "host", "h3", "rack").dicts()
    assert [(row["value"], row["start"].day, row["at_risk"]) for row in rows] == [("r1", 1, 240), ("r2", 11, 504)]


def test_what_was_there_from_the_first_did_not_arrive(fleet: tuple[Atlas, Population]) -> None:
    rows = arrived(fleet[0], "rack", datetime(2026, 1, 1, tzinfo=UTC), 1).dicts()
    assert [(row["value"], row["first"].day) for row in rows] == [("r2", 11)]


def test_counts_of_a_selection_are_those_of_its_rows(fleet: tuple[Atlas, Population]) -> None:
    [row] = counted(fleet[0], EVERYTHING).dicts()
    assert (row["cases"], row["undated"], row["hosts"]) == (33, 2, 5)
    [none] = counted(fleet[0], Selection(conditions=(Condition("host", "is", ("no such",)),))).dicts()
    assert (none["cases"], none["hosts"], none["first"]) == (0, 0, None)
