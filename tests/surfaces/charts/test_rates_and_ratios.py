"""Rates, forests and likelihood ratios: where a mark is, and what leaves the axis."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.surfaces.charts import forest, rate, ratios
from broadstreet.surfaces.charts.forest import Forest, Ratio, Row
from broadstreet.surfaces.charts.rate import Rate
from broadstreet.surfaces.charts.ratios import LikelihoodRatio, Ratios
from tests.surfaces.charts.drawn import boxes, paths, texts, tree

RATE = Rate("Rate there", 1.0, 0.1, 10.0, 0.01, "100,000 host-hours", low_end=0.01, high_end=100)
ROW = Row("Uptime under 72 h", "52 of 64, 9%", Ratio(44, 23, 90), Ratio(1.1, 0.6, 2.1), ("44 (23–90)", "1.1 (0.6–2.1)"))


def test_a_rate_of_one_is_halfway_from_a_hundredth_to_a_hundred() -> None:
    ((x, _, width, _),) = boxes(paths(rate.draw(RATE, 250), "fa")[0])
    assert x + width / 2 == 125


def test_a_rate_says_its_interval_and_what_it_is_compared_with() -> None:
    desc = next(iter(tree(rate.draw(RATE, 250)).iter("desc"))).text
    assert desc == (
        "1.0 per 100,000 host-hours, 95% interval 0.1 to 10, against 0.01. The axis is logarithmic, 0.01 to 100."
    )


def test_an_interval_that_leaves_the_axis_has_an_arrow_there() -> None:
    assert not paths(rate.draw(RATE, 250), "arrow")
    assert len(paths(rate.draw(replace(RATE, high=1000), 250), "arrow")) == 1
    assert len(paths(rate.draw(replace(RATE, high=1000, low=0.001), 250), "arrow")) == 2


def test_an_undecided_rate_is_an_open_diamond() -> None:
    svg = rate.draw(replace(RATE, shape="diamond"), 250)
    assert len(paths(svg, "sa hollow")) == 1
    assert not list(tree(svg).iter("circle"))


def test_a_rate_that_is_not_known_is_said_in_words() -> None:
    svg = rate.draw(replace(RATE, value=None, low=None, high=None), 250)
    assert "not known" in texts(svg)
    assert not paths(svg, "fa")


def test_naive_is_hollow_and_adjusted_is_solid() -> None:
    svg = forest.draw(Forest("Who", (ROW,)), 592)
    assert len(paths(svg, "hollow")) == 1
    assert len(paths(svg, "fa")) == 1


def test_an_octave_is_as_long_everywhere() -> None:
    rows = tuple(replace(ROW, adjusted=Ratio(value, None, None)) for value in (1, 2, 4, 64, 128))
    xs = [boxes(d)[0][0] for d in paths(forest.draw(Forest("Who", rows), 592), "fa")]
    octave = xs[1] - xs[0]
    assert xs[2] - xs[1] == pytest.approx(octave, abs=0.02)
    assert xs[4] - xs[3] == pytest.approx(octave, abs=0.02)


def test_a_ratio_without_bound_is_an_arrow_and_its_number_says_over_how_much() -> None:
    row = replace(ROW, naive=Ratio(None, 53, None), numbers=("over 53", "1.1"))
    svg = forest.draw(Forest("Who", (row,)), 592)
    assert len(paths(svg, "arrow")) == 1
    assert "over 53" in texts(svg)


@pytest.mark.parametrize("width", [360, 388, 592])
def test_no_case_left_is_said_in_words(width: int) -> None:
    svg = forest.draw(Forest("Who", (replace(ROW, adjusted=None),)), width)
    assert "no case left" in texts(svg)
    assert not paths(svg, "fa")


def test_a_row_that_is_a_link_makes_the_forest_a_group() -> None:
    assert tree(forest.draw(Forest("Who", (ROW,)), 592)).get("role") == "img"
    linked = tree(forest.draw(Forest("Who", (replace(ROW, link="/hosts/x"),)), 592))
    assert linked.get("role") == "group"
    assert [one.get("href") for one in linked.iter("a")] == ["/hosts/x"]


def test_a_long_name_is_cut_for_the_eye_and_whole_in_its_title() -> None:
    name = "library build " + "5d1f0c" * 12
    svg = forest.draw(Forest("Who", (replace(ROW, label=name),)), 388)
    assert name not in texts(svg)
    assert name in [one.text for one in tree(svg).iter("title")]


def bar(svg: object, css: str) -> float:
    return boxes(paths(svg, css)[0])[0][2]  # type: ignore[arg-type]


def test_the_bar_of_ten_is_half_as_long_as_that_of_a_hundred() -> None:
    ten, hundred = (LikelihoodRatio("so", value, None, None) for value in (10.0, 100.0))
    lengths = [bar(ratios.draw(Ratios("Argument", (one,)), 1240), "for") for one in (ten, hundred)]
    assert lengths[0] == pytest.approx(lengths[1] / 2, abs=0.02)


def test_evidence_against_stands_first_and_hollow() -> None:
    items = (LikelihoodRatio("for it", 41, 18, 95), LikelihoodRatio("against it", 0.6, 0.3, 1))
    svg = ratios.draw(Ratios("Argument", items), 1240)
    said = texts(svg)
    assert said.index("Against") < said.index("against it") < said.index("For") < said.index("for it")
    assert len(paths(svg, "against")) == 1
    assert len(paths(svg, "for")) == 1


def test_a_cap_is_named_and_has_no_interval() -> None:
    svg = ratios.draw(Ratios("Argument", (LikelihoodRatio("so", 403, 403, 9e9, capped=True),)), 1240)
    assert "403 cap" in texts(svg)
    assert not paths(svg, "arrow")


def test_what_lies_beyond_the_axis_has_an_arrow() -> None:
    svg = ratios.draw(Ratios("Argument", (LikelihoodRatio("so", 403, 20, 40_000),)), 1240)
    assert len(paths(svg, "arrow")) == 1


def test_the_axis_holds_every_ratio_in_powers_of_ten() -> None:
    items = (LikelihoodRatio("so", 403, None, None), LikelihoodRatio("no", 0.6, None, None))
    assert ratios.ends(items) == (0.1, 1000)
    assert ratios.ends(()) == (0.1, 10)


@settings(max_examples=40, deadline=None)
@given(
    st.text(max_size=40),
    st.lists(st.floats(1e-9, 1e12), min_size=3, max_size=3),
    st.sampled_from([300.0, 388.0, 592.0, 1240.0]),
)
def test_any_numbers_are_well_formed_and_within_the_drawing(words: str, values: list[float], width: float) -> None:
    low, value, high = sorted(values)
    row = Row(words, words, Ratio(value, low, high), Ratio(value, low, high), (words, words))
    items = (LikelihoodRatio(words, value, low, high),)
    one = Rate(words, value, low, high, value, words)
    for svg in (
        forest.draw(Forest(words, (row,)), width),
        ratios.draw(Ratios(words, items, words, words, *ratios.ends(items)), width),
        rate.draw(one, width),
    ):
        assert tree(svg).tag == "svg"
        for d in (one.get("d", "") for one in tree(svg).iter("path")):
            for x, _, wide, _ in boxes(d):
                assert math.isfinite(x)
                assert -1 <= x <= x + wide <= width + 1
