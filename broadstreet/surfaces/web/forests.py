"""Who is hit, as a forest: each exposure that was compared, naive and adjusted, on one axis of octaves."""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from broadstreet.surfaces.charts import forest as chart
from broadstreet.surfaces.investigation_json import ComparisonJson, IntervalJson, OutbreakJson
from broadstreet.surfaces.web.crash_told import raised
from broadstreet.surfaces.web.verdicts import Word, interval_of
from broadstreet.verdict.figures import interval, percent, ratio, small
from broadstreet.verdict.words import exposure, listed

MARKS = 296.0  # pixels of the axis in a cell


class Hit(msgspec.Struct, frozen=True):
    """One row: an exposure that these crashes have more of, or less, than its share explains.

    `naive` and `adjusted` are written as they are read; `adjusted` is empty where nothing could be adjusted, and
    `why_not` says why. `same_as` are the exposures that it cannot be told apart from. `q` is corrected for `asked`.
    """

    attribute: str
    value: str
    name: str
    inside: int
    of: int
    expected: str
    share: str
    against: str
    naive: str
    adjusted: str
    why_not: str
    same_as: list[str]
    strata: list[str]
    q: str
    asked: int
    naive_ratio: IntervalJson
    adjusted_ratio: IntervalJson | None


def hits(one: OutbreakJson) -> list[Hit]:
    """The rows of an outbreak: its cohort, then those that could be adjusted; of those that go together, one."""
    shown: list[ComparisonJson] = []
    for compared in (one.comparison, *one.others):
        if compared is None or any(_key(compared) == _key(other) for other in shown):
            continue
        if not any(compared.attribute in other.same_as for other in shown):
            shown.append(compared)
    return [_hit(each) for each in sorted(shown, key=lambda each: (each != one.comparison, each.adjusted is None))]


def strata_of(rows: Sequence[Hit]) -> str:
    """What was adjusted for, in words; empty where nothing was."""
    return listed(dict.fromkeys(name for row in rows if row.adjusted for name in row.strata))


def drawn(rows: Sequence[Hit], word: Word) -> dict[str, object]:
    """The axis, and the marks of each row, for the cells of a table."""
    forest = chart.Forest("", (), word.role, "square" if word.shape == "square" else "circle")
    return {"axis": chart.axis(MARKS), "rows": [_marks(forest, row) for row in rows]}


def _marks(forest: chart.Forest, row: Hit) -> Markup:
    of_chart = chart.Row(row.name, "", _ratio(row.naive_ratio), _maybe(row.adjusted_ratio), ("", ""), row.why_not)
    return chart.row(forest, of_chart, MARKS)


def _maybe(one: IntervalJson | None) -> chart.Ratio | None:
    return None if one is None else _ratio(one)


def _ratio(one: IntervalJson) -> chart.Ratio:
    return chart.Ratio(one.value, one.low, one.high)


def _key(one: ComparisonJson) -> tuple[str, str]:
    return one.attribute, one.value


def _hit(one: ComparisonJson) -> Hit:
    same = [exposure(name) for name in one.same_as]
    alone = one.adjusted is None
    return Hit(
        attribute=one.attribute,
        value=one.value,
        name=f"{exposure(one.attribute)} {one.value}",
        inside=one.inside,
        of=one.of,
        expected=ratio(one.of * one.share),
        share=percent(one.share),
        against=one.against,
        naive=interval(interval_of(one.naive)),
        adjusted=interval(interval_of(one.adjusted)) if one.adjusted is not None else "",
        why_not=("cannot be told apart" if same else "not adjusted") if alone else "",
        same_as=same,
        strata=[exposure(name) for name in one.strata],
        q="" if one.test.q is None else raised(small(one.test.q)),
        asked=one.test.asked,
        naive_ratio=one.naive,
        adjusted_ratio=one.adjusted,
    )
