"""The cases of one outbreak over time: those inside in its colour, those elsewhere as outlines, its onset with its
interval, and what was new then."""

from datetime import timedelta
from math import ceil

from markupsafe import Markup

from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import curve_of
from broadstreet.surfaces.charts import curve as chart
from broadstreet.surfaces.charts.svg import for_widths
from broadstreet.surfaces.investigation_json import OutbreakJson
from broadstreet.surfaces.web.curves import HOURS, CurveTold, MarkTold, SeriesTold, begin, period_of, step_of
from broadstreet.surfaces.web.verdicts import utc
from broadstreet.verdict.figures import short_day
from broadstreet.verdict.words import exposure

SIDES = {"inside": "Inside", "elsewhere": "Elsewhere", "unplaced": "Place not known"}


def outbreak_curve(atlas: Atlas, one: OutbreakJson, role: str) -> CurveTold | None:
    """The curve over all that was observed; null where nothing is dated."""
    period = period_of(atlas)
    if period is None:
        return None
    step = step_of(*period)
    length = timedelta(hours=HOURS[step])
    start = begin(period[0], step)
    count = max(1, ceil((period[1] - start) / length))
    answer = curve_of(atlas, [one.id], start, HOURS[step])
    counts = {side: [0] * count for side in SIDES}
    for row in answer.dicts():
        if 0 <= row["bin"] < count:
            counts[row["side"]][row["bin"]] += row["cases"]
    series = [
        SeriesTold(SIDES[side], side, role if side == "inside" else "other", sum(some), list(some))
        for side, some in counts.items()
        if side == "inside" or any(some)
    ]
    end = start + count * length
    marks = [mark for mark in (*_onset(one, role), *_arrivals(one)) if start <= mark.at < end]
    told = CurveTold(step, start, end, None, series, marks, None, None, "", answer.select)
    return CurveTold(
        step, start, end, None, series, marks, None, None, chart.caption(as_chart(told, "")), answer.select
    )


def as_chart(told: CurveTold, title: str) -> chart.Curve:
    """The curve without its marks, to be put on one scale with others."""
    series = tuple(chart.Series(one.name, one.role, tuple(one.counts)) for one in told.series)
    return chart.Curve(title, told.start, told.end, told.step, series)


def drawn_low(made: chart.Curve, width: float) -> Markup:
    """The curve for a wide page and for a narrow one, low."""
    return for_widths(chart.draw_low, made, width)


def _onset(one: OutbreakJson, role: str) -> list[MarkTold]:
    at = utc(one.onset)
    if at is None:
        return []
    low, high = (utc(end) for end in one.onset_interval or (None, None))
    note = f"95% interval {short_day(low)} to {short_day(high)}" if low and high else ""
    return [MarkTold("onset", at, f"Begins {short_day(at)}", note, role, low, high)]


def _arrivals(one: OutbreakJson) -> list[MarkTold]:
    told = [(f"{exposure(each.attribute)} {each.value}", utc(each.at)) for each in one.arrivals]
    return [MarkTold("release", at, name, "new then") for name, at in told if at is not None]
