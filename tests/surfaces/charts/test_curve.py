"""The epidemic curve: every case a block, marks whose words do not meet."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.surfaces.charts import curve
from broadstreet.surfaces.charts.axes import TimeScale
from broadstreet.surfaces.charts.curve import Curve, Series, Strip
from broadstreet.surfaces.charts.marks_of_time import Mark, placed
from tests.surfaces.charts.drawn import boxes, paths, texts, tree

START = datetime(2026, 3, 9, tzinfo=UTC)


def days(*series: Series, **more: object) -> Curve:
    end = START + timedelta(days=len(series[0].counts))
    return Curve("Cases", START, end, "day", series, **more)  # type: ignore[arg-type]


def blocks(drawn: Curve, css: str, width: float = 1240) -> int:
    return sum(len(boxes(d)) for d in paths(curve.draw(drawn, width), css))


def test_seven_cases_are_seven_blocks() -> None:
    chart = days(Series("misaligned", "a", (3, 0, 4)), Series("null", "b", (0, 0, 1)))
    assert blocks(chart, "fa") == 7
    assert blocks(chart, "fb") == 1
    assert curve.caption(chart) == "Cases per day, one block a case"


def test_above_two_thousand_cases_one_block_is_ten_and_the_caption_says_so() -> None:
    assert curve.caption(days(Series("s", "a", (50,) * 40))) == "Cases per day, one block a case"
    chart = days(Series("s", "a", (50,) * 40 + (1,)))
    assert curve.caption(chart) == "Cases per day, one block is 10 cases"
    assert blocks(chart, "fa") == 40 * 5 + 1


def test_a_block_that_is_not_full_is_as_low_as_its_share() -> None:
    chart = days(Series("s", "a", (2000, 40)))
    assert curve.block_of(chart) == 100
    (full, *_), (last,) = (boxes(d) for d in paths(curve.draw(chart, 600), "fa"))
    assert last[3] == pytest.approx(full[3] * 0.4, abs=0.01)


def test_the_second_series_stands_on_the_first() -> None:
    chart = days(Series("one", "a", (2,)), Series("two", "b", (1,)))
    (lower,), (upper,) = paths(curve.draw(chart, 600), "fa"), paths(curve.draw(chart, 600), "fb")
    assert max(y + high for _, y, _, high in boxes(upper)) <= min(y for _, y, _, _ in boxes(lower))


def test_a_gap_is_a_fifth_of_a_block() -> None:
    (d,) = paths(curve.draw(days(Series("one", "a", (2,))), 600), "fa")
    (_, below, _, high), (_, above, _, _) = boxes(d)
    assert below - (above + high) == pytest.approx((below - above) / 5, abs=0.02)


def test_a_day_that_was_not_observed_is_hatched_and_said() -> None:
    chart = days(Series("one", "a", (2, None, 0)))
    svg = curve.draw(chart, 600)
    assert len(paths(svg, "ht")) == 1
    assert "1 day not observed" in curve.says(chart)
    titles = [one.text for one in tree(svg).iter("title")]
    assert titles[1:] == ["9 Mar: one 2", "10 Mar: one not observed", "11 Mar: no cases"]


def test_each_column_says_from_when_to_when_and_is_a_link_that_the_keyboard_passes() -> None:
    svg = curve.draw(days(Series("one", "a", (2, 1)), links=("/explore?day=1", None)), 600)
    columns = [one for one in tree(svg).iter() if one.attrib.get("class") == "col"]
    assert [(one.tag, one.get("data-from"), one.get("data-to")) for one in columns] == [
        ("a", "2026-03-09T00:00:00Z", "2026-03-10T00:00:00Z"),
        ("g", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"),
    ]
    assert columns[0].get("tabindex") == "-1"
    assert tree(svg).get("role") == "group"


def test_a_chart_without_links_is_an_image_with_a_title_and_a_sentence() -> None:
    root = tree(curve.draw(days(Series("one", "a", (2, 1))), 600))
    title, desc = root[0], root[1]
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert desc.text == "Cases per day, one block a case, 9 Mar to 10 Mar: one 3. Most on 9 Mar: 2 cases."


def test_halves_on_one_scale_have_blocks_of_one_height() -> None:
    small, large = curve.on_one_scale([days(Series("a", "a", (1,))), days(Series("b", "b", (40,)))])
    heights = [boxes(paths(curve.draw_low(one, 400), css)[0])[0][3] for one, css in ((small, "fa"), (large, "fb"))]
    assert heights[0] == heights[1]


def test_a_value_of_the_strip_that_is_not_known_is_a_gap() -> None:
    chart = days(Series("a", "a", (1, 1, 1, 1)), strip=Strip("exceptions", (1.0, None, 2.0, 3.0)))
    (d,) = paths(curve.draw(chart, 600), "si thick")
    assert d.count("M") == 2
    assert "exceptions: 1.0 to 3.0" in texts(curve.draw(chart, 600))


def test_a_peak_is_named_where_it_is_neither_first_nor_last() -> None:
    chart = days(Series("a", "a", (1, 1, 1, 1)), strip=Strip("exceptions", (1.0, 9.0, 2.0, 3.0)))
    assert "exceptions: 1.0 to 3.0, at most 9.0" in texts(curve.draw(chart, 600))


def test_a_hostile_name_is_text() -> None:
    name = "<script>alert(1)</script>\x1b[31m\u202e" + "x" * 1_000_000
    chart = days(Series(name, "a", (1,)), marks=(Mark("release", START, name, name),))
    svg = curve.draw(chart, 388)
    assert not list(tree(svg).iter("script"))
    assert "\x1b" not in svg
    assert "\u202e" not in svg
    assert len(svg) < 10_000
    assert "\\x1b[31m\\u202e" in next(iter(tree(svg).iter("desc"))).text  # type: ignore[operator]


def test_a_link_out_of_the_site_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="not a link within the site"):
        curve.draw(days(Series("a", "a", (1,)), links=("javascript:alert(1)",)), 388)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 89), min_size=1, max_size=5), st.sampled_from([360.0, 388.0, 592.0, 1240.0]))
def test_words_of_marks_never_meet(places: list[int], width: float) -> None:
    end = START + timedelta(days=90)
    marks = tuple(Mark("release", START + timedelta(days=at), f"Release {at}", "a word or two") for at in places)
    shown = placed(marks, TimeScale(START, end, 20, width), width)
    for one, other in itertools.combinations(shown, 2):
        assert one.row != other.row or one.right <= other.left or other.right <= one.left


@settings(max_examples=30, deadline=None)
@given(
    st.text(max_size=30),
    st.lists(st.one_of(st.none(), st.integers(0, 10**7)), min_size=1, max_size=40),
    st.sampled_from([240.0, 388.0, 1240.0]),
)
def test_any_name_and_any_counts_are_well_formed(name: str, counts: list[int | None], width: float) -> None:
    svg = curve.draw(days(Series(name, "other", tuple(counts))), width)
    assert tree(svg).get("width") == f"{width:.0f}"
    assert blocks(days(Series(name, "other", tuple(counts))), "fo") <= 2_000 + len(counts)
