"""The share captured: an outage of the collector is found where and when it was, and nothing else is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from broadstreet.pipeline.capture import captured
from broadstreet.population.capture import Cells, capture, changed_around
from tests.store.fleets import book, crash

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 60


def cells(rows: list[tuple[int, int, float, int, int]], regions: int = 3) -> Cells:
    """Of host, region, day, crashes counted, cases."""
    host, region, day, fatal, cases = (np.array(column) for column in zip(*rows, strict=True))
    hour = START.timestamp() + np.floor(day * 24) * 3600
    return Cells(
        host.astype(np.int32), region.astype(np.int32), tuple(f"r{n}" for n in range(regions)), hour, fatal, cases
    )


def usual(seed: int, share: float = 0.97, regions: int = 3) -> list[tuple[int, int, float, int, int]]:
    draw = np.random.default_rng(seed)
    return [
        (
            int(draw.integers(300)),
            int(draw.integers(regions)),
            float(draw.uniform(0, DAYS)),
            1,
            int(draw.random() < share),
        )
        for _ in range(150)
    ]


def test_an_outage_in_two_of_three_regions_is_that_of_those_two() -> None:
    rows = [
        (host, region, day, fatal, cases if region == 2 or not 20 <= day < 29 else 0)
        for host, region, day, fatal, cases in usual(1)
    ]
    told = capture(cells(rows), START.timestamp(), (START + timedelta(days=DAYS)).timestamp(), 0)
    (one,) = told.dropouts
    assert (one.kind, one.regions) == ("collector", ("r0", "r1"))
    assert START + timedelta(days=20) <= one.start < START + timedelta(days=23)
    assert START + timedelta(days=26) < one.end <= START + timedelta(days=30)  # one is lost by chance soon after
    lost = sum(1 for _, region, day, *_ in rows if region != 2 and 20 <= day < 29)
    assert lost - 2 <= one.fatal - one.captured <= lost + 2


def test_where_no_collector_was_down_one_is_said_to_be_in_less_than_one_fleet_of_a_hundred() -> None:
    false = 0
    for seed in range(200):
        told = capture(cells(usual(seed, share=0.8)), START.timestamp(), (START + timedelta(days=DAYS)).timestamp(), 0)
        false += bool(told.dropouts)
    assert false <= 4  # P(Bin(200, 0.01) > 4) = 0.05


def test_a_host_in_a_loop_whose_core_dumps_are_dropped_is_no_outage() -> None:
    loop = [(299, 0, 30 + hour / 24, 200, 1 if hour == 0 else 0) for hour in range(12)]
    told = capture(cells(usual(3) + loop), START.timestamp(), (START + timedelta(days=DAYS)).timestamp(), 0)
    assert told.dropouts == ()
    assert told.whole.fatal == 150 + 2400


def test_cases_without_signals_say_that_the_channel_was_down() -> None:
    rows = [
        (host, region, day, 0 if region == 1 and day >= 40 else 1, cases)
        for host, region, day, _, cases in usual(4, share=1.0)
    ]
    told = capture(cells(rows), START.timestamp(), (START + timedelta(days=DAYS)).timestamp(), 0)
    (one,) = told.dropouts
    assert (one.kind, one.regions, one.fatal) == ("channel", ("r1",), 0)
    assert told.whole.ratio is not None
    assert told.whole.ratio.value == 1.0  # what was not counted is not missing


def test_weeks_and_days_and_regions_make_the_whole() -> None:
    told = capture(cells(usual(5)), START.timestamp(), (START + timedelta(days=DAYS)).timestamp(), 7)
    assert sum(day.fatal for day in told.days) == sum(week.fatal for week in told.weeks) == told.whole.fatal == 150
    assert sum(one.captured for one in told.regions.values()) == told.whole.captured
    assert len(told.days) == DAYS
    assert told.without_place == 7


def test_a_share_that_fell_is_seen_around_the_moment() -> None:
    rows = [(n, 0, n / 2, 1, int(n < 60 or n % 3 == 0)) for n in range(120)]
    told = capture(cells(rows, 1), START.timestamp(), (START + timedelta(days=DAYS)).timestamp(), 0)
    changed = changed_around(told, START + timedelta(days=30))
    assert (changed.before.captured, changed.before.fatal) == (56, 56)
    assert (changed.after.captured, changed.after.fatal) == (19, 56)
    assert changed.test.p == pytest.approx(stats.fisher_exact([[56, 0], [19, 37]]).pvalue, rel=1e-6)
    assert changed_around(told, START + timedelta(days=15), 14).test.p == 1.0


def test_a_case_counts_once_in_its_hour_and_host(tmp_path: Path) -> None:
    crashes = [
        crash(1, host="a", time="2026-03-01T10:59:59Z"),
        crash(2, host="a", time="2026-03-01T11:00:00Z"),
        crash(3, host="b", time="2026-03-01T10:10:00Z", region="south"),
        crash(4, host="b", time="2026-03-01T10:20:00Z", region="south"),
        crash(5, time="2026-03-01T10:20:00Z"),
    ]
    with book(
        tmp_path / "book",
        crashes,
        hosts=[{"host": "a", "region": "north", "from": "2026-03-01T10:30:00Z"}],
        fatal_signals=[
            {"host": "a", "hour": "2026-03-01T10:00:00Z", "count": 3},
            {"host": "b", "hour": "2026-03-01T10:00:00Z", "count": 1},
            {"host": "a", "hour": "2026-03-01T12:00:00Z", "count": 1},
        ],
    ) as questions:
        told = captured(questions, START.timestamp(), START.timestamp() + 90 * 86400)
    assert told is not None
    assert (told.whole.captured, told.whole.fatal) == (2, 5)
    assert {name: (one.captured, one.fatal) for name, one in told.regions.items()} == {"north": (1, 4), "south": (1, 1)}
    assert told.without_place == 1


def test_without_another_channel_nothing_is_said(tmp_path: Path) -> None:
    with book(tmp_path / "book", [crash(1, host="a", time="2026-03-01T10:59:59Z")]) as questions:
        assert captured(questions, 0.0, 2e9) is None
