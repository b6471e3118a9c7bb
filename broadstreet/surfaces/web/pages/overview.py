"""The overview: the answer, the curve that shows it, the outbreaks, and how far all that can be trusted."""

from datetime import UTC

import msgspec
from markupsafe import Markup

from broadstreet.records.selection import EVERYTHING
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import arrived, counted, largest, load
from broadstreet.surfaces.charts import street_map
from broadstreet.surfaces.investigation_json import CaptureJson
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.curves import (
    BY,
    HOURS,
    CurveTold,
    MarkTold,
    StripTold,
    begin,
    curve_told,
    drawn,
    onsets,
    outages,
    period_of,
    step_of,
)
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter
from broadstreet.surfaces.web.places import drawn_map, levels, places_told
from broadstreet.surfaces.web.ranked import OutbreakTold, outbreak_told, rates_drawn
from broadstreet.verdict.words import exposure

MOST_RELEASES = 3  # that are marked on the curve, those nearest to an onset first
THUMBNAIL = 380  # pixels
NEW_FROM_DAYS = 1  # what was there on the first day is not new
MADE = ("service_release", "kernel_release")  # what people change in a fleet, as a curve marks it


class AlarmTold(msgspec.Struct, frozen=True):
    """A syndrome that came oftener than its own past."""

    syndrome: str
    at: str
    seen: int
    expected: float


class OverviewTold(msgspec.Struct, frozen=True):
    """The answer in a sentence, what it stands on, the curve, and the outbreaks, the most urgent first.

    `newest` is the time of the newest crash. `other_cases` are in no outbreak, of `other_syndromes` syndromes.
    """

    answer: str
    opening: str
    cases: int
    episodes: int
    selected: int
    hosts: int | None
    curve: CurveTold | None
    outbreaks: list[OutbreakTold]
    alarms: list[AlarmTold]
    measure: str | None
    questions: int
    other_cases: int
    other_syndromes: int
    capture: CaptureJson
    newest: str | None
    drawn: str
    queries: dict[str, str]


def tell(asked: Asked) -> OverviewTold:
    """The overview of what is selected."""
    atlas, about = asked.atlas, asked.atlas.about
    found = investigation(atlas)
    by = asked.one("by", "outbreak" if found.outbreaks else "mechanism")
    chosen = counted(atlas, asked.selection)
    most = largest(atlas)
    return OverviewTold(
        answer=found.answer,
        opening=_opening(atlas, most.dicts()),
        cases=about.cases,
        episodes=about.episodes,
        selected=chosen.dicts()[0]["cases"],
        hosts=about.hosts,
        curve=curve_told(atlas, asked.selection, by if by in BY else "mechanism", _marks(atlas), _strip(atlas)),
        outbreaks=[outbreak_told(atlas, one) for one in found.outbreaks],
        alarms=[AlarmTold(one.syndrome, one.at, one.seen, one.expected) for one in found.alarms],
        measure=found.measure,
        questions=found.questions,
        other_cases=int(most.dicts()[0]["in_none"]) if most.rows.num_rows else 0,
        other_syndromes=int(most.dicts()[0]["syndromes"]) if most.rows.num_rows else 0,
        capture=found.capture,
        newest=about.newest,
        drawn=about.drawn,
        queries={"selected": chosen.select, "largest": most.select},
    )


def draw(told: OverviewTold, asked: Asked) -> dict[str, object]:
    """The curve, each step a link to its cases; and the rate of each outbreak, on one axis."""
    return {
        "curve": None if told.curve is None else drawn(told.curve, "Cases over time", "/cases", asked.selection),
        "map": _thumbnail(asked),
        "rates": rates_drawn(told.outbreaks, told.measure),
    }


def _thumbnail(asked: Asked) -> Markup | None:
    """The map of all cases, small; nothing where no host is known."""
    atlas = asked.atlas
    if not atlas.about.cases or "host" not in atlas.columns:
        return None
    told = places_told(atlas, asked.selection, *levels(atlas, asked.selection, "", ""))
    if not told.hosts:
        return None
    return street_map.thumbnail(drawn_map(told, asked.selection), THUMBNAIL)


def _opening(atlas: Atlas, most: list[dict[str, object]]) -> str:
    about, found = atlas.about, investigation(atlas)
    if not about.cases:
        return "The casebook is read and empty."
    period = period_of(atlas)
    where = "" if about.hosts is None else f" on {plural(about.hosts, 'host')}"
    when = (
        "" if period is None else f" in {plural(max(1, round((period[1] - period[0]).total_seconds() / 86400)), 'day')}"
    )
    said = f"{plural(about.cases, 'crash', 'crashes')}{where}{when}."
    parts = {one.syndrome for one in found.outbreaks if one.syndrome}
    if len(found.outbreaks) > 1 and len(parts) == 1 and most:
        said += f" {most[0]['cases']:,} of them look the same."
        different = all(one.verdict != "undetermined" for one in found.outbreaks)
        said += f" They are {len(found.outbreaks)} outbreaks{' with different causes' if different else ''}."
    elif not found.outbreaks:
        said += f" {found.would_be_seen}" if found.would_be_seen else ""
    return said


def _marks(atlas: Atlas) -> list[MarkTold]:
    found = [*onsets(atlas), *outages(atlas)]
    begun = [one.at for one in found if one.kind == "onset"]
    period = period_of(atlas)
    if period is None:
        return found
    new = [
        MarkTold(
            "release",
            row["first"].astimezone(UTC),
            f"{exposure(row['attribute']).capitalize()} {row['value']}",
            "first seen",
        )
        for name in MADE
        if name in atlas.columns and atlas.column(name).at_risk
        for row in arrived(atlas, name, period[0], NEW_FROM_DAYS).dicts()
    ]
    near = sorted(new, key=lambda one: min((abs((one.at - at).total_seconds()) for at in begun), default=0.0))
    return [*found, *near[:MOST_RELEASES]]


def _strip(atlas: Atlas) -> StripTold | None:
    """The load of the fleet, where something but hours is counted: a curve that rises with it says little."""
    period = period_of(atlas)
    measure = next((one for one in atlas.about.measures if not one.endswith("_hours")), None)
    if period is None or measure is None:
        return None
    step = step_of(*period)
    start = begin(period[0], step)
    hours = HOURS[step]
    bins = {int(row["bin"]): row["per_second"] for row in load(atlas, EVERYTHING, start, hours, measure).dicts()}
    count = max(1, -int((start - period[1]).total_seconds() // (3600 * hours)))
    return StripTold(
        f"{measure.replace('_', ' ').capitalize()} per second, fleet", [bins.get(at) for at in range(count)]
    )


PAGE = Page(
    "/",
    "Overview",
    "Overview",
    OverviewTold,
    tell,
    "overview.html",
    "The answer, the epidemic curve, the outbreaks with their verdicts, and how much was captured.",
    selects=("",),
    parameters=(Parameter("by", "What the curve is stacked by: outbreak, mechanism or syndrome."),),
    draw=draw,
)
