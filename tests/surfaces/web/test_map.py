"""The map: no crash is lost from it, its numbers are those of its questions, and it says what is not selected."""

import re
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.places import levels
from tests.store.drawn import drawn
from tests.store.fleets import crash
from tests.surfaces.web.site import links
from tests.surfaces.web.stand_in import OnShelf, reader

START, END = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"


def told(atlas: Atlas, address: str) -> dict[str, Any]:
    answer = reader(OnShelf(atlas)).get(address, headers={"accept": "application/json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def html(atlas: Atlas, address: str) -> str:
    answer = reader(OnShelf(atlas)).get(address, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return answer.text


def words(text: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def streets(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"area": area["name"], **one} for area in page["places"]["areas"] for one in area["streets"]]


def at(day: int) -> str:
    return f"2026-01-{day:02d}T12:00:00+00:00"


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    """Sixteen kernels, crashes on an unknown host, with an unknown CPU, and one on a host without time at risk."""
    hosts = [
        {
            "host": f"h{n}",
            "region": "eu" if n < 8 else "us",
            "rack": f"r{n % 2}",
            "sku": f"s{n % 3}",
            "from": START,
            "to": END,
        }
        for n in range(16)
    ]
    for n, one in enumerate(hosts):
        one["kernel_release"] = f"6.{n}"
    crashes = [crash(n, time=at(n), host=f"h{n}", cpu=n % 3 or None, kernel_release=f"6.{n}") for n in range(1, 16)]
    crashes += [crash(20, time=at(3)), crash(21, time=at(4)), crash(22, time=at(5), host="stranger")]
    placements = [{"host": f"h{n}", "physical_host": f"p{n // 2}", "from": START, "to": END} for n in range(16)]
    return drawn(tmp_path_factory.mktemp("map"), crashes, hosts=hosts, placements=placements)


def test_crashes_without_a_host_are_told_on_the_page(atlas: Atlas) -> None:
    page = told(atlas, "/map")
    assert (page["cases"], page["places"]["unplaced"], sum(one["cases"] for one in streets(page))) == (18, 2, 16)
    assert "2 crashes are not on the map: on which host is not known." in words(html(atlas, "/map"))


def test_where_every_host_is_known_nothing_is_said_to_be_missing(atlas: Atlas) -> None:
    assert "not on the map" not in words(html(atlas, "/map?is.region=eu"))


def test_crashes_on_an_unknown_cpu_of_a_host_are_told(atlas: Atlas) -> None:
    page = told(atlas, "/map?is.host=h3")
    assert (page["places"]["places"], page["cases"], page["places"]["unplaced"]) == ("cpus", 1, 1)
    assert "1 crash is not on the map: on which CPU is not known." in words(html(atlas, "/map?is.host=h3"))


def test_hosts_that_are_not_known_are_not_one_host(atlas: Atlas) -> None:
    page = told(atlas, "/map?is.host=")
    assert page["places"]["places"] == "hosts"
    assert "one host" not in page["heading"]


def test_rates_count_only_hosts_that_were_at_risk(atlas: Atlas) -> None:
    page = told(atlas, "/map")
    [stranger] = [one for one in streets(page) if one["area"] is None]
    assert (stranger["cases"], stranger["rate"], stranger["at_risk"]) == (1, None, None)
    assert page["places"]["mean"] == pytest.approx(15 / (16 * 31 * 24) * 1e5)


def test_where_nothing_crashed_nothing_is_dark(atlas: Atlas) -> None:
    page = html(atlas, "/map?is.mechanism=none+such")
    assert told(atlas, "/map?is.mechanism=none+such")["places"]["limits"] is None
    assert not re.search(r'class="g[1-4]', page)
    assert re.search(r'class="g0 ground', page)


@pytest.mark.parametrize(
    "address", ["/map", "/map?from=2026-01-03&to=2026-01-05T18:00", "/map?is.region=us&not.sku=s1"]
)
def test_every_number_is_that_of_its_question(atlas: Atlas, address: str) -> None:
    page = told(atlas, address)
    rows = atlas.ask(page["places"]["queries"][0]).dicts()
    assert [(row["area"], row["street"], row["hosts"], row["cases"], row["at_risk"]) for row in rows] == [
        (one["area"], one["name"], one["hosts"], one["cases"], one["at_risk"]) for one in streets(page)
    ]
    on_addresses = sum(row["cases"] for row in atlas.ask(page["places"]["queries"][1]).dicts())
    assert on_addresses == sum(
        crash["cases"] for one in streets(page) for at in one["addresses"] for crash in at["crashes"]
    )
    assert atlas.ask(page["places"]["queries"][2]).dicts() == [{"cases": page["places"]["unplaced"]}]
    assert on_addresses + page["places"]["unplaced"] == page["cases"]
    cells = {(one["row"], one["column"]): one for one in page["matrix"]["cells"]}
    for row in atlas.ask(page["matrix"]["query"]).dicts():
        key = row[page["matrix"]["rows_of"]], row[page["matrix"]["columns_of"]]
        assert key not in cells or (cells[key]["cases"], cells[key]["at_risk"]) == (row["cases"], row["at_risk"])


def test_a_time_selects_crashes_and_time_at_risk_alike(atlas: Atlas) -> None:
    page = told(atlas, "/map?from=2026-01-03&to=2026-01-06")
    assert page["cases"] == 6  # of the 3rd, the 4th and the 5th: three, two without a host, one on the stranger
    assert {one["at_risk"] for one in streets(page) if one["area"]} == {4 * 72.0}


def test_a_matrix_keeps_what_is_not_known_and_leaves_out_the_rare(atlas: Atlas) -> None:
    page = told(atlas, "/map?rows=kernel_release&columns=region")["matrix"]
    assert len(page["rows"]) == 14
    assert (page["rows"][-1], page["columns"][-1], page["more"]) == (None, None, True)
    [unknown] = [one for one in page["cells"] if (one["row"], one["column"]) == (None, None)]
    assert (unknown["cases"], unknown["at_risk"], unknown["rate"]) == (3, None, None)


def test_nothing_is_said_to_have_never_run_where_it_is_not_known(atlas: Atlas) -> None:
    page = html(atlas, "/map?rows=region&columns=sku")
    drawn_cells = re.findall(r"<title>([^<]*)</title>(?:(?!<title>).)*?>(never ran|not known)<", page, re.S)
    assert all("not known" in title for title, says in drawn_cells if says == "not known")
    assert not [title for title, says in drawn_cells if says == "never ran" and "not known" in title]


def test_never_is_never_of_what_is_selected(atlas: Atlas) -> None:
    care = told(atlas, "/map?rows=region&columns=rack&is.kernel_release=6.3&is.kernel_release=6.8")["care"]
    assert care
    assert all("never ran" in line and "in what is selected" in line for line in care)


def test_the_matrix_beside_a_host_s_cpus_has_tones_of_its_own(atlas: Atlas) -> None:
    page = told(atlas, "/map?is.host=h3&rows=region&columns=rack")
    assert page["places"]["limits"] is None
    [cell] = [one for one in page["matrix"]["cells"] if one["cases"]]
    assert page["matrix"]["limits"][0] == pytest.approx(cell["rate"]["value"] * 1.1)


def test_levels_are_those_that_differ_where_one_looks(atlas: Atlas) -> None:
    def of(*chosen: tuple[str, str]) -> tuple[str | None, str | None]:
        conditions = tuple(Condition(name, "is", (value,)) for name, value in chosen)
        return levels(atlas, Selection(conditions=conditions), "", "")

    assert of() == ("region", "rack")
    assert of(("region", "eu")) == ("rack", "physical_host")
    assert of(("region", "eu"), ("rack", "r1")) == (None, "physical_host")
    assert of(("region", "eu"), ("rack", "r1"), ("physical_host", "p1")) == (None, "host")


def test_clicks_lead_from_a_region_to_a_rack_to_a_machine_to_a_host_to_its_cpus(atlas: Atlas) -> None:
    here, chosen, seen = "/map", set[str](), []
    for value in ("is.region=eu", "is.rack=r1", "is.physical_host=p1", "is.host=h3"):
        chosen.add(value)
        here = next(link for link in links(html(atlas, here)) if set(link.removeprefix("/map?").split("&")) == chosen)
        seen.append(told(atlas, here)["cases"])
    assert told(atlas, here)["places"]["places"] == "cpus"
    assert seen == [7, 4, 1, 1]


def test_an_exposure_without_time_at_risk_has_no_rate_but_its_crashes(tmp_path: Path) -> None:
    crashes = [crash(n, time=at(n), host="h0", labels=(("blue", str(n % 2)),)) for n in range(1, 7)]
    bare = drawn(tmp_path, crashes, hosts=[{"host": "h0", "rack": "r0", "from": START, "to": END}])
    page = told(bare, "/map?is.label+blue=1")
    assert (page["cases"], page["places"]["mean"], page["places"]["limits"]) == (3, None, None)


def test_a_fleet_that_counts_exceptions_is_not_told_in_hours(tmp_path: Path) -> None:
    at_risk = [{"host": f"h{n}", "region": f"r{n}", "from": START, "to": END, "exceptions": 100.0} for n in range(2)]
    page = html(drawn(tmp_path, [crash(1, time=at(1), host="h0", region="r0")], at_risk=at_risk), "/map")
    assert "per 100,000 exceptions" in words(page)
    assert "per 100,000 h" not in words(page)


def test_an_empty_casebook_does_not_say_that_no_host_is_known(tmp_path: Path) -> None:
    page = told(drawn(tmp_path, [], hosts=[{"host": "h0", "from": START, "to": END}]), "/map")
    assert (page["heading"], page["cases"]) == ("No crashes yet.", 0)
    assert "nor the fleet" not in page["opening"]


def test_the_story_s_streets_hold_every_case_that_has_a_host(sample_atlas: Atlas) -> None:
    page = told(sample_atlas, "/map")
    hosts = Counter(row["host"] for row in sample_atlas.ask("SELECT host FROM crashes").dicts())
    lost = hosts.pop(None, 0)
    assert page["places"]["unplaced"] == lost
    drawn_at = {
        at["host"]: sum(one["cases"] for one in at["crashes"]) for street in streets(page) for at in street["addresses"]
    }
    assert drawn_at == dict(hosts)
    assert sum(one["at_risk"] or 0 for one in streets(page)) == pytest.approx(sample_atlas.about.at_risk)
    assert sum(one["hosts"] for one in streets(page)) == sample_atlas.about.hosts


def test_the_story_s_machine_is_told_of_all_time_and_says_so(sample_atlas: Atlas) -> None:
    whole, later = (told(sample_atlas, address)["machine"] for address in ("/map", "/map?from=2026-04-01"))
    assert whole == later
    assert whole["cases"] == sum(len(one["cases"]) for one in whole["hosts"])
    assert "Of all time, whatever is selected." in words(html(sample_atlas, "/map?from=2026-04-01"))


def test_colours_are_the_same_on_the_overview_its_curve_and_the_map(sample_atlas: Atlas) -> None:
    overview, page = told(sample_atlas, "/"), told(sample_atlas, "/map")
    of_outbreaks = {one["role"] for one in overview["outbreaks"]}
    of_curve = [(one["role"], one["name"]) for one in overview["curve"]["series"]]
    assert of_curve == [tuple(one) for one in page["legend"]]
    assert of_outbreaks == {role for role, _ in page["legend"]} - {"other"}
    bars = set(re.findall(r'class="(s[abc]|bo) bars"', html(sample_atlas, "/map")))
    assert bars == {{"a": "sa", "b": "sb", "c": "sc", "other": "bo"}[role] for role, _ in page["legend"]}
