"""A casebook that knows little: no time, no host, no time at risk. The pages claim no more than it does."""

import re
from html import unescape
from pathlib import Path

import pytest

from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.rendering import period
from tests.store.drawn import drawn
from tests.store.fleets import crash
from tests.surfaces.web.stand_in import OnShelf, reader


def page(atlas: Atlas, address: str) -> str:
    answer = reader(OnShelf(atlas)).get(address, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


@pytest.fixture(scope="module")
def undated(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """One crash; nothing says when or where."""
    lone = crash(1, time="2026-01-01T12:00:00Z", time_source="mtime")
    return drawn(tmp_path_factory.mktemp("undated"), [lone])


@pytest.fixture(scope="module")
def no_fleet(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Crashes that name their hosts; nobody tells of the fleet."""
    crashes = [crash(n, time=f"2026-01-{n:02d}T12:00:00Z", host=f"h{n % 3}") for n in range(1, 8)]
    return drawn(tmp_path_factory.mktemp("no_fleet"), crashes)


@pytest.mark.parametrize("address", ["/", "/map", "/outbreaks", "/cases"])
def test_where_nothing_is_dated_no_page_names_a_day_of_it(undated: Atlas, address: str) -> None:
    head, _, _ = words(page(undated, address)).partition("Casebook")
    assert "1970" not in head
    assert "1 Jan" not in head


def test_where_no_host_is_known_no_empty_map_is_drawn(undated: Atlas) -> None:
    assert "Open the map" not in page(undated, "/")


def test_hosts_that_only_crashes_name_are_not_a_share_of_a_fleet(no_fleet: Atlas) -> None:
    said = words(page(no_fleet, "/map"))
    assert "7 crashes on 3 hosts." in said
    assert "all hosts" not in said


def test_without_time_at_risk_the_map_still_offers_its_exposures(tmp_path: Path) -> None:
    crashes = [
        crash(n, time=f"2026-01-{n:02d}T12:00:00Z", host=f"h{n % 3}", region=f"r{n % 2}", workload=f"w{n % 2}")
        for n in range(1, 8)
    ]
    assert '<option value="region"' in page(drawn(tmp_path, crashes), "/map")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-01-15T00:00:00Z", "2026-04-15T00:00:00Z", "15 Jan to 14 Apr 2026"),
        ("2026-01-15T00:00:00Z", "2026-04-14T20:04:00Z", "15 Jan to 14 Apr 2026"),
        ("2026-01-15T00:00:00Z", "2026-01-16T00:00:00Z", "15 Jan 2026"),
        ("2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z", "15 Jan 2026"),
        ("2025-12-15T00:00:00Z", "2026-01-15T00:00:00Z", "15 Dec 2025 to 14 Jan 2026"),
    ],
)
def test_a_period_ends_on_the_last_day_that_is_in_it(start: str, end: str, said: str) -> None:
    assert period(start, end) == said
