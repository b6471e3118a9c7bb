"""A syndrome: crashes that look the same, and the causes that this hides."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from broadstreet.errors import Elsewhere, NotInCasebook
from broadstreet.records.selection import Condition, Selection
from broadstreet.store import parts
from broadstreet.store.atlas import Answer, Atlas
from broadstreet.surfaces.investigation_json import OutbreakJson
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.crash_told import brief
from broadstreet.surfaces.web.curves import CurveTold, curve_told
from broadstreet.surfaces.web.curves import drawn as curve_drawn
from broadstreet.surfaces.web.halves import (
    HalfTold,
    StackTold,
    curves_drawn,
    forest_drawn,
    half_told,
    stack_drawn,
    stack_told,
)
from broadstreet.surfaces.web.history import LONGEST_LINE, SAID, HistoryTold, events_of, history_told, now_called
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.rendering import link, part
from broadstreet.surfaces.web.reported import forms
from broadstreet.surfaces.web.telling_apart import ApartTold, apart_told
from broadstreet.surfaces.web.telling_apart import drawn as apart_drawn
from broadstreet.surfaces.web.verdicts import outbreaks_of
from broadstreet.verdict.sentences import count as in_words
from broadstreet.verdict.words import listed

DEFINING = 8  # frames of the commonest trace
SIDE_BY_SIDE = 2
ROLES = ("a", "b")
RETURNED = "~"  # before the name of a frame that had returned
OF_A_SAMPLE = ("time", "host", "mechanism")
# By the outcome of the grouping, and whether a probability was told: how traces came to a syndrome.
RULES = {
    ("new", False): "founded it: nothing was like them",
    ("ask", True): "founded it, though rather like another; merge the two if you know better",
    ("ask", False): "founded it, though rather like another; merge the two if you know better",
    ("same", True): "are like one of its traces, by the frames that both have and how rare those are",
    ("same", False): "have the frames of one of its traces, in another build",
    ("person", True): "were put here by a person",
    ("person", False): "were put here by a person",
}
NOT_KEPT = "came by a rule that is not kept yet; the next scan into the casebook keeps it"


class SampleTold(msgspec.Struct, frozen=True):
    """A case that is worth looking at, and why; what is not known is null."""

    case_id: str
    time: datetime | None
    host: str | None
    mechanism: str | None
    why: str
    role: str


class RuleTold(msgspec.Struct, frozen=True):
    """By which rule so many traces, with so many cases, came to the syndrome."""

    says: str
    traces: int
    cases: int


class SyndromeTold(msgspec.Struct, frozen=True):
    """A syndrome, its definition, its halves where it hides several causes, and what people said of it.

    `answer` is the page in a sentence. `frames` are those of its commonest trace, `exact_frames` as a split names them,
    where a person could. `halves` has one for each outbreak of it; where there is none, `curve` and `stack` are those
    of all cases. `apart` is null where there is nothing to tell apart.
    """

    id: str
    answer: str
    opening: str
    name: str | None
    cases: int
    hosts: int | None
    first: datetime | None
    last: datetime | None
    mechanisms: list[str]
    frames: list[str]
    exact_frames: list[str]
    rules: list[RuleTold]
    founded: datetime | None
    curve: CurveTold | None
    halves: list[HalfTold]
    apart: ApartTold | None
    compare: str
    stack: StackTold | None
    samples: list[SampleTold]
    history: HistoryTold
    address: str
    queries: dict[str, str]


def tell(asked: Asked) -> SyndromeTold:
    """The syndrome that the address names: by its id, the beginning of it, a name of people, or an id that it had."""
    atlas, just_said = asked.atlas, asked.one(SAID.name)
    found = _row(atlas, asked.path["syndrome"], just_said, asked)
    row = found.dicts()[0]
    own = row["syndrome"]
    outbreaks = outbreaks_of(atlas, own)
    whole = Selection(conditions=(Condition("syndrome", "is", (own,)),))
    rules, history = parts.decisions(atlas, own), history_told(atlas, own, just_said)
    sides = [parts.part_of(one.id) for one in outbreaks[:SIDE_BY_SIDE]]
    name = history.name or row["name"]
    return SyndromeTold(
        id=own,
        answer=_answer(outbreaks),
        opening=_opening(row, name, outbreaks),
        name=name,
        cases=row["cases"],
        hosts=row["hosts"],
        first=row["first"],
        last=row["last"],
        mechanisms=[one.replace("_", " ") for one in row["mechanisms"] or ()],
        frames=[_frame(frame) for frame in row["frames"][:DEFINING]],
        exact_frames=[frame for frame in dict.fromkeys(map(_exact, row["frames"])) if _typeable(frame)],
        rules=[_rule(each) for each in rules.dicts()],
        founded=min((each["first"] for each in rules.dicts() if each["first"]), default=None),
        curve=None if outbreaks else curve_told(atlas, whole, "mechanism"),
        halves=[half_told(atlas, one, _role(at)) for at, one in enumerate(outbreaks)],
        apart=apart_told(atlas, *sides) if len(sides) == SIDE_BY_SIDE else None,
        compare=_compared(outbreaks),
        stack=None if outbreaks else stack_told(atlas, whole),
        samples=list(_samples(atlas, outbreaks, whole)),
        history=history,
        address=link("/cases", whole),
        queries={"syndrome": found.select, "rules": rules.select},
    )


def draw(told: SyndromeTold, asked: Asked) -> dict[str, object]:
    """The curves on one scale, what tells the halves apart, the forests and the merged stacks."""
    return {
        "curve": None if told.curve is None else curve_drawn(told.curve, f"Cases of {told.id}"),
        "apart": None if told.apart is None else apart_drawn(told.apart, *(half.word for half in told.halves[:2])),
        "curves": curves_drawn(told.halves),
        "forests": {half.id: forest_drawn(half) for half in told.halves},
        "stacks": {half.id: stack_drawn(half.stack, half.word.role) for half in told.halves},
        "stack": None if told.stack is None else stack_drawn(told.stack, "c"),
    }


def _row(atlas: Atlas, name: str, just_said: str, asked: Asked) -> Answer:
    found = parts.syndrome_row(atlas, name)
    if found.rows.num_rows:
        return found
    own = now_called(name, events_of(atlas, just_said))
    called = [own] if own != name else [row["syndrome"] for row in parts.named_so(atlas, name).dicts()]
    if len(called) == 1 and parts.syndrome_row(atlas, called[0]).rows.num_rows:
        raise Elsewhere(link(f"/syndromes/{part(called[0])}", pairs=asked.query))
    if just_said:
        raise NotInCasebook(f"{name} is being read.", "It was just made; load this page again in a few seconds.")
    several = f"Several begin so: {', '.join(called)}. " if called else ""
    raise NotInCasebook(f"There is no syndrome {name}.", f"{several}The page Syndromes lists them all.")


def _called(atlas: Atlas, name: str) -> str:
    found = parts.syndrome_row(atlas, name).dicts() or parts.named_so(atlas, name).dicts()
    if len(found) != 1:
        raise NotInCasebook(f"There is no syndrome {name}.", "The page Syndromes lists them all.")
    return str(found[0]["syndrome"])


def _answer(outbreaks: Sequence[OutbreakJson]) -> str:
    many = len(outbreaks)
    if many > 1 and any(one.splits for one in outbreaks):
        return f"One syndrome that hides {in_words(many)} causes"
    if many > 1:
        return f"One syndrome in {in_words(many)} outbreaks"
    if many and outbreaks[0].verdict == "hardware":
        return "One cause, as far as the statistics can part it"
    return "One bug, as far as the statistics can part it"


def _opening(row: dict[str, Any], name: str | None, outbreaks: Sequence[OutbreakJson]) -> str:
    hosts = "" if row["hosts"] is None else f" on {plural(row['hosts'], 'host')}"
    called = f"“{name}”: " if name else ""
    said = f"{called}{plural(row['cases'], 'crash', 'crashes')}{hosts} that look the same."
    if len(outbreaks) > 1:
        counts = [f"{sum(_counts(one)):,} {one.mechanism.replace('_', ' ')}" for one in outbreaks]
        return f"{said[:-1]}: {listed(counts)}. What speaks against one cause may be a case of the other."
    if not outbreaks:
        return f"{said} No cohort has more of it than its share, and it has no onset."
    return f"{said} {outbreaks[0].title.rstrip('.')}."


def _counts(one: OutbreakJson) -> tuple[int, int, int]:
    return one.case_count, one.elsewhere_count, one.unplaced_count


def _role(at: int) -> str:
    return ROLES[at] if at < len(ROLES) else "c"


def _frame(frame: str) -> str:
    return brief(frame.removeprefix(RETURNED)) + (" (had returned)" if frame.startswith(RETURNED) else "")


def _exact(frame: str) -> str:
    return frame.removeprefix(RETURNED)


def _typeable(frame: str) -> bool:
    """Whether a person could have written it into a form."""
    return frame.isprintable() and len(frame) <= LONGEST_LINE


def _rule(row: dict[str, Any]) -> RuleTold:
    says = RULES.get((row["outcome"], row["measured"]), NOT_KEPT)
    return RuleTold(says, row["traces"], row["cases"])


def _compared(outbreaks: Sequence[OutbreakJson]) -> str:
    """Where any two populations are compared, with the first two halves."""
    if len(outbreaks) < SIDE_BY_SIDE:
        return ""
    pairs = [
        (f"{side}.is.among", f"{one.id}:{of}")
        for side, one in zip(("a", "b"), outbreaks, strict=False)
        for of in parts.SIDES
    ]
    return link("/compare", pairs=pairs)


def _samples(atlas: Atlas, outbreaks: Sequence[OutbreakJson], whole: Selection) -> Iterator[SampleTold]:
    """Of each half the first, the last, one elsewhere and the one of which most could be judged."""
    seen: set[str] = set()
    for at, one in enumerate([*outbreaks[:SIDE_BY_SIDE]] or [None]):
        role, of = (_role(at), "its half") if one is not None and len(outbreaks) > 1 else ("c", "them all")
        selection = whole if one is None else parts.part_of(one.id)
        asked = [
            (parts.cases_of(atlas, selection, OF_A_SAMPLE, "first", 1), f"First of {of}"),
            (parts.cases_of(atlas, selection, OF_A_SAMPLE, "last", 1), f"Last of {of}"),
            (parts.most_evidence(atlas, selection, OF_A_SAMPLE), "Most could be judged of it"),
        ]
        if one is not None and one.elsewhere_count:
            away = parts.part_of(one.id, "elsewhere")
            asked.insert(2, (parts.cases_of(atlas, away, OF_A_SAMPLE, "first", 1), "The first one elsewhere"))
        for answer, why in asked:
            for row in answer.dicts():
                if row["case_id"] not in seen:
                    seen.add(row["case_id"])
                    shown = {name: row[name] for name in OF_A_SAMPLE}
                    yield SampleTold(case_id=row["case_id"], why=why, role=role, **shown)


PAGE = Page(
    "/syndromes/{syndrome}",
    "Syndrome",
    "Syndromes",
    SyndromeTold,
    tell,
    "syndrome.html",
    "One syndrome: its definition, its halves where it hides several causes, what people said of it.",
    parameters=(SAID,),
    draw=draw,
    forms=forms(_called, "syndrome"),
)
