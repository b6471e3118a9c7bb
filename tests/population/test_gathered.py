"""A casebook as a population: what is joined with what, as of when, and that no hour is lost."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.population import population
from broadstreet.population.population import Population
from broadstreet.records.case import Case
from broadstreet.store import exposures
from tests.store.fleets import Row, book, crash

BOOT = "2026-03-01T00:00:00Z"
HOST: Row = {"host": "vm-1", "region": "north", "sku": "small", "boot_time": BOOT, "from": BOOT}


def found(url: Path, cases: Sequence[Case], **tables: Sequence[Row]) -> Population:
    with book(url / "book", cases, **tables) as questions:
        return population(questions, grouped(questions))


def of_cases(one: Population, attribute: str) -> list[str | None]:
    """The value of each crash; None where it is not known."""
    told = one.exposures.get(attribute)
    if told is None:
        return [None] * len(one)
    return [None if code < 0 else told.values[code] for code in told.cases]


def hours(one: Population, attribute: str, measure: str = "host_hours") -> dict[str | None, float]:
    """Time at risk by value."""
    assert one.at_risk is not None
    told = one.exposures[attribute]
    assert told.at_risk is not None
    by: dict[str | None, float] = {}
    for code, amount in zip(told.at_risk, one.at_risk.measures[measure], strict=True):
        value = None if code < 0 else told.values[code]
        by[value] = by.get(value, 0.0) + float(amount)
    return {value: round(amount, 6) for value, amount in by.items()}


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_crashes_stand_in_the_order_of_time_and_then_of_case_id_the_undated_last(tmp_path: Path) -> None:
    late, early, undated, tie = (
        crash(1, time="2026-03-02T00:00:00Z"),
        crash(9, time="2026-03-01T12:00:00Z"),
        crash(0),
        crash(3, time="2026-03-01T12:00:00Z"),
    )
    one = found(tmp_path, [late, early, undated, tie])
    assert [case_id[-1] for case_id in one.case_ids] == ["3", "9", "1", "0"]
    assert one.time[:3].tolist() == [seconds("2026-03-01T12:00:00")] * 2 + [seconds("2026-03-02T00:00:00")]
    assert np.isnan(one.time[3])


def test_an_mtime_does_not_date_a_crash(tmp_path: Path) -> None:
    one = found(tmp_path, [crash(1, time="2026-03-02T00:00:00Z", time_source="mtime"), crash(2, time=BOOT)])
    assert one.dated.tolist() == [True, False]
    assert one.end == seconds("2026-03-01T00:00:00")


def test_a_crash_has_what_held_at_its_time(tmp_path: Path) -> None:
    times = ["2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-05T00:00:00Z"]
    one = found(
        tmp_path,
        [crash(n, host="vm-1", time=time) for n, time in enumerate(times)],
        hosts=[
            {**HOST, "kernel_release": "6.1", "to": "2026-03-02T00:00:00Z"},
            {**HOST, "kernel_release": "6.2", "from": "2026-03-02T00:00:00Z", "to": "2026-03-04T00:00:00Z"},
        ],
        placements=[
            {"host": "vm-1", "physical_host": "ph-1", "from": None, "to": "2026-03-02T00:00:00Z"},
            {"host": "vm-1", "physical_host": "ph-2", "from": "2026-03-02T06:00:00Z"},
        ],
    )
    assert of_cases(one, "kernel_release") == ["6.1", "6.2", "6.2", None]
    assert of_cases(one, "physical_host") == ["ph-1", None, "ph-2", "ph-2"]
    assert of_cases(one, "region") == ["north", "north", "north", None]


def test_a_crash_without_time_or_host_knows_only_what_it_tells_itself(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [crash(1, host="vm-1"), crash(2, time=BOOT, region="south"), crash(3, time=BOOT, host="vm-1")],
        hosts=[HOST],
        services=[{"host": "vm-1", "service": "ingest"}],
    )
    assert of_cases(one, "region") == ["south", "north", None]
    assert of_cases(one, "service") == [None, "ingest", None]


def test_what_a_sidecar_says_of_the_service_goes_before_the_fleet(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [
            crash(1, host="vm-1", time=BOOT, service="search", service_release="8"),
            crash(2, host="vm-1", time=BOOT, service="ingest"),
            crash(3, host="vm-1", time=BOOT),
        ],
        services=[
            {"host": "vm-1", "service": "ingest", "service_release": "26", "workload": "bulk"},
            {"host": "vm-1", "service": "search", "service_release": "7", "workload": "serve"},
        ],
    )
    assert of_cases(one, "service") == ["search", "ingest", None]  # of two services nobody knows which it was
    assert of_cases(one, "service_release") == ["8", "26", None]
    assert of_cases(one, "workload") == ["serve", "bulk", None]


def test_a_service_of_a_region_is_that_of_its_hosts(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [crash(1, host="vm-1", time="2026-03-02T00:00:00Z"), crash(2, host="vm-1", time="2026-03-04T00:00:00Z")],
        hosts=[HOST],
        services=[
            {"region": "north", "service": "ingest", "service_release": "26", "to": "2026-03-03T00:00:00Z"},
            {"region": "north", "service": "ingest", "service_release": "27", "from": "2026-03-03T00:00:00Z"},
            {"region": "south", "service": "search"},
        ],
        at_risk=[{"host": "vm-1", "from": "2026-03-02T00:00:00Z", "to": "2026-03-05T00:00:00Z", "host_hours": 72.0}],
    )
    assert of_cases(one, "service_release") == ["26", "27"]
    assert hours(one, "service_release") == {"26": 24.0, "27": 48.0}


def test_time_at_risk_is_cut_where_something_changes_and_no_hour_is_lost(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [crash(1, host="vm-1", time="2026-03-02T13:00:00Z")],
        hosts=[{**HOST, "to": "2026-03-11T00:00:00Z"}],
        placements=[
            {"host": "vm-1", "physical_host": "ph-1", "to": "2026-03-02T12:00:00Z"},
            {"host": "vm-1", "physical_host": "ph-2", "from": "2026-03-02T12:00:00Z"},
        ],
        at_risk=[
            {"host": "vm-1", "from": BOOT, "to": "2026-03-11T00:00:00Z", "host_hours": 240.0, "exceptions": 2400},
            {"region": "south", "from": BOOT, "to": "2026-03-02T00:00:00Z", "host_hours": 1000.0},
        ],
    )
    assert one.at_risk is not None
    assert list(one.at_risk.measures) == ["host_hours", "exceptions"]
    assert hours(one, "physical_host") == {"ph-1": 36.0, "ph-2": 204.0, None: 1000.0}
    by_uptime = {"under an hour": 1.0, "under a day": 23.0, "under 7 days": 144.0, "under 30 days": 72.0}
    assert hours(one, "uptime") == {**by_uptime, None: 1000.0}
    assert hours(one, "region") == {"north": 240.0, "south": 1000.0}
    assert np.nansum(one.at_risk.measures["exceptions"]) == pytest.approx(2400)
    assert of_cases(one, "uptime") == ["under 7 days"]


def test_what_a_row_of_time_at_risk_tells_goes_before_the_fleet(tmp_path: Path) -> None:
    row: dict[str, Any] = {"host": "vm-1", "from": BOOT, "to": "2026-03-02T00:00:00Z", "host_hours": 24.0}
    one = found(
        tmp_path,
        [crash(1, host="vm-1", time=BOOT)],
        hosts=[HOST],
        services=[{"host": "vm-1", "service": "ingest", "service_release": "26"}],
        at_risk=[{**row, "sku": "large", "tenant": "acme", "exposures": {"pool": "blue"}}],
    )
    assert hours(one, "sku") == {"large": 24.0}
    assert hours(one, "service_release") == {"26": 24.0}
    assert of_cases(one, "sku") == ["small"]
    assert of_cases(one, "tenant") == ["acme"]  # it fell into that row
    assert of_cases(one, "pool") == ["blue"]


def test_a_crash_that_falls_into_two_rows_has_the_tenant_of_neither(tmp_path: Path) -> None:
    row: dict[str, Any] = {"host": "vm-1", "from": BOOT, "to": "2026-03-02T00:00:00Z", "process_hours": 24.0}
    one = found(
        tmp_path,
        [crash(1, host="vm-1", time=BOOT), crash(2, host="vm-2", time=BOOT)],
        at_risk=[{**row, "tenant": "a"}, {**row, "tenant": "b"}, {**row, "host": "vm-2", "tenant": "b"}],
    )
    assert of_cases(one, "tenant") == [None, "b"]
    assert hours(one, "tenant", "process_hours") == {"a": 24.0, "b": 48.0}


def test_without_time_at_risk_it_is_the_time_that_hosts_were_up(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [crash(1, host="vm-1", time="2026-03-03T00:00:00Z")],
        hosts=[
            {**HOST, "to": "2026-03-02T00:00:00Z"},
            {**HOST, "host": "vm-2", "from": "2026-03-01T12:00:00Z"},  # open: until the last that is known of anything
        ],
        services=[
            {"host": "vm-1", "service": "ingest"},
            {"host": "vm-2", "service": "ingest"},
            {"host": "vm-2", "service": "search"},
        ],
    )
    assert hours(one, "host") == {"vm-1": 24.0, "vm-2": 72.0}  # two services: each for 36 hours
    assert hours(one, "service") == {"ingest": 60.0, "search": 36.0}
    assert one.notes["period"] == "hosts, fatal_signals and cases"


def test_without_any_fleet_there_is_no_time_at_risk(tmp_path: Path) -> None:
    one = found(tmp_path, [crash(1, host="vm-1", time=BOOT, region="north"), crash(2, host="vm-2", time=BOOT)])
    assert one.at_risk is None
    assert of_cases(one, "region") == ["north", None]
    assert all(attribute.at_risk is None for attribute in one.exposures.values())


def test_a_cpu_is_named_on_a_machine_of_its_own_only(tmp_path: Path) -> None:
    hosts = [{**HOST, "host": name} for name in ("bare", "alone", "vm-1", "vm-2", "mover")]
    one = found(
        tmp_path,
        [
            crash(n, host=name, time=BOOT, cpu=3, numa_node=1)
            for n, name in enumerate(("bare", "alone", "vm-1", "mover", "stranger"))
        ],
        hosts=hosts,
        placements=[
            {"host": "alone", "physical_host": "ph-1"},
            {"host": "vm-1", "physical_host": "ph-2"},
            {"host": "vm-2", "physical_host": "ph-2"},
            {"host": "mover", "physical_host": "ph-3", "to": BOOT},
            {"host": "mover", "physical_host": "ph-4", "from": BOOT},
        ],
    )
    assert of_cases(one, "cpu") == ["bare cpu 3", "alone cpu 3", None, None, None]
    assert of_cases(one, "numa_node") == ["bare node 1", "alone node 1", None, None, None]


def test_a_label_is_an_exposure_unless_each_case_has_its_own(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [
            crash(1, time=BOOT, labels=(("tier", "gold"), ("trace", "a"), ("tenant", "acme"))),
            crash(2, time=BOOT, labels=(("tier", "gold"), ("trace", "b"), ("tenant", "acme"))),
            crash(3, time=BOOT, labels=()),
        ],
    )
    assert of_cases(one, "label tier") == ["gold", "gold", None]
    assert of_cases(one, "tenant") == ["acme", "acme", None]
    assert "label trace" not in one.exposures
    assert "label tenant" not in one.exposures


def test_a_crash_has_the_load_of_the_piece_that_it_falls_into(tmp_path: Path) -> None:
    day = [f"2026-03-0{n}T00:00:00Z" for n in range(1, 6)]
    rows = [
        {"host": "vm-1", "from": start, "to": end, "host_hours": 24.0, "exceptions": load}
        for start, end, load in zip(day, day[1:], (240, 480, 960, 9600), strict=False)
    ]
    one = found(tmp_path, [crash(1, host="vm-1", time=day[0]), crash(2, host="vm-1", time=day[3])], at_risk=rows)
    values = of_cases(one, "exceptions per hour")
    assert [value and value[:2] for value in values] == ["q1", "q4"]
    assert sorted(hours(one, "exceptions per hour").values()) == [24.0] * 4


def test_cases_outside_of_the_period_are_kept_and_counted(tmp_path: Path) -> None:
    one = found(
        tmp_path,
        [crash(1, time="2026-02-01T00:00:00Z"), crash(2, time=BOOT)],
        at_risk=[{"region": "north", "from": BOOT, "to": "2026-03-02T00:00:00Z", "host_hours": 1.0}],
    )
    assert len(one) == 2
    assert (one.start, one.end) == (seconds("2026-03-01T00:00:00"), seconds("2026-03-02T00:00:00"))
    assert one.notes["cases outside of the period"] == "1"


def test_very_many_rows_of_time_at_risk_are_taken_by_day_and_no_hour_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposures, "MOST_ROWS", 3)
    hour = [f"2026-03-0{1 + n // 24}T{n % 24:02}:00:00Z" for n in range(49)]
    rows = [
        {"host": "vm-1", "workload": "bulk" if n < 36 else "serve", "from": start, "to": end, "host_hours": 1.0}
        for n, (start, end) in enumerate(pairwise(hour))
    ]
    one = found(tmp_path, [crash(1, host="vm-1", time=hour[40])], at_risk=rows)
    assert one.at_risk is not None
    assert sorted(one.at_risk.measures["host_hours"]) == [12.0, 12.0, 24.0]
    assert hours(one, "workload") == {"bulk": 36.0, "serve": 12.0}
    assert of_cases(one, "workload") == ["serve"]
