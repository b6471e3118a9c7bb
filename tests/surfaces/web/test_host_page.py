"""The pages of hosts and machines: the sentence is computed, the history is that of the fleet, the unknown is named."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import msgspec
import pytest

from broadstreet.surfaces.web.pages.host import HostPage, StayTold
from tests.store.fleets import book, crash
from tests.surfaces.web.drawn import Read, pages_of

HOSTS = tuple(f"h-{n:02}" for n in range(41))
BAD, MARCH, APRIL = "h-07", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"
MOVED, BACK, BOOTED = "2026-03-11T00:00:00Z", "2026-03-12T00:00:00Z", "2026-03-15T06:00:00Z"
HOSTILE = "<script>alert(1)</script>\u202e\x1b[2Jevil'\"/.."
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def told(read: Read, address: str) -> HostPage:
    return msgspec.json.decode(read.reader.get(f"{address}.json").content, type=HostPage)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Forty-one hosts in March, two a machine; one moves, boots another kernel, and crashes daily from the 13th."""
    folder = tmp_path_factory.mktemp("fleet")
    crashes = [crash(n, host=BAD, time=f"2026-03-{n:02}T12:00:00Z", cpu=3 if n < 20 else None) for n in range(13, 25)]
    crashes += [crash(100, host="h-20", time="2026-03-11T12:00:00Z", cpu=1)]
    crashes += [crash(101, host=BAD, time="2026-03-11T12:00:00Z", cpu=3)]
    placements = [
        {"host": host, "physical_host": f"m-{at // 2:02}", "from": MARCH, "to": MOVED if host == BAD else APRIL}
        for at, host in enumerate(HOSTS)
    ]
    placements += [{"host": BAD, "physical_host": "m-99", "from": BACK, "to": APRIL}]
    boots = [
        {"host": host, "region": "north", "kernel_release": "6.1.1", "boot_time": MARCH, "from": MARCH, "to": APRIL}
        for host in HOSTS
        if host != BAD
    ]
    own = {"host": BAD, "region": "north"}
    boots += [{**own, "kernel_release": "6.1.1", "boot_time": MARCH, "from": MARCH, "to": BOOTED}]
    boots += [{**own, "kernel_release": "6.1.2", "boot_time": BOOTED, "from": BOOTED, "to": APRIL}]
    at_risk = [{"host": host, "from": MARCH, "to": APRIL, "host_hours": 744.0} for host in HOSTS]
    book(folder / "book", crashes, placements=placements, hosts=boots, at_risk=at_risk).close()
    with pages_of(str(folder / "book"), folder / "cache") as read:
        yield read


def stays(told: list[StayTold]) -> list[tuple[str, str, str | None, str | None, int]]:
    return [
        (
            one.column,
            one.value,
            None if one.start is None else f"{one.start:%d %H}",
            None if one.end is None else f"{one.end:%d %H}",
            one.cases,
        )
        for one in told
    ]


def test_the_first_line_counts_crashes_against_those_expected(fleet: Read) -> None:
    page = told(fleet, f"/hosts/{BAD}")
    assert page.answer == "Host h-07 has 13 crashes where 0.3 are expected."  # 14 in 41 equal hosts: 0.34
    assert page.unusual
    assert page.rank == 1
    assert "It is number 1 of the 2 hosts with a crash." in page.opening
    assert [one.episodes for one in page.excess] == [13, 0]


def test_a_host_with_one_crash_is_nothing_unusual(fleet: Read) -> None:
    page = told(fleet, "/hosts/h-20")
    assert page.answer == "Nothing unusual: host h-20 has 1 crash where 0.3 are expected."
    assert not page.unusual


def test_a_host_without_a_crash_is_there_and_has_none(fleet: Read) -> None:
    page = told(fleet, "/hosts/h-31")
    assert page.answer == "Nothing unusual: host h-31 has no crash in 744 host-hours."
    assert (page.rank, page.excess, page.newest, page.cpus) == (None, [], [], [])
    assert "It has no crash" in fleet.html("/hosts/h-31")


def test_machines_under_a_host_stand_in_the_order_of_time_with_the_gap_between(fleet: Read) -> None:
    page = told(fleet, f"/hosts/{BAD}")
    assert stays(page.stays) == [
        ("physical_host", "m-03", None, "11 00", 0),
        ("physical_host", "m-99", "12 00", None, 12),
    ]
    assert [len(one.times) for one in page.stays] == [0, 12]
    assert any("Which machine 1 case had" in one for one in page.unknown)


def test_hosts_of_a_machine_are_those_of_its_placements(fleet: Read) -> None:
    assert stays(told(fleet, "/machines/m-03").stays) == [
        ("host", "h-06", None, None, 0),
        ("host", "h-07", None, "11 00", 0),
    ]
    assert told(fleet, "/machines/m-99").answer.startswith("Machine m-99 has 12 crashes where")


def test_the_history_says_since_when_a_kernel_ran(fleet: Read) -> None:
    page = told(fleet, f"/hosts/{BAD}")
    kernels = [one for one in page.history if one.column == "kernel_release"]
    assert stays(kernels) == [
        ("kernel_release", "6.1.1", None, "15 06", 3),  # on the 11th, 13th and 14th
        ("kernel_release", "6.1.2", "15 06", None, 10),
    ]
    assert [(f"{one.at:%d %H}", one.kernel) for one in page.boots] == [("01 00", "6.1.1"), ("15 06", "6.1.2")]


def test_cpus_are_counted_and_those_not_known_stand_last(fleet: Read) -> None:
    assert [(one.cpu, one.cases) for one in told(fleet, f"/hosts/{BAD}").cpus] == [(3, 8), (None, 5)]


def test_what_cannot_be_known_is_said(fleet: Read) -> None:
    page = told(fleet, f"/hosts/{BAD}")
    assert any(one.startswith("Its SKU: no table tells it") for one in page.unknown)
    assert any(one.startswith("Which CPU of the machine") for one in told(fleet, "/machines/m-99").unknown)


def test_every_query_of_the_page_gives_what_the_page_shows(fleet: Read) -> None:
    page = told(fleet, f"/hosts/{BAD}")
    assert fleet.atlas.ask(page.queries["cases"]).rows["cases"][0].as_py() == page.cases == 13
    assert fleet.atlas.ask(page.queries["excess"]).rows["episodes"][0].as_py() == 13
    assert fleet.atlas.ask(page.queries["history"]).rows.num_rows == len(page.stays) + len(page.history)
    assert fleet.atlas.ask(page.queries["cpus"]).rows.num_rows == len(page.cpus)


def test_an_unknown_host_is_not_found_and_others_of_such_a_name_are_named(fleet: Read) -> None:
    answer = fleet.reader.get("/hosts/H-0")
    assert answer.status_code == 404
    assert "No host H-0 is in this casebook" in answer.text
    assert "h-00, h-01, h-02" in answer.text
    other = fleet.reader.get("/hosts/m-99")
    assert other.status_code == 404
    assert "There is a machine of that name: /machines/m-99" in other.text


def test_the_curve_and_the_placements_are_drawn_for_both_widths(fleet: Read) -> None:
    html = fleet.html(f"/hosts/{BAD}")
    assert html.count("Cases of host h-07") >= 2
    assert html.count("Machines under host h-07") >= 2
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)


@pytest.fixture(scope="module")
def untold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Crashes on hosts of which no table tells anything, two of them with names that mean harm."""
    folder = tmp_path_factory.mktemp("untold")
    crashes = [crash(n, host="plain", time=f"2026-03-{n:02}T12:00:00Z", region="north") for n in range(1, 4)]
    crashes += [crash(10, host=HOSTILE, time="2026-03-05T00:00:00Z", region=HOSTILE, service=HOSTILE)]
    crashes += [crash(11, host="x" * 1_000_000, time="2026-03-05T00:00:00Z")]
    book(folder / "book", crashes).close()
    with pages_of(str(folder / "book"), folder / "cache") as read:
        yield read


def test_without_time_at_risk_nothing_is_expected_and_the_page_says_why(untold: Read) -> None:
    page = told(untold, "/hosts/plain")
    assert page.answer == "Host plain has 3 crashes; how many to expect cannot be told."
    assert page.at_risk is None
    assert any("no table tells the time at risk" in one for one in page.unknown)
    assert any("no table of placements" in one for one in page.unknown)
    assert stays(page.history) == [("region", "north", "01 12", "03 12", 3)]
    html = untold.html("/hosts/plain")
    assert "time at risk not told" in html
    assert not re.search(r">\s*(?:None|nan|null)\s*<", html)


def test_without_placements_no_machine_is_found_and_the_page_says_what_would_tell(untold: Read) -> None:
    answer = untold.reader.get("/machines/plain")
    assert answer.status_code == 404
    assert "broadstreet fleet add placements FILE" in answer.text


def test_a_hostile_name_is_text(untold: Read) -> None:
    html = untold.html(f"/hosts/{quote(HOSTILE, safe='')}")
    assert "<script>alert" not in html
    assert not CONTROLS.search(html)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e\\x1b[2Jevil" in html
    for case in (10, 11):
        assert "<script>alert" not in untold.html(f"/cases/{case:032x}")


def test_a_hostile_name_that_is_not_there_is_text_too(untold: Read) -> None:
    answer = untold.reader.get(f"/hosts/{quote('<script>alert(2)</script>', safe='')}")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
