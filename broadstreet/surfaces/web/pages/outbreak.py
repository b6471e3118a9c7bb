"""An outbreak and its verdict: the argument, evidence against it first, and all that a reader needs to check it."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import SUREST, by_members, cases_of, modules_met, part_of
from broadstreet.surfaces.investigation_json import AgainJson, OutbreakJson
from broadstreet.surfaces.text import encodable, first_up, sentence
from broadstreet.surfaces.web import arguments, forests
from broadstreet.surfaces.web.arguments import ArgumentTold, argument_told
from broadstreet.surfaces.web.crash_told import raised
from broadstreet.surfaces.web.curves import CurveTold
from broadstreet.surfaces.web.curves import drawn as curve_drawn
from broadstreet.surfaces.web.forests import Hit, hits, strata_of
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.judged import JUDGED, JudgedTold, judged_told
from broadstreet.surfaces.web.outbreak_curve import SIDES, outbreak_curve
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.rendering import link, part
from broadstreet.surfaces.web.reported import forms
from broadstreet.surfaces.web.verdicts import (
    Brief,
    Word,
    brief,
    numbers_again,
    outbreak_called,
    outbreaks_of,
    utc,
    word_of,
)
from broadstreet.verdict.figures import day, short_day, small
from broadstreet.verdict.sentences import oftener
from broadstreet.verdict.words import exposure, named

PROGRAM = "broadstreet"
OF_A_CASEBOOK = ("read", "explain", "fixed", "investigate")  # the commands that need to be told which
MOST_MET = 12  # modules
MOST_CASES = 12  # elsewhere, or of unknown place, that are listed


class CaseTold(msgspec.Struct, frozen=True):
    """A case in a line; what is not known is null."""

    case_id: str
    time: datetime | None
    host: str | None
    region: str | None
    mechanism: str | None


class CasesTold(msgspec.Struct, frozen=True):
    """The cases of one side of an outbreak: how many, where to see them all, and the first of them."""

    side: str
    label: str
    count: int
    address: str
    first: list[CaseTold]


class StepTold(msgspec.Struct, frozen=True):
    """One thing to do, and the command that does it; null where there is none. `address`: what shows the same here."""

    says: str
    command: str | None
    address: str | None = None


class UncheckedTold(msgspec.Struct, frozen=True):
    """What could not be checked, in how many of the cases, and how to make it checkable."""

    what: str
    cases: int
    remedy: str


class SplitTold(msgspec.Struct, frozen=True):
    """Why the syndrome was parted, and the line of Python that gives its p again."""

    says: str
    python: str | None


class MetTold(msgspec.Struct, frozen=True):
    """A module in the stacks: in how many cases, and the case whose frame there is the surest, with its `trust`."""

    module: str
    cases: int
    case_id: str
    trust: str


class OutbreakTold(msgspec.Struct, frozen=True):
    """An outbreak, what the verdict on it says, and the whole argument.

    `onset_says`, `new_then` and `rates_say` are sentences, empty where nothing is known. `numbers` are those of the
    comparisons and of the splits, each with the SQL of its inputs and the line of Python that gives it again. `others`
    are the outbreaks of the same syndrome.
    """

    outbreak: OutbreakJson
    word: Word
    of: int
    first_action: str
    cohort: str
    onset_says: str
    new_then: list[str]
    rates_say: str
    argument: ArgumentTold
    not_checked: list[UncheckedTold]
    overturned_by: str
    action: list[StepTold]
    questions: int
    families: dict[str, int]
    machines: int | None
    curve: CurveTold | None
    hits: list[Hit]
    adjusted_for: str
    cases: list[CasesTold]
    met: list[MetTold]
    met_query: str
    splits: list[SplitTold]
    numbers: list[AgainJson]
    others: list[Brief]
    judged: JudgedTold
    versions: str


def tell(asked: Asked) -> OutbreakTold:
    """The outbreak that the address names, by its id or by its rank."""
    atlas = asked.atlas
    found = investigation(atlas)
    one = outbreak_called(atlas, asked.path["outbreak"])
    rows = hits(one)
    met = modules_met(atlas, part_of(one.id, "inside"), MOST_MET)
    return OutbreakTold(
        outbreak=one,
        word=word_of(one),
        of=len(found.outbreaks),
        first_action=sentence(one.action[0]) if one.action else "",
        cohort=named(one.cohort),
        onset_says=_onset(one),
        new_then=[_arrival(each.attribute, each.value, each.at) for each in one.arrivals],
        rates_say=oftener(one.rates_per_day.before, one.rates_per_day.within) if one.rates_per_day else "",
        argument=argument_told(atlas, one),
        not_checked=[UncheckedTold(sentence(each.what), each.cases, each.remedy) for each in one.not_checked],
        overturned_by=sentence(one.overturned_by),
        action=[_step(step, atlas.about.casebook) for step in one.action],
        questions=found.questions,
        families=dict(sorted(found.families.items(), key=lambda family: (-family[1], family[0]))),
        machines=found.machines if found.machines is not None else found.hosts,
        curve=outbreak_curve(atlas, one, word_of(one).role),
        hits=rows,
        adjusted_for=strata_of(rows),
        cases=[_cases(atlas, one, side) for side in ("inside", "elsewhere", "unplaced")],
        met=[_met(row) for row in met.dicts()],
        met_query=met.select,
        splits=_splits(atlas, one),
        numbers=_numbers(atlas, one),
        others=[brief(each) for each in outbreaks_of(atlas, one.syndrome) if each.id != one.id],
        judged=judged_told(atlas, one, asked.one(JUDGED.name)),
        versions=f"broadstreet {found.broadstreet_version}, weights {found.weights_version}",
    )


def draw(told: OutbreakTold, asked: Asked) -> dict[str, object]:
    """The curve, the bars of the argument, and the forest."""
    return {
        "curve": None if told.curve is None else curve_drawn(told.curve, f"Cases of outbreak {told.outbreak.rank}"),
        "argument": arguments.drawn(told.argument),
        "forest": forests.drawn(told.hits, told.word),
    }


def _met(row: Mapping[str, Any]) -> MetTold:
    trust = (*SUREST, "unknown")[row["surest"]].replace("_", " ")
    return MetTold(encodable(row["module"]), row["cases"], row["case_id"], trust)


def _onset(one: OutbreakJson) -> str:
    at, end = utc(one.onset), utc(one.end)
    if one.rates_per_day is None and at is None:
        return "When it began is not known: too few of its cases have a time."
    if at is None:
        return "It was there from the first day on."
    said = f"It began on {day(at)} {at:%Y}, {at:%H:%M} UTC{_between(one.onset_interval)}"
    return f"{said}, and ended on {day(end)}{_between(one.end_interval)}." if end else f"{said}."


def _between(interval: list[str] | None) -> str:
    low, high = (utc(end) for end in interval or (None, None))
    return f" (95% interval {short_day(low)} {low:%H:%M} to {short_day(high)} {high:%H:%M})" if low and high else ""


def _step(text: str, casebook: str) -> StepTold:
    says, begins, command = text.partition(f"{PROGRAM} ")
    if not begins:
        return StepTold(sentence(text), None)
    verb, _, case_id = command.partition(" ")
    address = f"/cases/{part(case_id)}" if verb == "read" and case_id else None
    here = f" --casebook {shlex.quote(casebook)}" if verb in OF_A_CASEBOOK and "--casebook" not in command else ""
    return StepTold(first_up(says.rstrip()), f"{begins}{command}{here}", address)


def _arrival(attribute: str, value: str, at: str) -> str:
    when = utc(at)
    return f"{exposure(attribute)} {value}" + (f" on {day(when)}" if when else "")


def _cases(atlas: Atlas, one: OutbreakJson, side: str) -> CasesTold:
    selection = part_of(one.id, side)
    count = {"inside": one.case_count, "elsewhere": one.elsewhere_count, "unplaced": one.unplaced_count}[side]
    listed = side != "inside" and count > 0
    columns = [field for field in CaseTold.__struct_fields__ if field != "case_id"]
    rows = cases_of(atlas, selection, columns, "first", MOST_CASES).dicts() if listed else []
    first = [CaseTold(**{name: row[name] for name in CaseTold.__struct_fields__}) for row in rows]
    return CasesTold(side, SIDES[side], count, link("/cases", selection), first)


def _splits(atlas: Atlas, one: OutbreakJson) -> list[SplitTold]:
    python = {number.what: number.python for number in numbers_again(atlas).get(one.id, ())}
    told = []
    for split in one.splits:
        sure = "" if split.test.q is None else f"; q {raised(small(split.test.q))} of {split.test.asked:,} questions"
        said = (
            f"{split.by.replace('_', ' ')} goes with {split.goes_with.replace('_', ' ')}: "
            f"{split.part:,} episodes with it and {split.rest:,} without{sure}"
        )
        what = f"p of the split of {split.syndrome}: {split.by} goes with {split.goes_with}"
        told.append(SplitTold(sentence(said), python.get(what)))
    return told


def _numbers(atlas: Atlas, one: OutbreakJson) -> list[AgainJson]:
    told = [each for each in numbers_again(atlas).get(one.id, ()) if not each.what.startswith("likelihood ratio")]
    selects = by_members(atlas, one.id, [each.reads for each in told])
    return [msgspec.structs.replace(each, reads=select) for each, select in zip(told, selects, strict=True)]


PAGE = Page(
    "/outbreaks/{outbreak}",
    "Outbreak",
    "Outbreaks",
    OutbreakTold,
    tell,
    "outbreak.html",
    "One outbreak, by its id or rank: who is hit, the verdict, the argument with evidence against it first.",
    parameters=(JUDGED,),
    draw=draw,
    forms=forms(lambda atlas, name: outbreak_called(atlas, name).id, "outbreak"),
)
