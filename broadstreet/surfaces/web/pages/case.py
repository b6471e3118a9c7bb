"""One case: what happened, the evidence for and against, what could not be seen, and where it stands among others."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from broadstreet.cases.headline import fault, headline, whose_registers
from broadstreet.cases.pointed import pointed
from broadstreet.pipeline.near_case import NearCase, OpenCasebook, at_hand
from broadstreet.pipeline.reading import BinarySources
from broadstreet.records.case import Case
from broadstreet.records.columns import FEATURES
from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.sources.binary_store import store_path
from broadstreet.store import near as store
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.case_json import CaseJson, MissingJson, case_json
from broadstreet.surfaces.investigation_json import ArgumentJson, IntervalJson, OutbreakJson
from broadstreet.surfaces.page import DULL
from broadstreet.surfaces.text import encodable
from broadstreet.surfaces.web import crash_told as crash
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.rendering import day, link, part
from broadstreet.surfaces.web.selection import narrowed
from broadstreet.verdict.figures import ratio
from broadstreet.verdict.suspicion import expectation
from broadstreet.verdict.words import exposure

CASES, SQL = "/cases", "/sql"
MINUTE = timedelta(seconds=30)  # to either side
ROLES = ("a", "b")  # colours of the first two outbreaks
Lies = Literal["inside", "elsewhere", "unplaced"]
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
    side: Literal["for", "against"]
    ratio: str


class AmongTold(msgspec.Struct, frozen=True):
    """How a case lies to an outbreak."""

    id: str
    rank: int
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
    """What was true of a case at its time; a null value is not known. `cases` have the same."""

    name: str
    column: str
    value: str | None
    cases: int
    address: str


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

    `words` and `code` are null where they cannot be shown: `unseen` says why. `role` is the colour of its outbreak.
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
    code: list[crash.CodeTold] | None
    code_source: str | None
    unseen: str | None
    frames: list[crash.FrameTold]
    handlers: list[str]
    threads: list[crash.ThreadsTold]
    modules: list[SharedModule]
    missing: list[MissingJson]
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
    row = store.case_row(atlas, asked.path["case_id"])
    book = opened(atlas)
    seen = book.near(row["reading"])
    case, matter = seen.case, pointed(seen.case)
    syndrome = _syndrome(atlas, row)
    near = seen.near
    return CasePage(
        case=case_json(case),
        headline=headline(case),
        fault=fault(case),
        whose=whose_registers(case),
        when=_when(case),
        dated=bool(row["dated"]),
        place={name: _text(row.get(name)) for name in ("host", "physical_host", "region")},
        role=ROLES[row["outbreak"] - 1] if row["outbreak"] and row["outbreak"] <= len(ROLES) else "other",
        syndrome=syndrome,
        among=_among(atlas, case.case_id),
        findings=crash.findings(case),
        registers=crash.registers(case, matter, DULL),
        words=None if near is None else crash.words(near, matter, "rsp" if "rsp" in case.registers else "sp"),
        code=None if near is None else crash.code(near),
        code_source=None if near is None else near.code_source,
        unseen=_unseen(seen),
        frames=crash.frames(case, seen.lines),
        handlers=crash.handlers(case),
        threads=crash.threads(case),
        modules=_modules(atlas, book, case, syndrome),
        missing=[MissingJson(gap.what, gap.why, gap.remedy) for gap in case.missing],
        neighbours=list(_neighbours(atlas, row, syndrome)),
        exposures=_exposures(atlas, row),
        features=[FeatureTold(c.name, case_json_value(case, c.name), c.meaning, c.null) for c in FEATURES],
        readings=[_reading(one, row["reading"]) for one in seen.readings],
        contradictions=[ContradictionTold(one["label"], one["states"]) for one in seen.contradictions],
        commands=list(crash.commands(case, atlas.about.casebook, seen.kept is not None)),
        kept=_kept(seen),
        queries=_queries(case.case_id, row["trace_id"], syndrome),
    )
