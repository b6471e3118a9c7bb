"""One case: what happened, the evidence for and against, what could not be seen, and where it stands among others."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import msgspec

from broadstreet.cases.headline import fault, headline, whose_registers
from broadstreet.cases.pointed import pointed
from broadstreet.errors import Elsewhere, NotInCasebook
from broadstreet.pipeline.near_case import NearCase, OpenCasebook, at_hand
from broadstreet.pipeline.reading import BinarySources
from broadstreet.records.case import Case
from broadstreet.records.columns import FEATURES
from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.records.suspect import Suspect
from broadstreet.sources.binary_store import store_path
from broadstreet.store import near as store
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.case_json import CaseJson, case_json
from broadstreet.surfaces.investigation_json import ArgumentJson, OutbreakJson
from broadstreet.surfaces.page import DULL
from broadstreet.surfaces.read import CASE_ID
from broadstreet.surfaces.text import encodable
from broadstreet.surfaces.web import crash_told as crash
from broadstreet.surfaces.web.found import ATLASES, investigation
from broadstreet.surfaces.web.page import Asked, Download, Page
from broadstreet.surfaces.web.places import role_of
from broadstreet.surfaces.web.rendering import day, link, part
from broadstreet.surfaces.web.selection import LONGEST, narrowed
from broadstreet.verdict.figures import ratio
from broadstreet.verdict.suspicion import expectation
from broadstreet.verdict.words import exposure

CASES = "/cases"
MINUTE = timedelta(seconds=30)  # to either side
PLACES = {"host": "hosts", "physical_host": "machines"}
KEEP = "broadstreet scan SOURCE --casebook URL --keep pointers keeps a slim core dump of each case."
Lies = Literal["inside", "elsewhere", "unplaced"]
Side = Literal["for", "against"]
WHERE: Mapping[Lies, str] = {
    "inside": "It is inside.",
    "elsewhere": "It is of the same syndrome, and outside.",
    "unplaced": "Whether it is inside is not known.",
}


class SyndromeOf(msgspec.Struct, frozen=True):
    """The syndrome of a case: a name that people gave it, how many cases it has, and its page."""

    id: str
    name: str | None
    cases: int
    address: str


class BorneTold(msgspec.Struct, frozen=True):
    """An argument of a verdict that this case is about. The ratio is in figures: how many times likelier."""

    name: str
    says: str
    side: Side
    ratio: str


class AmongTold(msgspec.Struct, frozen=True):
    """How a case lies to an outbreak."""

    id: str
    rank: int
    role: str
    title: str
    verdict: str
    certainty: str
    lies: Lies
    words: str
    arguments: list[BorneTold]
    address: str


class NeighbourTold(msgspec.Struct, frozen=True):
    """Other cases near to this one, itself included: how many, what is expected (null: not told), which they are."""

    same: str
    value: str
    cases: int
    says: str
    address: str
    query: str


class SharedModule(msgspec.Struct, frozen=True):
    """A module, and in how many cases of the syndrome it is seen with this build id; null: not known."""

    path: str
    name: str
    build_id: str | None
    found: bool
    on_stack: bool
    sharing: int | None


class ExposureTold(msgspec.Struct, frozen=True):
    """What was true of a case at its time; a null value is not known.

    `cases` have the same, at `address`; null: the value is longer than any address carries.
    """

    name: str
    column: str
    value: str | None
    cases: int | None
    address: str | None


class FeatureTold(msgspec.Struct, frozen=True):
    """A feature, what it means, and why it is null where it is."""

    name: str
    value: bool | int | str | None
    meaning: str
    null: str


class ReadingTold(msgspec.Struct, frozen=True):
    """One reading of this crash; `counts`: the case is told by this one."""

    path: str
    added: datetime
    reader: int
    rules: int
    mechanism: str
    bytes_read: int
    counts: bool


class ContradictionTold(msgspec.Struct, frozen=True):
    """A finding in which two readings of this crash differ."""

    label: str
    states: list[str]


class KeptTold(msgspec.Struct, frozen=True):
    """What is kept of the core dump: pointers or full, how many bytes, and where to download it."""

    kept: str
    size: int
    address: str


class CasePage(msgspec.Struct, frozen=True):
    """One case. `case` is the whole of it; all else is how it is shown, and where it stands among others.

    `words`, `unwinder` (code pointers that one left below the stack pointer, the nearest first) and `code` are null
    where they cannot be shown: `unseen` says why. `role` is the colour of its outbreak.
    """

    case: CaseJson
    headline: str
    fault: str
    whose: str
    when: str | None
    dated: bool
    place: dict[str, str | None]
    role: str
    syndrome: SyndromeOf | None
    among: list[AmongTold]
    findings: list[crash.FindingTold]
    registers: list[crash.RegisterTold]
    words: list[crash.WordTold] | None
    unwinder: list[crash.WordTold] | None
    code: list[crash.CodeTold] | None
    code_source: str | None
    unseen: str | None
    frames: list[crash.FrameTold]
    handlers: list[str]
    threads: list[crash.ThreadsTold]
    modules: list[SharedModule]
    neighbours: list[NeighbourTold]
    exposures: list[ExposureTold]
    features: list[FeatureTold]
    readings: list[ReadingTold]
    contradictions: list[ContradictionTold]
    commands: list[crash.CommandTold]
    kept: KeptTold | None
    queries: dict[str, str]


def tell(asked: Asked) -> CasePage:
    """The case that the address names."""
    atlas = asked.atlas
    row = _row(asked)
    book = opened(atlas)
    seen = book.near(row["reading"], row["evidence"])
    case, matter = seen.case, pointed(seen.case)
    syndrome = _syndrome(atlas, row)
    sp = "rsp" if "rsp" in case.registers else "sp"
    near, whole, held = seen.near, case_json(seen.case), _counted(atlas, row)
    return CasePage(
        case=whole,
        headline=headline(case),
        fault=fault(case),
        whose=whose_registers(case),
        when=_when(case),
        dated=bool(row["dated"]),
        place={name: _text(row.get(name)) for name in ("host", "physical_host", "region")},
        role=role_of(row["outbreak"]),
        syndrome=syndrome,
        among=_among(atlas, row["number"]),
        findings=crash.findings(case),
        registers=crash.registers(case, matter, DULL),
        words=None if near is None else crash.words(near.words, matter, sp),
        unwinder=None if near is None else crash.words(near.unwinder, matter, sp),
        code=None if near is None else crash.code(near),
        code_source=None if near is None else near.code_source,
        unseen=_unseen(seen),
        frames=crash.frames(case, seen.lines),
        handlers=crash.handlers(case),
        threads=crash.threads(case),
        modules=_modules(atlas, book, case, syndrome),
        neighbours=list(_neighbours(atlas, row, held)),
        exposures=list(_exposures(atlas, row, held)),
        features=[FeatureTold(c.name, _feature(whole.features[c.name]), c.meaning, c.null) for c in FEATURES],
        readings=[_reading(one, row["reading"]) for one in seen.readings],
        contradictions=[ContradictionTold(one["label"], one["states"]) for one in seen.contradictions],
        commands=list(crash.commands(case, atlas.about.casebook, seen.kept is not None)),
        kept=_kept(seen),
        queries=_queries(case.case_id, row["trace_id"], syndrome),
    )


def opened(atlas: Atlas) -> OpenCasebook:
    """The casebook that an atlas is of, at its version."""
    about = atlas.about
    return at_hand(about.casebook, about.version, about.drawn, BinarySources(store=store_path()))


def evidence(asked: Asked) -> Download:
    """The slim core dump of a case."""
    row = _row(asked, ".core")
    core = opened(asked.atlas).evidence(row["case_id"])
    if core is None:
        raise NotInCasebook("Nothing is kept of the core dump of this case.", KEEP)
    return Download(f"case-{row['case_id'][: crash.ID]}.core", "application/octet-stream", (core,))


def _row(asked: Asked, ending: str = "") -> dict[str, Any]:
    name = asked.path["case_id"]
    if not CASE_ID.fullmatch(name):
        raise NotInCasebook("That is no id of a case.", "An id has 32 digits, 0 to 9 and a to f; the first 4 will do.")
    row = store.case_row(asked.atlas, name)
    if row["case_id"] != name:
        raise Elsewhere(link(f"/cases/{row['case_id']}{ending}", pairs=asked.query))
    return row


def _when(case: Case) -> str | None:
    if case.circumstances.time is None:
        return None
    at = datetime.fromisoformat(case.circumstances.time).astimezone(UTC)
    return f"{day(at)} {at:%H:%M:%S}"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _feature(value: bool | int | str | None) -> bool | int | str | None:
    return crash.cut(value) if isinstance(value, str) else value


def _unseen(seen: NearCase) -> str | None:
    if seen.near is not None:
        return None
    if seen.damage is not None:
        return f"The evidence that is kept of it cannot be read: {seen.damage}."
    if seen.kept is not None:
        return "No thread is left in what is kept of it."
    return "Nothing is kept of its core dump, so neither its stack words nor its instructions can be shown."


def _kept(seen: NearCase) -> KeptTold | None:
    if seen.kept is None:
        return None
    return KeptTold(seen.kept.kept, len(seen.kept.core), f"/cases/{seen.case.case_id}.core")


def _syndrome(atlas: Atlas, row: Mapping[str, Any]) -> SyndromeOf | None:
    name = row["syndrome"]
    if name is None:
        return None
    told = store.syndrome(atlas, name)
    return SyndromeOf(name, told["name"], told["cases"], f"/syndromes/{part(name)}")


def _among(atlas: Atlas, number: int) -> list[AmongTold]:
    of: dict[str, list[str]] = {}
    for row in store.memberships(atlas, number).dicts():
        of.setdefault(row["outbreak"], []).append(row["of"])
    return [_lies(one, of[one.id]) for one in investigation(atlas).outbreaks if one.id in of]


def _lies(one: OutbreakJson, of: Sequence[str]) -> AmongTold:
    lies: Lies = "inside" if "inside" in of else "elsewhere" if "elsewhere" in of else "unplaced"
    sides: tuple[tuple[Side, list[ArgumentJson]], ...] = (
        ("against", one.evidence_against),
        ("for", one.evidence_for),
    )
    return AmongTold(
        id=one.id,
        rank=one.rank,
        role=role_of(one.rank),
        title=encodable(one.title),
        verdict=one.verdict,
        certainty=one.certainty,
        lies=lies,
        words=WHERE[lies],
        arguments=[
            BorneTold(item.name, item.says, side, _times(item))
            for side, items in sides
            for item in items
            if item.name in of
        ],
        address=f"/outbreaks/{part(one.id)}",
    )


def _times(one: ArgumentJson) -> str:
    """How many times likelier, and for which side."""
    value = one.ratio.value
    if value is None or value <= 0:
        return "not known"
    cap = " (cap)" if one.capped else ""
    return f"{ratio(value)} × for hardware{cap}" if value >= 1 else f"{ratio(1 / value)} × for software{cap}"


def _modules(atlas: Atlas, book: OpenCasebook, case: Case, syndrome: SyndromeOf | None) -> list[SharedModule]:
    sharing: Mapping[tuple[str, str], int] = {}
    if syndrome is not None and case.modules:
        sharing = book.builds(syndrome.id, lambda: store.module_sets(atlas, syndrome.id).rows)
    told = [
        SharedModule(
            path=crash.cut(one.path),
            name=crash.cut(one.path.rsplit("/", 1)[-1]),
            build_id=None if one.build_id is None else crash.cut(one.build_id),
            found=one.found,
            on_stack=crash.on_the_stack(case, one),
            sharing=sharing.get((one.path, one.build_id)) if one.build_id else None,
        )
        for one in case.modules
    ]
    return sorted(told, key=lambda one: (not one.on_stack, one.build_id is None))


def _counted(atlas: Atlas, row: Mapping[str, Any]) -> dict[str, tuple[Selection, int]]:
    """What is held of a case in common with others, by column and `minute`: those others, and how many they are.

    A value that is longer than any address carries is left out.
    """
    columns = [one.name for one in atlas.about.columns if one.kind == "exposure"]
    columns += [name for name in ("syndrome", "cpu", "numa_node") if name in atlas.columns]
    values = {name: _text(row[name]) for name in columns}
    asked = {name: narrowed(EVERYTHING, name, value) for name, value in values.items() if len(value or "") <= LONGEST}
    if row["dated"]:
        asked["minute"] = Selection(row["time"] - MINUTE, row["time"] + MINUTE)
    found = store.counts(atlas, asked)
    return {name: (selection, found[name]) for name, selection in asked.items()}


def _neighbours(
    atlas: Atlas, row: Mapping[str, Any], held: Mapping[str, tuple[Selection, int]]
) -> Iterator[NeighbourTold]:
    near = [name for name in ("host", "physical_host", "syndrome") if name in held and row[name] is not None]
    unusual = store.suspects(atlas, {name: row[name] for name in near if name in PLACES})
    for column in (*near, *(["minute"] if "minute" in held else [])):
        selection, cases = held[column]
        value = f"{row['time']:%H:%M:%S} ± 30 s" if column == "minute" else str(row[column])
        yield NeighbourTold(
            same={"minute": "minute, anywhere", "physical_host": "machine"}.get(column, column),
            value=value,
            cases=cases,
            says=_says(atlas, column, unusual.get(column), cases),
            address=f"/{PLACES[column]}/{part(value)}" if column in PLACES else link(CASES, selection),
            query=store.count_of(atlas, selection),
        )


def _says(atlas: Atlas, column: str, told: Suspect | None, cases: int) -> str:
    if column == "syndrome":
        return "All that look the same."
    if column == "minute":
        usual = _a_minute(atlas)
        often = "" if usual is None else f" A minute has {ratio(usual)} on average."
        return ("No burst." if cases == 1 else "Others came at that time.") + often
    only = "Only this one. " if cases == 1 else ""
    return only + (expectation(told) if told else "How many to expect is not known.")


@lru_cache(ATLASES)
def _a_minute(atlas: Atlas) -> float | None:
    return store.a_minute(atlas)


def _exposures(
    atlas: Atlas, row: Mapping[str, Any], held: Mapping[str, tuple[Selection, int]]
) -> Iterator[ExposureTold]:
    columns = [one.name for one in atlas.about.columns if one.kind == "exposure"]
    for name in (*columns, *(name for name in ("cpu", "numa_node") if name in atlas.columns)):
        value = _text(row[name])
        selection, cases = held.get(name, (None, None))
        yield ExposureTold(
            name=crash.cut(exposure(name)),
            column=crash.cut(name),
            value=None if value is None else crash.cut(value),
            cases=cases,
            address=None if selection is None else link(CASES, selection),
        )


def _reading(row: Mapping[str, Any], counts: int) -> ReadingTold:
    return ReadingTold(
        path=crash.cut(encodable(row["path"])),
        added=row["added"],
        reader=row["reader_version"],
        rules=row["rules_version"],
        mechanism=row["mechanism"],
        bytes_read=row["bytes_read"],
        counts=row["reading"] == counts,
    )


def _queries(case_id: str, trace_id: str, syndrome: SyndromeOf | None) -> dict[str, str]:
    """The question behind each table, by its name."""
    of_case = f"case_id = '{case_id}'"
    asked = {
        "findings": f"SELECT label, state, needs FROM findings WHERE {of_case} ORDER BY number",
        "frames": f"SELECT number, part, function, function_offset, module, trust FROM frames\n"
        f"WHERE trace_id = '{trace_id}'",
        "registers": f"SELECT registers FROM cases WHERE {of_case}",
        "words": f"SELECT kept, size FROM evidence WHERE {of_case}",
        "threads": f"SELECT thread_count, threads FROM cases WHERE {of_case}",
        "missing": f"SELECT gaps FROM cases WHERE {of_case}",
        "circumstances": f"SELECT * FROM crashes WHERE {of_case}",
        "among": f'SELECT outbreak, "of" FROM members WHERE {of_case}',
        "readings": f"SELECT * FROM history WHERE {of_case}",
        "modules": f"SELECT path, build_id, found FROM modules WHERE {of_case} ORDER BY number",
        "contradictions": f"SELECT * FROM contradictions WHERE {of_case}",
        "shared": "",
    }
    if syndrome is not None:
        asked["shared"] = (
            "SELECT m.path, m.build_id, count(*) AS cases FROM modules m JOIN crashes c USING (case_id)\n"
            f"WHERE c.syndrome = '{syndrome.id}' AND m.build_id IS NOT NULL GROUP BY ALL ORDER BY cases DESC"
        )
    return asked


PAGE = Page(
    path="/cases/{case_id}",
    name="Case",
    tab="Cases",
    told=CasePage,
    tell=tell,
    template="case.html",
    summary="One crash: what happened, the evidence for and against, what could not be seen, and its neighbours.",
    forms={"core": evidence},
)
