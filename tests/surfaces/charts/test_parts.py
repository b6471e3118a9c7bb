"""Placements, matrices, dumbbells, the brush, merged stacks and small shapes."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.surfaces.charts import brush, curve, dumbbell, marks, matrix, multiples, placements, stack_tree
from broadstreet.surfaces.charts.brush import Brush
from broadstreet.surfaces.charts.curve import Curve, Series
from broadstreet.surfaces.charts.dumbbell import Dumbbell, Dumbbells
from broadstreet.surfaces.charts.matrix import Cell, Matrix
from broadstreet.surfaces.charts.placements import Placement, Placements
from broadstreet.surfaces.charts.stack_tree import MergedFrame
from broadstreet.surfaces.charts.svg import for_widths
from tests.surfaces.charts.drawn import boxes, paths, texts, tree

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=30)
LIMITS = (1.0, 2.0, 3.0, 4.0)


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def placed(*rows: Placement) -> Placements:
    return Placements("Under one machine", START, END, rows, at(11), "Onset 12 Mar")


def test_each_crash_of_a_placement_is_a_bar_and_those_of_one_hour_are_stacked() -> None:
    svg = placements.draw(placed(Placement("vm-1", at(2), at(20), (at(5), at(5.01), at(9)))), 592)
    bars = boxes(paths(svg, "fa")[0])
    assert len(bars) == 3
    assert bars[0][0] == bars[1][0] < bars[2][0]
    assert bars[1][1] < bars[0][1]


def test_a_placement_without_an_end_is_open() -> None:
    closed, open_ = (
        paths(placements.draw(placed(Placement("vm-1", at(2), end, ())), 592), "s3")[0] for end in (at(9), None)
    )
    assert closed.count("M") == 3
    assert open_.count("M") == 2


@pytest.mark.parametrize("name", ["ph-d11847", "vm-45e77e5b", "rack 7", "a", "ph-08a8c1"])
def test_a_name_that_has_room_is_not_cut(name: str) -> None:
    assert name in texts(placements.draw(placed(Placement(name, at(2), at(9), ())), 1240))


def test_placements_say_how_many_crashes_each_host_had() -> None:
    chart = placed(Placement("vm-1", at(2), at(9), (at(5),)), Placement("vm-2", at(9), None, (at(12), at(13))))
    assert placements.says(chart) == (
        "3 crashes in 2 placements, 1 Mar to 30 Mar: vm-1 1; vm-2 2. The outbreak began 12 Mar."
    )


def cells(*row: Cell | None) -> Matrix:
    return Matrix("SKU by kernel", ("e96",), tuple(f"6.{place}" for place in range(len(row))), (row,), LIMITS)


def test_a_cell_that_never_ran_is_hatched_one_not_known_is_blank_and_zero_is_a_number() -> None:
    svg = matrix.draw(cells(Cell(None, 0, 0, ""), None, Cell(0, 0, 2e6, "0 in 2 m h")), 592)
    assert len(paths(svg, "never")) == 1
    rects = [one.get("class") for one in tree(svg).iter("rect")]
    assert rects == ["hit", "unknown", "g0"]
    assert texts(svg) == ["6.0", "6.1", "6.2", "e96", "never ran", "not known", "0", "0 in 2 m h"]


def test_a_cell_shows_rate_count_and_time_at_risk_in_the_tone_of_its_rate() -> None:
    svg = matrix.draw(cells(Cell(3.5, 15, 4e5, "15 in 0.4 m h", "/map?sku=e96")), 592)
    assert {"3.5", "15 in 0.4 m h"} <= set(texts(svg))
    assert [one.get("class") for one in tree(svg).iter("rect")] == ["g3"]
    assert matrix.says(cells(Cell(3.5, 15, 4e5, ""))) == (
        "1 by 1 cells, crashes per 100,000 host-hours. The highest rate is 3.5, at e96 and 6.0."
    )


@pytest.mark.parametrize("width", [360, 388, 592, 1240])
def test_no_column_of_a_matrix_is_narrower_than_its_words(width: int) -> None:
    many = cells(*(Cell(1.5, 15_000, 4e5, "15,000 in 0.4 m h") for _ in range(12)))
    rects = list(tree(matrix.draw(many, width)).iter("rect"))
    assert len(rects) == 12
    assert all(float(one.attrib["width"]) >= 62 for one in rects)
    assert all(float(one.attrib["x"]) + float(one.attrib["width"]) <= width + 0.01 for one in rects)
    assert texts(matrix.draw(many, width)).count("15,000 in 0.4 m h") == 12


def test_a_share_of_a_half_is_in_the_middle() -> None:
    sign = Dumbbell("holds", 0.5, 1.0, ("1 / 2", "2 / 2"))
    svg = dumbbell.row(sign, 400)
    ((x, _, wide, _),) = boxes(paths(svg, "fa")[0])
    assert x + wide / 2 == 200
    assert [one.get("cx") for one in tree(svg).iter("circle")] == ["394"]


def test_a_half_that_could_not_be_judged_has_no_mark_and_no_line() -> None:
    svg = dumbbell.row(Dumbbell("holds", None, 0.2, ("0 / 0", "1 / 5")), 400)
    assert not paths(svg, "fa")
    assert not paths(svg, "s3")
    assert "could not be judged" in texts(dumbbell.row(Dumbbell("holds", None, None, ("0 / 0", "0 / 0")), 400))


@pytest.mark.parametrize("width", [360, 592, 1240])
def test_a_dumbbell_says_the_counts_of_both_halves(width: int) -> None:
    chart = Dumbbells("Halves", ("Misaligned", "Null"), (Dumbbell("holds", 0.5, 1.0, ("1 / 2", "2 / 2"), "10⁻⁷⁴"),))
    assert {"1 / 2", "2 / 2", "10⁻⁷⁴", "Misaligned", "Null", "50%"} <= set(texts(dumbbell.draw(chart, width)))


def test_the_brackets_of_the_brush_stand_where_the_range_is_and_say_when() -> None:
    svg = brush.draw(Brush("Time", START, END, (1,) * 30, (at(15), END)), 604)
    grips = [one for one in tree(svg).iter("g") if one.get("class") == "grip"]
    assert [(one.get("data-grip"), one.get("data-at")) for one in grips] == [
        ("from", "2026-03-16T00:00:00Z"),
        ("to", "2026-03-31T00:00:00Z"),
    ]
    assert "H302V" in paths(svg, "bracket")[0]
    assert brush.says(Brush("Time", START, END, (1,) * 30, (at(15), END))) == (
        "30 cases, 1 Mar to 30 Mar; chosen 16 Mar to 30 Mar."
    )


def test_a_merged_frame_has_its_share_and_its_trust_in_a_word_and_at_its_edge() -> None:
    frames = (
        MergedFrame("_Unwind_Resume", 1.0, "below_sp"),
        MergedFrame("Stream<int>::pump", 0.74, "frame_pointer", 1, "libstream.so"),
        MergedFrame("clone3", 0.04, "stack_scan", 40),
        MergedFrame("main", 0.9, None),
    )
    rows = list(ElementTree.fromstring(str(stack_tree.draw(frames))).iter("li"))
    assert [row.get("class") for row in rows] == ["t-below-sp", "t-frame-pointer", "t-stack-scan", "t-mixed"]
    said = [[span.text for span in row.findall("span")] for row in rows]
    assert said == [["100%", "below sp"], ["74%", "frame pointer"], ["4%", "stack scan"], ["90%", "mixed"]]
    assert [row.find("code").get("class") for row in rows] == [  # type: ignore[union-attr]
        "frame d0",
        "frame d1",
        "frame d12",
        "frame d0",
    ]


def test_every_verdict_and_every_finding_has_a_shape_of_its_own() -> None:
    verdicts = {marks.verdict("hardware", "a"), marks.verdict("software", "a"), marks.verdict("undetermined", "a")}
    findings = {marks.finding("holds"), marks.finding("does not hold"), marks.finding("could not be judged")}
    assert len(verdicts | findings) == 6
    assert marks.verdict("held") == marks.verdict("undetermined")


def test_the_key_of_the_tones_names_every_rate_once() -> None:
    assert [words for _, words in marks.tones((0.8, 1.2, 2, 3))] == [
        "under 0.8",
        "0.8 to 1.2",
        "1.2 to 2",
        "2 to 3",
        "3 and more",
    ]


def test_small_multiples_stand_on_one_scale_and_their_names_are_links() -> None:
    def one(name: str, *counts: int) -> Curve:
        return Curve(name, START, at(len(counts)), "day", (Series(name, "b", counts),))

    curves = (one("S-1", 1, 0), one("S-2", 30, 2))
    shown = ElementTree.fromstring(str(multiples.draw(curves, ("/syndrome/S-1", None))))
    assert [link.get("href") for link in shown.iter("a")] == ["/syndrome/S-1"]
    heights = {boxes(path.attrib["d"])[0][3] for path in shown.iter("path") if path.get("class") == "fb"}
    assert len(heights) == 1
    assert multiples.caption(curves) == "Cases per day, one block a case, all on one scale"


def test_the_drawings_of_one_chart_for_two_widths_share_no_id() -> None:
    chart = Curve("S", START, at(2), "day", (Series("s", "a", (1, 2)),))
    both = ElementTree.fromstring(f"<div>{for_widths(curve.draw, chart, 1240, 360, 760)}</div>")
    names = [one.get("id") for one in both.iter() if one.get("id")]
    assert len(names) == len(set(names)) == 6
    assert [one.get("class") for one in both] == ["chart w wm", "chart m", "chart n"]


@settings(max_examples=40, deadline=None)
@given(st.text(), st.floats(0, 1), st.integers(0, 10**9), st.sampled_from([300.0, 388.0, 592.0, 1240.0]))
def test_any_words_are_well_formed(words: str, share: float, count: int, width: float) -> None:
    shown = (
        placements.draw(placed(Placement(words, at(2), None, (at(3),), "/hosts/x")), width),
        matrix.draw(Matrix(words, (words,), (words,), ((Cell(share, count, 1.0, words),),), LIMITS), width),
        dumbbell.draw(Dumbbells(words, (words, words), (Dumbbell(words, share, None, (words, words), words),)), width),
        brush.draw(Brush(words, START, END, (count, None), (at(1), at(2)), words), width),
        stack_tree.draw((MergedFrame(words, share, "register", count, words, words),)),
    )
    for one in shown:
        assert ElementTree.fromstring(str(one)).tag in ("svg", "ol")
