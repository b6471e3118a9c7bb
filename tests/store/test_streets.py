"""Streets of a fleet: every host and every crash with a host stands in one, and rates are of those at risk."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.streets import addresses, cpus, streets, unplaced
from tests.store.drawn import drawn
from tests.store.fleets import crash

HOURS = 31 * 24.0  # of January


def host(name: str, start: str = "2026-01-01", end: str = "2026-02-01", **told: Any) -> dict[str, Any]:
    """A row of the table of hosts."""
    return {"host": name, "from": f"{start}T00:00:00+00:00", "to": f"{end}T00:00:00+00:00", **told}


def at(day: int, hour: int = 12) -> str:
    return f"2026-01-{day:02d}T{hour:02d}:00:00+00:00"


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Of nine crashes one has no host, one a host that the fleet does not know, one a time that nobody tells."""
    fleet = [host(f"h{n}", region="eu" if n < 2 else "us", rack=f"r{n}") for n in range(4)]
    moved = [host("h4", end="2026-01-11", region="us", rack="r3"), host("h4", "2026-01-11", region="us", rack="r0")]
    crashes = [crash(n, time=at(n), host=f"h{n % 2}", cpu=n % 2 or None, numa_node=0) for n in range(1, 5)]
    crashes += [
        crash(5, time=at(5)),
        crash(6, time=at(6), host="stranger"),
        crash(7, host="wanderer", region="mars"),
        crash(8, time=at(2, 3), host="h4"),
        crash(9, time=at(20), host="h4"),
    ]
    return drawn(tmp_path_factory.mktemp("streets"), crashes, hosts=[*fleet, *moved])


def of_street(atlas: Atlas, selection: Selection = EVERYTHING) -> dict[tuple[str | None, str | None], dict[str, Any]]:
    return {(row["area"], row["street"]): row for row in streets(atlas, selection, "region", "rack").dicts()}


def test_cases_of_all_streets_and_those_without_a_host_are_all_cases(atlas: Atlas) -> None:
    [lost] = unplaced(atlas, EVERYTHING, "host").dicts()
    on_streets = sum(row["cases"] for row in of_street(atlas).values())
    assert (lost["cases"], on_streets) == (1, 8)


def test_addresses_hold_the_same_cases_as_streets(atlas: Atlas) -> None:
    rows = addresses(atlas, EVERYTHING, "region", "rack", 100).dicts()
    told: dict[tuple[str | None, str | None], int] = {}
    for row in rows:
        told[row["area"], row["street"]] = told.get((row["area"], row["street"]), 0) + row["cases"]
    assert told == {key: row["cases"] for key, row in of_street(atlas).items() if row["cases"]}


def test_a_host_that_moved_stands_where_it_was_last_with_all_its_time_and_crashes(atlas: Atlas) -> None:
    found = of_street(atlas)
    assert (found["us", "r0"]["hosts"], found["us", "r0"]["at_risk"], found["us", "r0"]["cases"]) == (1, HOURS, 2)
    assert (found["us", "r3"]["hosts"], found["us", "r3"]["at_risk"], found["us", "r3"]["cases"]) == (1, HOURS, 0)


def test_of_a_selected_rack_only_the_time_in_it_counts(atlas: Atlas) -> None:
    found = of_street(atlas, Selection(conditions=(Condition("rack", "is", ("r3",)),)))
    assert {key: (row["hosts"], row["at_risk"], row["cases"]) for key, row in found.items()} == {
        ("us", "r3"): (2, HOURS + 240, 1)
    }


def test_a_host_of_which_only_an_undated_crash_tells_stands_in_the_region_that_it_tells(atlas: Atlas) -> None:
    assert of_street(atlas)["mars", None]["cases"] == 1


def test_episodes_on_hosts_of_unknown_time_at_risk_are_in_no_rate(atlas: Atlas) -> None:
    found = of_street(atlas)
    assert [(row["episodes"], row["rated"], row["at_risk"]) for key, row in found.items() if key[1] is None] == [
        (1, 0, None),
        (1, 0, None),
    ]
    assert all(row["rated"] == row["episodes"] for key, row in found.items() if key[1] is not None)


def test_a_time_cuts_pieces_and_leaves_hosts_out_that_were_not_there(atlas: Atlas) -> None:
    found = of_street(atlas, Selection(datetime(2026, 1, 9, 12, tzinfo=UTC), datetime(2026, 1, 12, tzinfo=UTC)))
    assert {key: row["at_risk"] for key, row in found.items()} == {
        ("eu", "r0"): 60.0,
        ("eu", "r1"): 60.0,
        ("us", "r2"): 60.0,
        ("us", "r3"): 60.0,
        ("us", "r0"): 60.0,
    }


def test_what_was_selected_by_something_that_no_time_at_risk_is_told_by_has_no_rate(tmp_path: Path) -> None:
    crashes = [crash(n, time=at(n), host="h0", labels=(("blue", str(n % 2)),)) for n in range(1, 7)]
    atlas = drawn(tmp_path, crashes, hosts=[host("h0", rack="r0")])
    [row] = streets(atlas, Selection(conditions=(Condition("label blue", "is", ("1",)),)), None, "rack").dicts()
    assert (row["cases"], row["hosts"], row["at_risk"], row["rated"]) == (3, 1, None, 0)


def test_more_hosts_than_a_pool_holds_stand_in_several(tmp_path: Path) -> None:
    hosts = [f"h{n:03d}" for n in range(81)]
    atlas = drawn(tmp_path, [crash(1, time=at(1), host=hosts[40])], hosts=[host(name) for name in hosts])
    rows = streets(atlas, EVERYTHING, None, None).dicts()
    assert [(row["street"], row["hosts"], row["cases"]) for row in rows] == [
        ("h000 …", 40, 0),
        ("h040 …", 40, 1),
        ("h080 …", 1, 0),
    ]
    [one] = addresses(atlas, EVERYTHING, None, None, 10).dicts()
    assert (one["street"], one["place"], one["host"]) == ("h040 …", 0, "h040")


def test_a_host_can_be_a_street_and_an_area(atlas: Atlas) -> None:
    rows = streets(atlas, EVERYTHING, "host", "host").dicts()
    assert all(row["area"] == row["street"] and row["hosts"] == 1 for row in rows)
    assert sum(row["cases"] for row in rows) == 8


def test_cpus_that_are_not_known_are_their_own_row(atlas: Atlas) -> None:
    rows = cpus(atlas, Selection(conditions=(Condition("host", "is", ("h0", "h1")),))).dicts()
    assert {row["cpu"]: row["cases"] for row in rows} == {1: 2, None: 2}


def test_without_tables_of_a_fleet_hosts_are_those_that_crashed(tmp_path: Path) -> None:
    atlas = drawn(tmp_path, [crash(n, time=at(n), host=f"h{n % 2}") for n in range(1, 4)])
    [row] = streets(atlas, EVERYTHING, None, None).dicts()
    assert (row["hosts"], row["cases"], row["at_risk"], row["idle"]) == (2, 3, None, None)
