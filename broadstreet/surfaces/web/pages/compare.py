"""Two populations of crashes side by side: how many, when, how often, and what tells one from the other."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec
from markupsafe import Markup

from broadstreet.errors import UsageError
from broadstreet.population.differences import Difference, discovered
from broadstreet.population.rates import beside, rate
from broadstreet.records.selection import EVERYTHING, Condition, Kind, Selection
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import AMONG, Atlas
from broadstreet.store.tallies import at_risk, curves, sizes
from broadstreet.surfaces.charts import curve as chart
from broadstreet.surfaces.charts import dumbbell
from broadstreet.surfaces.text import first_up
from broadstreet.surfaces.web.compared import (
    DifferenceTold,
    IntervalTold,
    Pair,
    SameTold,
    asked_of,
    difference_told,
    interval_told,
    pair_of,
    same_told,
)
from broadstreet.surfaces.web.curves import HOURS, begin, period_of, step_of
from broadstreet.surfaces.web.facets import label, toggled
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter
from broadstreet.surfaces.web.rendering import link
from broadstreet.surfaces.web.selection import chips, pairs_of
from broadstreet.surfaces.web.spoken import spoken
from broadstreet.verdict.words import exposure, listed

SHOWN, ALL = 30, 1_000  # differences
Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")


class LimitTold(msgspec.Struct, frozen=True):
    """A limit of a population in words, and the address of the comparison without it."""

    text: str
    without: str


class SideTold(msgspec.Struct, frozen=True):
    """One population: which crashes, how many, when, and its rate where time at risk is told by all that defines it.

    `rest`: it is all that the other one is not. `rate` is per 100,000 of what time at risk is counted in.
    """

    name: str
    rest: bool
    words: str
    limits: list[LimitTold]
    cases: int
    episodes: int
    hosts: int
    first: datetime | None
    last: datetime | None
    at_risk: float | None
    rate: IntervalTold | None
    address: str | None


class CurvesTold(msgspec.Struct, frozen=True):
    """Dated cases of both in steps from `start`."""

    step: Literal["hour", "day", "week"]
    start: datetime
    end: datetime
    a: list[int]
    b: list[int]
    query: str


class ShortcutTold(msgspec.Struct, frozen=True):
    """Two populations that one might want to compare."""

    text: str
    address: str


class CompareTold(msgspec.Struct, frozen=True):
    """Two populations and what tells them apart.

    `both` cases are in both and count in both. `questions` were asked, one for each value; `differing` of them have an
    answer of which 1 % are false. `ratio` is the rate of A over that of B. `defined_by` are the columns that were not
    asked, because A or B is chosen by them.
    """

    answer: str
    a: SideTold | None
    b: SideTold | None
    both: int
    curves: CurvesTold | None
    measure: str | None
    ratio: IntervalTold | None
    no_rate: str
    questions: int
    differing: int
    differences: list[DifferenceTold]
    same: list[SameTold]
    defined_by: list[str]
    swap: str | None
    all: str | None
    shortcuts: list[ShortcutTold]
    queries: dict[str, str]


def tell(asked: Asked) -> CompareTold:
    """Two populations side by side; where one is not said, it is the rest."""
    atlas = asked.atlas
    pair = _pair(asked)
    if pair is None:
        return _nothing(atlas)
    size = sizes(atlas, pair.where_a, pair.where_b)
    (known,) = size.dicts()
    found = asked_of(atlas, pair)
    surest = discovered(found)
    shown = surest[: ALL if asked.one("all") else SHOWN]
    seconds = {side: _at_risk(atlas, pair, side) for side in SIDES}
    apart = _rates_apart(known, seconds)
    return CompareTold(
        answer=_answer(pair, known, surest),
        a=_side(atlas, pair, "a", known, seconds["a"]),
        b=_side(atlas, pair, "b", known, seconds["b"]),
        both=known["both"],
        curves=_curves(atlas, pair),
        measure=atlas.about.measures[0] if atlas.about.measures else None,
        ratio=apart,
        no_rate=_no_rate(atlas, pair),
        questions=found[0].test.asked if found else 0,
        differing=len(surest),
        differences=[difference_told(atlas, pair, one) for one in shown],
        same=same_told(atlas, pair, found, surest),
        defined_by=pair.defined_by,
        swap=_address(pair.b, pair.a),
        all=_address(pair.a, pair.b, ("all", "yes")) if len(surest) > len(shown) else None,
        shortcuts=_shortcuts(atlas),
        queries={"sizes": size.select},
    )


def draw(told: CompareTold, asked: Asked) -> dict[str, object]:
    """Both curves on one scale, and the marks of each difference."""
    made: dict[str, object] = {"kinds": asked.atlas.columns.values(), "curves": {}, "rows": [], "axis": ""}
    made["fields"] = {side: pairs_of(asked.sides.get(side, EVERYTHING), f"{side}.") for side in SIDES}
    if told.curves is not None:
        both = chart.on_one_scale([_curve_of(told.curves, "A", "a"), _curve_of(told.curves, "B", "b")])
        made["curves"] = {
            side: chart.draw_low(one, 592, "w") + chart.draw_low(one, 360, "n")
            for side, one in zip(SIDES, both, strict=True)
        }
        made["caption"] = chart.caption(both[0])
    made["axis"] = dumbbell.axis(270)
    made["rows"] = [_marks(one) for one in told.differences]
    made["same"] = [_marks(one.nearest) for one in told.same]
    return made


def _pair(asked: Asked) -> Pair | None:
    given = {side: asked.sides.get(side, EVERYTHING) for side in SIDES}
    column, value, how = asked.one("column"), asked.one("value"), asked.one("how", "is")
    if column:
        side = asked.one("of", "a")
        if side not in SIDES or how not in get_args(Kind):
            raise UsageError("a limit is put on a or on b, by is, not, min or max", "of=a&column=region&how=is&value=x")
        given["a" if side == "a" else "b"] = _with(given["a" if side == "a" else "b"], column, how, value)
    a, b = (None if one == EVERYTHING else one for one in (given["a"], given["b"]))
    if a is None and b is None:
        return None
    return pair_of(asked.atlas, a, b)


def _with(selection: Selection, column: str, how: str, value: str) -> Selection:
    if how in ("is", "not"):
        changed = toggled(selection, column, value or None, "is" if how == "is" else "not")
        kept = any(
            one.column == column and (value or None) in one.values and one.kind == how for one in selection.conditions
        )
        return selection if kept else changed
    others = tuple(one for one in selection.conditions if (one.column, one.kind) != (column, how))
    kind: Kind = "min" if how == "min" else "max"
    return selection._replace(conditions=(*others, Condition(column, kind, (value,))) if value else others)


def _address(a: Selection | None, b: Selection | None, *more: tuple[str, str]) -> str:
    sides = [*pairs_of(a or EVERYTHING, "a."), *pairs_of(b or EVERYTHING, "b.")]
    return link("/compare", pairs=[*sides, *more])


def _nothing(atlas: Atlas) -> CompareTold:
    return CompareTold(
        answer="Choose two populations.",
        a=None,
        b=None,
        both=0,
        curves=None,
        measure=None,
        ratio=None,
        no_rate="",
        questions=0,
        differing=0,
        differences=[],
        same=[],
        defined_by=[],
        swap=None,
        all=None,
        shortcuts=_shortcuts(atlas),
        queries={},
    )


def _answer(pair: Pair, known: dict[str, int], surest: Sequence[Difference]) -> str:
    for side in SIDES:
        if not known[f"{side}_cases"]:
            return f"{side.upper()} has no crash: there is nothing to compare."
    if not surest:
        return "Nothing that was asked tells A from B."
    of = next((one.of for one in surest if one.of.column not in pair.within), surest[0].of)
    name = first_up(f"{exposure(of.column)} {label(of.column, of.value)}")
    return f"{name}: {of.a:,} of {of.known_a:,} crashes of A, {of.b:,} of {of.known_b:,} of B."


def _side(atlas: Atlas, pair: Pair, side: Side, known: dict[str, int], hours: float | None) -> SideTold:
    own, other = (pair.a, pair.b) if side == "a" else (pair.b, pair.a)
    limits = []
    for one in chips(own or EVERYTHING):
        left = None if one.without == EVERYTHING else one.without
        limits.append(LimitTold(one.text, _address(left, other) if side == "a" else _address(other, left)))
    return SideTold(
        name=side.upper(),
        rest=own is None,
        words=spoken(own) if own else "",
        limits=limits,
        cases=known[f"{side}_cases"],
        episodes=known[f"{side}_episodes"],
        hosts=known[f"{side}_hosts"],
        first=known[f"{side}_first"],  # type: ignore[arg-type]
        last=known[f"{side}_last"],  # type: ignore[arg-type]
        at_risk=hours,
        rate=_interval(rate(known[f"{side}_episodes"], hours)),
        address=_cases(own, other),
    )


def _cases(own: Selection | None, other: Selection | None) -> str | None:
    """Where the cases of a population are listed; the rest has such a page where one condition makes it."""
    if own is not None:
        return link("/cases", own)
    if other is None or other.start or other.end or len(other.conditions) != 1:
        return None
    (one,) = other.conditions
    if one.kind not in ("is", "not"):
        return None
    return link("/cases", Selection(conditions=(one._replace(kind="not" if one.kind == "is" else "is"),)))


def _untold(atlas: Atlas, pair: Pair) -> list[str]:
    """By which of the columns that tell A from B, and exposures that bound both, time at risk is not told."""
    given = [set(one.conditions) for one in (pair.a, pair.b) if one is not None]
    shared = set.intersection(*given) if len(given) == 2 else set()
    found = set()
    for one in set.union(*given):
        column = None if one.column == AMONG else atlas.column(one.column)
        if column is None or (not column.at_risk and (one not in shared or column.kind == "exposure")):
            found.add("outbreak" if column is None else exposure(one.column))
    return sorted(found)


def _at_risk(atlas: Atlas, pair: Pair, side: Side) -> float | None:
    if not atlas.about.measures or _untold(atlas, pair):
        return None
    own, other = (pair.a, pair.b) if side == "a" else (pair.b, pair.a)
    (row,) = at_risk(atlas, own or other or EVERYTHING).dicts()
    return float(row["at_risk"]) if own is not None else float(row["of_all"]) - float(row["at_risk"])


def _rates_apart(known: dict[str, int], hours: dict[Side, float | None]) -> IntervalTold | None:
    a, b = hours["a"], hours["b"]
    if a is None or b is None or known["both"]:
        return None
    return _interval(beside((known["a_episodes"], a), (known["b_episodes"], b)))


def _no_rate(atlas: Atlas, pair: Pair) -> str:
    if not atlas.about.measures:
        return "There are no rates to compare: nothing tells time at risk."
    untold = _untold(atlas, pair)
    return f"There are no rates to compare: time at risk is not told by {listed(untold)}." if untold else ""


def _curves(atlas: Atlas, pair: Pair) -> CurvesTold | None:
    whole = period_of(atlas)
    if whole is None:
        return None
    step = step_of(*whole)
    start, length = begin(whole[0], step), timedelta(hours=HOURS[step])
    count = max(1, -((start - whole[1]) // length))
    answer = curves(atlas, pair.where_a, pair.where_b, start, HOURS[step])
    counts = {side: [0] * count for side in SIDES}
    for row in answer.dicts():
        if 0 <= row["bin"] < count:
            for side in SIDES:
                counts[side][row["bin"]] = row[side]
    return CurvesTold(step, start, start + count * length, counts["a"], counts["b"], answer.select)


def _curve_of(told: CurvesTold, name: str, role: Side) -> chart.Curve:
    counts = told.a if role == "a" else told.b
    series = (chart.Series(name, role, tuple(counts)),)
    return chart.Curve(f"Cases of {name} over time", told.start, told.end, told.step, series)


def _marks(one: DifferenceTold) -> Markup:
    counts = (f"{one.a:,} / {one.known_a:,}", f"{one.b:,} / {one.known_b:,}")
    sign = dumbbell.Dumbbell(one.value, one.share_a.value, one.share_b.value, counts)
    return dumbbell.row(sign, 270)


def _shortcuts(atlas: Atlas) -> list[ShortcutTold]:
    found = investigation(atlas).outbreaks

    def of(outbreak: str, side: str) -> Selection:
        return Selection(conditions=(Condition(AMONG, "is", (f"{outbreak}:{side}",)),))

    pairs = [
        ShortcutTold(
            f"Outbreak {one.rank} against {other.rank}", _address(of(one.id, "inside"), of(other.id, "inside"))
        )
        for place, one in enumerate(found[:3])
        for other in found[place + 1 : 3]
    ]
    elsewhere = [
        ShortcutTold(
            f"Outbreak {one.rank} against the same syndrome elsewhere",
            _address(of(one.id, "inside"), of(one.id, "elsewhere")),
        )
        for one in found[:3]
    ]
    return [*pairs, *elsewhere]


def _interval(one: Interval | None) -> IntervalTold | None:
    return None if one is None else interval_told(one)


PAGE = Page(
    path="/compare",
    name="Compare",
    tab="Cases",
    told=CompareTold,
    tell=tell,
    template="compare.html",
    summary="Two populations of crashes side by side: sizes, curves, rates, and every value in which they differ.",
    selects=("a.", "b."),
    parameters=(
        Parameter("of", "The population, a or b, on which one more limit is put."),
        Parameter("column", "The column of that limit."),
        Parameter("how", "Its kind: is, not, min or max."),
        Parameter("value", "Its value."),
        Parameter("all", "yes: up to 1,000 differences are told, not the first 30."),
    ),
    draw=draw,
)
