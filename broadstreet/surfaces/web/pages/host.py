"""One host or physical machine: how unusual it is, its cases, what was true of it and when, what cannot be known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from markupsafe import Markup

from broadstreet.errors import NotInCasebook
from broadstreet.records.exposure import UPTIME_BANDS
from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.records.suspect import Excess, Suspect
from broadstreet.store import near as store
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import counted, page
from broadstreet.surfaces.charts import placements
from broadstreet.surfaces.charts.placements import Placement, Placements
from broadstreet.surfaces.charts.svg import for_widths
from broadstreet.surfaces.investigation_json import OutbreakJson
from broadstreet.surfaces.text import encodable
from broadstreet.surfaces.web.crash_told import brief, raised
from broadstreet.surfaces.web.curves import CurveTold, curve_told, drawn_low
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.pages.case import opened
from broadstreet.surfaces.web.places import role_of
from broadstreet.surfaces.web.rendering import link, part
from broadstreet.surfaces.web.selection import narrowed
from broadstreet.verdict.figures import interval, ratio, small
from broadstreet.verdict.sentences import measure
from broadstreet.verdict.suspicion import answer, unusual
from broadstreet.verdict.words import PLACES, exposure, plural

CASES = "/cases"
Kind = Literal["host", "physical_host"]
ADDRESSES: Mapping[str, str] = {"host": "/hosts/", "physical_host": "/machines/"}
OTHER: Mapping[Kind, Kind] = {"host": "physical_host", "physical_host": "host"}
EARLIEST = datetime.min.replace(tzinfo=UTC)
HELD = ("physical_host", "host", "kernel_release", "service_release", "workload", "sku", "cpu_model", "microcode")
PLACED = ("region", "zone", "rack")
SHOWN = 20  # cases
MOST_ROWS = 40  # of a chart


class ExcessTold(msgspec.Struct, frozen=True):
    """A count of episodes against what is expected; null where nothing tells it. `times` and `chance` are words."""

    of: str
    episodes: int
    expected: float | None
    times: str | None
    p: float | None
    q: float | None
    chance: str | None


class NamedTold(msgspec.Struct, frozen=True):
    """An outbreak that names this place, or has cases on it; `cases` are those, `action` is what to do now."""

    id: str
    rank: int
    role: str
    title: str
    verdict: str
    certainty: str
    names_it: bool
    action: list[str]
    cases: int
    onset: str | None
    address: str
    cases_address: str


class CrashTold(msgspec.Struct, frozen=True):
    """One of its cases; what is null is not known."""

    case_id: str
    time: datetime | None
    dated: bool
    host: str | None
    cpu: int | None
    mechanism: str
    site: str | None
    outbreak: int | None


class StayTold(msgspec.Struct, frozen=True):
    """A value that an exposure had from one time to another, how long it was at risk so, and its cases then.

    A null `start` lies before all that was observed, and a null `end` after it. Of another host or machine `times` are
    those of its first thousand cases here; else there are none.
    """

    what: str
    column: str
    value: str
    start: datetime | None
    end: datetime | None
    at_risk: float | None
    cases: int
    times: list[datetime]
    address: str


class OnCpuTold(msgspec.Struct, frozen=True):
    """A CPU, by its number as the host counts, and the cases whose thread last ran there; null: not known."""

    cpu: int | None
    cases: int
    first: datetime | None
    last: datetime | None
    address: str


class UptimeTold(msgspec.Struct, frozen=True):
    """How long it had been up, and how many cases came then; null: not known."""

    uptime: str | None
    cases: int


class BootTold(msgspec.Struct, frozen=True):
    """When it booted, and which kernel."""

    at: datetime
    kernel: str | None


class HostPage(msgspec.Struct, frozen=True):
    """A host (`host`) or a machine (`physical_host`).

    `stays` are the machines under a host, or the hosts on a machine; `history` is all else that was true of it, in the
    order of time. `at_risk` is in `measure`; null: nobody tells. `unknown` says what cannot be known, and why.
    """

    kind: Kind
    word: str
    name: str
    answer: str
    unusual: bool
    opening: list[str]
    rank: int | None
    ranked: int
    cases: int
    episodes: int
    undated: int
    first: datetime | None
    last: datetime | None
    at_risk: float | None
    measure: str | None
    places: list[str]
    excess: list[ExcessTold]
    outbreaks: list[NamedTold]
    curve: CurveTold | None
    newest: list[CrashTold]
    address: str
    other: str
    stays: list[StayTold]
    history: list[StayTold]
    cpus: list[OnCpuTold]
    uptimes: list[UptimeTold]
    boots: list[BootTold]
    unknown: list[str]
    queries: dict[str, str]


def tell_host(asked: Asked) -> HostPage:
    """The host that the address names."""
    return _told(asked.atlas, "host", asked.path["name"])


def tell_machine(asked: Asked) -> HostPage:
    """The physical machine that the address names."""
    return _told(asked.atlas, "physical_host", asked.path["name"])


def _told(atlas: Atlas, kind: Kind, name: str) -> HostPage:
    if kind not in atlas.columns:
        raise _none_known(kind)
    own = narrowed(EVERYTHING, kind, name)
    count = counted(atlas, own)
    cases, risk = count.dicts()[0], store.at_risk(atlas, kind, name)
    if not cases["cases"] and risk["first"] is None:
        raise _unknown(atlas, kind, name)
    suspect = store.suspect(atlas, kind, name)
    past = _past(atlas, kind, name)
    stays = _stays(atlas, kind, name, past.dicts() if past else [])
    about = atlas.about
    return HostPage(
        kind=kind,
        word=PLACES[kind],
        name=name,
        answer=_answer(kind, name, suspect, risk["at_risk"], about.measures),
        unusual=suspect is not None and unusual(suspect),
        opening=list(_opening(atlas, kind, suspect, cases)),
        rank=None if suspect is None else suspect.rank,
        ranked=store.ranked(atlas, kind),
        cases=cases["cases"],
        episodes=cases["episodes"],
        undated=cases["undated"],
        first=risk["first"],
        last=risk["last"],
        at_risk=risk["at_risk"],
        measure=measure(about.measures[0]) if about.measures else None,
        places=list({one.column: one.value for one in stays if one.column in PLACED}.values()),
        excess=[] if suspect is None else _excesses(suspect),
        outbreaks=_outbreaks(atlas, kind, name),
        curve=curve_told(atlas, own, "outbreak" if investigation(atlas).outbreaks else "mechanism"),
        newest=_newest(atlas, own),
        address=link(CASES, own),
        other=PLACES[OTHER[kind]],
        stays=[one for one in stays if one.column == OTHER[kind]],
        history=[one for one in stays if one.column != OTHER[kind]],
        cpus=_cpus(atlas, own),
        uptimes=_uptimes(atlas, own),
        boots=[BootTold(row["boot_time"], row["kernel_release"]) for row in opened(atlas).boots(name)]
        if kind == "host"
        else [],
        unknown=list(_unknowable(atlas, kind, name, cases, risk, stays)),
        queries={
            "cases": count.select,
            "excess": store.suspect_of(kind, name),
            "history": past.select if past else "",
            "uptimes": store.seen(atlas, own, "uptime").select if "uptime" in atlas.columns else "",
            "cpus": store.by_number(atlas, own, "cpu").select if "cpu" in atlas.columns else "",
        },
    )


def _answer(kind: Kind, name: str, suspect: Suspect | None, at_risk: float | None, measures: Sequence[str]) -> str:
    if suspect is not None:
        return encodable(answer(suspect))
    time = "" if at_risk is None else f" in {at_risk:,.0f} {measure(measures[0])}"
    return f"Nothing unusual: {PLACES[kind]} {encodable(name)} has no crash{time}."


def _opening(atlas: Atlas, kind: Kind, suspect: Suspect | None, cases: Mapping[str, Any]) -> Iterator[str]:
    """Sentences below the answer: its rank, how far from the others, hardware findings, how many kinds."""
    if suspect is None:
        return
    ranked = store.ranked(atlas, kind)
    yield f"It is number {suspect.rank:,} of the {plural(ranked, PLACES[kind])} with a crash."
    if suspect.every.ratio is not None:
        of = "the same work elsewhere in the same weeks" if suspect.against == "time at risk" else "the other crashes"
        yield f"Its rate is {interval(suspect.every.ratio).replace('–', ' to ')} times that of {of}."
    hardware = suspect.hardware.episodes
    if hardware:
        shows = "shows" if hardware == 1 else "show"
        which = "All" if hardware == suspect.every.episodes > 1 else f"{hardware:,}"
        expected = suspect.hardware.expected
        than = "" if expected is None else f", where {ratio(expected)} would be expected"
        yield f"{which} of them {shows} what failing hardware does{than}."
    elif suspect.every.episodes:
        yield "None shows what only failing hardware does."
    if suspect.every.episodes > 1:
        kinds = f"{plural(suspect.sites, 'function')} and {plural(suspect.syndromes, 'syndrome')}"
        yield f"They are in {kinds}."
    if cases["cases"] > cases["episodes"]:
        yield f"A crash loop counts once: {cases['cases']:,} cases are {cases['episodes']:,} episodes."


def _excesses(one: Suspect) -> list[ExcessTold]:
    hardware = "crashes that show what failing hardware does"
    return [_excess("all crashes", one.every, one), _excess(hardware, one.hardware, one)]


def _excess(of: str, one: Excess, suspect: Suspect) -> ExcessTold:
    asked = f"asked of {plural(suspect.asked, PLACES[suspect.attribute])}"
    return ExcessTold(
        of=of,
        episodes=one.episodes,
        expected=one.expected,
        times=None if one.ratio is None else interval(one.ratio),
        p=one.p,
        q=one.q,
        chance=None if one.q is None else f"{raised(small(one.q))}, {asked}",
    )


def _outbreaks(atlas: Atlas, kind: Kind, name: str) -> list[NamedTold]:
    found = investigation(atlas).outbreaks
    own = narrowed(EVERYTHING, kind, name)
    inside = {one.id: narrowed(own, "among", f"{one.id}:inside") for one in found}
    count = store.inside(atlas, own)
    told = [_named(one, kind, name, count.get(one.id, 0), inside[one.id]) for one in found]
    return [one for one in told if one.names_it or one.cases]


def _named(one: OutbreakJson, kind: Kind, name: str, cases: int, selection: Selection) -> NamedTold:
    cpu = one.cohort.get("cpu", "")
    return NamedTold(
        id=one.id,
        rank=one.rank,
        role=role_of(one.rank),
        title=encodable(one.title),
        verdict=one.verdict,
        certainty=one.certainty,
        names_it=one.cohort.get(kind) == name or cpu.startswith(f"{name} cpu "),
        action=list(one.action),
        cases=cases,
        onset=one.onset,
        address=f"/outbreaks/{part(one.id)}",
        cases_address=link(CASES, selection),
    )


def _newest(atlas: Atlas, own: Selection) -> list[CrashTold]:
    wanted = ("time", "dated", "host", "cpu", "mechanism", "site", "outbreak")
    columns = [name for name in wanted if name in atlas.columns]
    return [
        CrashTold(
            case_id=row["case_id"],
            time=row["time"],
            dated=row["dated"],
            host=row.get("host"),
            cpu=row.get("cpu"),
            mechanism=row["mechanism"],
            site=None if row["site"] is None else brief(row["site"]),
            outbreak=row["outbreak"],
        )
        for row in page(atlas, own, columns, None, SHOWN).dicts()
    ]


def _past(atlas: Atlas, kind: Kind, name: str) -> Any:
    """What was true of it, as its time at risk tells it, else as its cases show it; null where neither has columns."""
    wanted = [one for one in (*HELD, *PLACED) if one != kind and one in atlas.columns]
    told = [one for one in wanted if atlas.column(one).at_risk]
    if atlas.about.measures and atlas.column(kind).at_risk and told:
        return store.history(atlas, kind, name, told)
    return store.shown(atlas, kind, name, wanted) if wanted else None


def _stays(atlas: Atlas, kind: Kind, name: str, rows: Sequence[Mapping[str, Any]]) -> list[StayTold]:
    order = {column: at for at, column in enumerate((*PLACED, *HELD))}
    ordered = sorted(rows, key=lambda row: (row["start"] or EARLIEST, order[row["what"]], row["value"]))
    return [_stay(atlas, kind, name, row) for row in ordered]


def _stay(atlas: Atlas, kind: Kind, name: str, row: Mapping[str, Any]) -> StayTold:
    column, value = row["what"], row["value"]
    observed = [datetime.fromisoformat(at) if at else None for at in (atlas.about.start, atlas.about.end)]
    told = row["at_risk"] is not None
    before = told and observed[0] is not None and row["start"] <= observed[0]
    after = told and observed[1] is not None and row["end"] >= observed[1]
    own = narrowed(narrowed(EVERYTHING, kind, name), column, value)
    return StayTold(
        what=exposure(column),
        column=column,
        value=value,
        start=None if before else row["start"],
        end=None if after else row["end"],
        at_risk=row["at_risk"],
        cases=row["cases"],
        times=[at for at in row["times"] if at is not None] if column == OTHER[kind] else [],
        address=ADDRESSES[column] + part(value) if column in ADDRESSES else link(CASES, own),
    )


def _cpus(atlas: Atlas, own: Selection) -> list[OnCpuTold]:
    if "cpu" not in atlas.columns:
        return []
    return [
        OnCpuTold(
            cpu=row["value"],
            cases=row["cases"],
            first=row["first"],
            last=row["last"],
            address=link(CASES, narrowed(own, "cpu", None if row["value"] is None else str(row["value"]))),
        )
        for row in store.by_number(atlas, own, "cpu").dicts()
    ]


def _uptimes(atlas: Atlas, own: Selection) -> list[UptimeTold]:
    if "uptime" not in atlas.columns:
        return []
    bands = [band.name for band in UPTIME_BANDS]
    rows = store.seen(atlas, own, "uptime").dicts()
    rows.sort(key=lambda row: bands.index(row["value"]) if row["value"] in bands else len(bands))
    return [UptimeTold(row["value"], row["cases"]) for row in rows]


def _unknowable(
    atlas: Atlas, kind: Kind, name: str, cases: Mapping[str, Any], risk: Mapping[str, Any], stays: Sequence[StayTold]
) -> Iterator[str]:
    columns = {one.column for one in stays}
    elsewhere = narrowed(narrowed(EVERYTHING, kind, name), OTHER[kind], None)
    unplaced = store.counts(atlas, {"unplaced": elsewhere})["unplaced"] if OTHER[kind] in atlas.columns else 0
    if not atlas.about.measures or not atlas.column(kind).at_risk:
        yield "How many crashes to expect: no table tells the time at risk. broadstreet fleet add at_risk FILE"
    elif risk["first"] is None:
        yield f"How many crashes to expect: the fleet's tables do not tell that this {PLACES[kind]} was at risk."
    if OTHER[kind] not in columns:
        told = "machine it ran on" if kind == "host" else "hosts it carried"
        yield f"Which {told}: no table of placements tells it. broadstreet fleet add placements FILE"
    elif unplaced:
        yield f"Which {PLACES[OTHER[kind]]} {plural(unplaced, 'case')} had: no placement is told for that time."
    for name in ("kernel_release", "sku", "service_release"):
        if name not in columns:
            yield f"Its {exposure(name)}: no table tells it."
    if cases["undated"]:
        yield f"When {plural(cases['undated'], 'case')} happened: the time is only that of a file."
    if kind == "physical_host":
        yield "Which CPU of the machine: a virtual host counts its own CPUs, and says not on which one each ran."


def _none_known(kind: Kind) -> NotInCasebook:
    if kind == "host":
        return NotInCasebook("No case of this casebook has a host.", "A host stands in NAME.json beside a core dump.")
    return NotInCasebook("No physical machine is known in this casebook.", "broadstreet fleet add placements FILE")


def _unknown(atlas: Atlas, kind: Kind, name: str) -> NotInCasebook:
    word, other = PLACES[kind], OTHER[kind]
    what = f"No {word} {name[:100]} is in this casebook: it has no crash, and no table tells that it was at risk."
    if other in atlas.columns and counted(atlas, narrowed(EVERYTHING, other, name)).dicts()[0]["cases"]:
        return NotInCasebook(what, f"There is a {PLACES[other]} of that name: {ADDRESSES[other]}{part(name)}")
    names = store.alike(atlas, kind, name) if len(name) >= 3 else []
    if names:
        return NotInCasebook(what, f"These have such a name: {', '.join(one[:100] for one in names)}.")
    return NotInCasebook(what, f"broadstreet hosts{' --physical' if kind == 'physical_host' else ''}")


def draw(told: HostPage, asked: Asked) -> Mapping[str, object]:
    """The curve of its cases; the hosts on it, or the machines under it, over the same time."""
    curve = told.curve
    if curve is None:
        return {"curve": None, "stays": None}
    of = f"{told.word} {told.name[:100]}"
    return {
        "curve": drawn_low(curve, f"Cases of {of}") if told.cases else None,
        "stays": _drawn(_placements(told, curve, of)) if told.stays else None,
    }


def _placements(told: HostPage, curve: CurveTold, of: str) -> Placements:
    """At most so many rows: those with cases before those without, and the longest before the shorter."""
    first = sorted(told.stays, key=lambda one: (-min(one.cases, 1), -(one.at_risk or 0.0)))[:MOST_ROWS]
    naming = next((one for one in told.outbreaks if one.names_it), None)
    most = max(told.outbreaks, key=lambda one: one.cases, default=None)
    onset = None if naming is None or naming.onset is None else datetime.fromisoformat(naming.onset)
    return Placements(
        title=f"{'Machines under' if told.kind == 'host' else 'Hosts on'} {of}",
        start=curve.start,
        end=curve.end,
        rows=tuple(
            Placement(one.value, one.start, one.end, tuple(one.times), one.address)
            for one in told.stays
            if one in first
        ),
        onset=onset,
        onset_words="" if onset is None else f"outbreak {naming.rank if naming else ''} begins {onset.day} {onset:%b}",
        role="other" if most is None else role_of((naming or most).rank),
    )


def _drawn(chart: Placements) -> Markup:
    return for_widths(placements.draw, chart)


PAGES = (
    Page(
        path="/hosts/{name:path}",
        name="Host",
        tab="Map",
        told=HostPage,
        tell=tell_host,
        template="host.html",
        summary="One host: how unusual it is, its cases, and what was true of it over time.",
        draw=draw,
    ),
    Page(
        path="/machines/{name:path}",
        name="Machine",
        tab="Map",
        told=HostPage,
        tell=tell_machine,
        template="host.html",
        summary="One physical machine: how unusual it is, its cases, and the hosts that it carried.",
        draw=draw,
    ),
)
