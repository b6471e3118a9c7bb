"""The map: a street as long as its hosts, a crash at its address, a suspect beside the street."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from broadstreet.surfaces.charts import street_map
from broadstreet.surfaces.charts.street_map import Crash, FleetMap, Region, Street
from broadstreet.surfaces.charts.suspects import Address, Suspect
from tests.surfaces.charts.drawn import boxes, paths, texts, tree

LIMITS = (1.0, 2.0, 3.0, 4.0)


def fleet(*streets: Street, **more: object) -> FleetMap:
    return FleetMap("Map", (Region("eu-west", "40 hosts", streets),), LIMITS, **more)  # type: ignore[arg-type]


def many(hosts: int) -> FleetMap:
    """A fleet of pools of 40 hosts in five regions, every fifth host with a crash."""
    crashes = tuple(Crash(place, "b") for place in range(0, 40, 5))
    each = hosts // 40 // 5
    streets = tuple(Street(f"pool {place}", 40, place % 6, crashes, "40 hosts", "/map?pool=1") for place in range(each))
    return FleetMap("Map", tuple(Region(f"region {name}", "hosts", streets) for name in range(5)), LIMITS)


def dots(svg: Markup) -> int:
    """Dots that the dashed lines of all streets show: one at the begin of each period."""
    found = 0
    for one in tree(svg).iter("path"):
        if one.get("class") == "dots":
            period = sum(map(float, one.attrib["stroke-dasharray"].split()))
            lengths = re.findall(r"h([\d.]+)", one.attrib["d"])
            found += sum(round((float(length) - 1) / period) + 1 for length in lengths)
    return found


def stacks(svg: Markup, css: str) -> list[tuple[float, float, float]]:
    """The stacks of crashes: x, where they begin, and their height away from the street."""
    found = re.findall(r"M([-\d.]+) ([-\d.]+)v([-\d.]+)", "".join(paths(svg, f"{css} bars")))
    return [(float(x), float(y), float(high)) for x, y, high in found]


def test_each_host_is_a_dot() -> None:
    assert dots(street_map.draw(fleet(Street("r1", 37, 1.0), Street("r2", 40, 1.0)), 1240)) == 77


def test_a_host_without_time_at_risk_has_no_dot() -> None:
    assert dots(street_map.draw(fleet(Street("r1", 40, 1.0, idle=frozenset({0, 7, 39}))), 1240)) == 37


def test_above_twenty_thousand_hosts_a_dot_is_ten_and_the_caption_says_so() -> None:
    assert street_map.caption(many(20_000)) == "One dot is one host, one bar one crash"
    assert street_map.caption(many(20_200)) == "One dot is ten hosts, one bar one crash"
    assert dots(street_map.draw(many(28_000), 1240)) == 2_800


def test_a_street_of_half_as_many_hosts_is_half_as_long() -> None:
    svg = street_map.draw(fleet(Street("r1", 40, 1.5), Street("r2", 20, 1.5)), 1240)
    long, short = (boxes(d)[0][2] for d in paths(svg, "ground"))
    assert short == pytest.approx(long / 2)


def test_crashes_are_stacked_away_from_the_street_at_their_host() -> None:
    svg = street_map.draw(fleet(Street("r1", 40, 1.0, (Crash(0, "a", 5), Crash(1, "a", 10)))), 1240)
    above, below = stacks(svg, "sa")
    assert above[2] < 0 < below[2]
    assert above[0] == below[0]  # the two first hosts face one another
    gap = 0.2 * (below[2] + above[2]) / 5
    assert below[2] + gap == pytest.approx(2 * (gap - above[2]), abs=0.02)


def test_crashes_of_two_kinds_at_one_host_do_not_hide_one_another() -> None:
    svg = street_map.draw(fleet(Street("r1", 40, 1.0, (Crash(0, "b", 3), Crash(0, "a", 2)))), 1240)
    ((_, first, high),), ((_, second, _),) = stacks(svg, "sa"), stacks(svg, "sb")
    assert second < first + high


def test_a_stack_of_thousands_is_counted_in_tens_and_the_caption_says_so() -> None:
    chart = fleet(Street("r1", 40, 1.0, (Crash(0, "a", 4_000),)))
    assert street_map.caption(chart) == "One dot is one host, one bar 100 crashes"


def test_the_tone_is_how_many_limits_the_rate_reaches() -> None:
    svg = street_map.draw(fleet(*(Street(f"r{rate}", 40, rate) for rate in (0.0, 1.0, 2.5, 3.0, 9.0))), 1240)
    found = [one.attrib["class"] for one in tree(svg).iter("path") if "ground" in one.attrib["class"]]
    assert found == ["g0 ground", "g1 ground", "g2 ground", "g3 ground", "g4 ground"]


def test_a_street_whose_rate_is_not_known_is_hatched() -> None:
    svg = street_map.draw(fleet(Street("r1", 40, None)), 1240)
    assert len(paths(svg, "ht")) == 1
    assert not paths(svg, "ground")


def test_what_has_no_region_is_named_not_known_and_stands_last() -> None:
    street = Street("r1", 40, 1.0)
    chart = FleetMap("Map", (Region(None, "", (street,)), Region("eu-west", "", (street,))), LIMITS)
    places = [one.text for one in tree(street_map.draw(chart, 1240)).iter("text") if one.get("class") == "place"]
    assert places == ["eu-west", "not known"]


def test_the_suspect_has_a_line_to_the_end_of_each_of_its_stacks() -> None:
    suspect = Suspect("ph-1", ("2 crashes",), "a", (Address(0, 0, 3, "031"), Address(0, 5, 8, "043")), "/hosts/ph-1")
    streets = [Street(f"r{place}", 40, 1.0) for place in range(9)]
    streets[0] = replace(streets[0], crashes=(Crash(3, "a", 4),))
    streets[5] = replace(streets[5], crashes=(Crash(8, "a", 2),))
    svg = street_map.draw(fleet(*streets, suspects=(suspect,)), 1240)
    ends = re.findall(r"M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)", paths(svg, "lead")[0])
    assert {(begin_x, begin_y) for begin_x, begin_y, _, _ in ends} == {ends[0][:2]}
    assert sorted(float(x) for _, _, x, _ in ends) == sorted(x for x, _, _ in stacks(svg, "sa"))
    assert {"ph-1", "2 crashes", "031", "043"} <= set(texts(svg))


def test_streets_are_links_that_the_keyboard_passes_over() -> None:
    root = tree(street_map.draw(many(400), 1240))
    links = list(root.iter("a"))
    assert len(links) == 10
    assert {one.get("tabindex") for one in links} == {"-1"}
    assert root.get("role") == "group"


@pytest.mark.parametrize("hosts", [10_000, 20_000, 28_000])
@pytest.mark.parametrize("width", [360, 1240])
def test_a_large_fleet_is_drawn_within_four_hundred_kilobytes(hosts: int, width: int) -> None:
    svg = street_map.draw(many(hosts), width)
    assert len(svg) < 400_000


def test_the_thumbnail_has_no_words_and_no_links() -> None:
    suspect = Suspect("ph-1", ("2 crashes",), "a", (Address(0, 0, 5, "031"),), "/hosts/ph-1")
    svg = street_map.thumbnail(replace(many(10_000), suspects=(suspect,)), 380)
    assert not texts(svg)
    assert not list(tree(svg).iter("a"))
    assert len(list(tree(svg).iter("circle"))) == 3


def test_regions_below_one_another_are_as_wide_as_the_page() -> None:
    streets = tuple(Street(f"r{place}", 40, 1.5) for place in range(40))
    svg = street_map.draw(FleetMap("Map", tuple(Region(name, "", streets) for name in "abc"), LIMITS), 360)
    assert max(x + wide for d in paths(svg, "ground") for x, _, wide, _ in boxes(d)) == pytest.approx(360, abs=1)


def test_a_stack_of_the_first_row_does_not_reach_the_line_of_its_region() -> None:
    svg = street_map.draw(fleet(Street("r1", 40, 1.0, (Crash(0, "a", 30),))), 1240)
    ((_, begin, high),) = stacks(svg, "sa")
    assert begin + high > 20.5


def test_a_fleet_of_nothing_is_drawn() -> None:
    assert tree(street_map.draw(FleetMap("Map", (), LIMITS), 388)).tag == "svg"
    assert tree(street_map.draw(fleet(), 388)).tag == "svg"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.text(max_size=12)), st.lists(st.integers(1, 300), max_size=30)), max_size=7
    ),
    st.sampled_from([360.0, 388.0, 760.0, 1240.0]),
)
def test_any_fleet_lies_within_its_width(regions: list[tuple[str | None, list[int]]], width: float) -> None:
    chart = FleetMap(
        "Map",
        tuple(
            Region(name, "a note", tuple(Street(str(hosts), hosts, 1.5, (Crash(hosts - 1, "b"),)) for hosts in streets))
            for name, streets in regions
        ),
        LIMITS,
    )
    svg = street_map.draw(chart, width)
    for d in paths(svg, "ground"):
        ((x, y, wide, high),) = boxes(d)
        assert -0.01 <= x <= x + wide <= width + 0.01
        assert 0 <= y <= y + high <= float(tree(svg).attrib["height"])
    assert all(math.isfinite(x) for x, _, _ in stacks(svg, "sb"))
