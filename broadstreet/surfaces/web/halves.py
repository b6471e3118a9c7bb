"""The parts of a syndrome, side by side: when each came, who is hit, how it died."""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from broadstreet.cases.merged_stack import MergedFrame, Stack, merged
from broadstreet.records.frame import Trust
from broadstreet.records.selection import Selection
from broadstreet.store import parts
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.charts import curve as chart
from broadstreet.surfaces.charts import stack_tree
from broadstreet.surfaces.investigation_json import OutbreakJson
from broadstreet.surfaces.text import shortened
from broadstreet.surfaces.web import forests
from broadstreet.surfaces.web.crash_told import brief
from broadstreet.surfaces.web.curves import CurveTold
from broadstreet.surfaces.web.forests import Hit, hits, strata_of
from broadstreet.surfaces.web.outbreak_curve import as_chart, drawn_low, outbreak_curve
from broadstreet.surfaces.web.rendering import link
from broadstreet.surfaces.web.verdicts import Word, utc, word_of
from broadstreet.verdict.figures import day, short_day

MOST_FRAMES = 14  # of a merged stack
HALF, WHOLE = 592.0, 1240.0  # pixels of a curve that has a column, and the page, to itself
LONGEST_NAME = 90  # characters; what no demangler knows is longer
UNNAMED = "in no module"


class FrameTold(msgspec.Struct, frozen=True):
    """A frame of a merged stack: in how many of the cases it is, how far it can be trusted, and how deep it lies."""

    name: str
    module: str
    trust: Trust
    cases: int
    share: float
    depth: int


class StackTold(msgspec.Struct, frozen=True):
    """The commonest frames of cases in their order; `others` further ones, some in `others_cases` of the cases."""

    cases: int
    frames: list[FrameTold]
    others: int
    others_cases: int
    query: str


class HalfTold(msgspec.Struct, frozen=True):
    """One outbreak of a syndrome: its part of the cases, when they came, who is hit, how they died.

    `cases` are those of its part, inside, elsewhere and of unknown place; `begins` is a sentence.
    """

    id: str
    rank: int
    title: str
    word: Word
    mechanism: str
    who: str
    address: str
    cases: int
    inside: int
    begins: str
    curve: CurveTold | None
    hits: list[Hit]
    adjusted_for: str
    stack: StackTold


def half_told(atlas: Atlas, one: OutbreakJson, role: str) -> HalfTold:
    """One outbreak of a syndrome."""
    part, rows = parts.part_of(one.id), hits(one)
    return HalfTold(
        id=one.id,
        rank=one.rank,
        title=one.title,
        word=word_of(one, role),
        mechanism=one.mechanism.replace("_", " "),
        who=one.who,
        address=link("/cases", part),
        cases=one.case_count + one.elsewhere_count + one.unplaced_count,
        inside=one.case_count,
        begins=_begins(one),
        curve=outbreak_curve(atlas, one, role),
        hits=rows,
        adjusted_for=strata_of(rows),
        stack=stack_told(atlas, part),
    )


def stack_told(atlas: Atlas, selection: Selection) -> StackTold:
    """The stacks of a selection, merged."""
    answer = parts.stacks(atlas, selection)
    found = merged([_stack(row) for row in answer.dicts()], MOST_FRAMES)
    frames = [_frame(one, depth, found.cases) for depth, one in _deeper(found.frames)]
    return StackTold(found.cases, frames, found.others, found.others_cases, answer.select)


def curves_drawn(halves: Sequence[HalfTold]) -> dict[str, Markup]:
    """The curve of each half by its id, all on one scale."""
    told = [(half, half.curve) for half in halves if half.curve is not None]
    made = chart.on_one_scale([as_chart(curve, f"Outbreak {half.rank}") for half, curve in told])
    width = HALF if len(halves) > 1 else WHOLE
    return {half.id: drawn_low(one, width) for (half, _), one in zip(told, made, strict=True)}


def forest_drawn(half: HalfTold) -> dict[str, object]:
    """The forest of a half."""
    return forests.drawn(half.hits, half.word)


def stack_drawn(told: StackTold, role: str) -> Markup:
    """A merged stack."""
    return stack_tree.draw(
        tuple(
            stack_tree.MergedFrame(
                one.name, one.share, one.trust, one.depth, one.module, f"{one.cases:,} of {told.cases:,}"
            )
            for one in told.frames
        ),
        role,
    )


def _stack(row: dict[str, object]) -> Stack:
    names = ("functions", "module_paths", "offsets", "trusts")
    columns = [value if isinstance(value := row[name], list) else [] for name in names]
    frames = tuple(
        (_called(function, module, offset), (module or "").rsplit("/", 1)[-1], trust)
        for function, module, offset, trust in zip(*columns, strict=False)
    )
    cases = row["cases"]
    return Stack(cases if isinstance(cases, int) else 0, frames)


def _called(function: str | None, module: str | None, offset: int | None) -> str:
    if function:
        return shortened(brief(function), LONGEST_NAME)
    return f"+{offset:#x}" if module and offset is not None else UNNAMED


def _frame(one: MergedFrame, depth: int, cases: int) -> FrameTold:
    share = one.cases / cases if cases else 0.0
    return FrameTold(one.name, one.module, one.trust, one.cases, share, depth)


def _deeper(frames: Sequence[MergedFrame]) -> list[tuple[int, MergedFrame]]:
    """A step for each place at which frames lie; what had returned, and where it crashed, at none."""
    places = sorted({one.place for one in frames if not one.returned})
    return [(0 if one.returned else places.index(one.place), one) for one in frames]


def _begins(one: OutbreakJson) -> str:
    at = utc(one.onset)
    if at is None:
        return "No crisp start."
    low, high = (utc(end) for end in one.onset_interval or (None, None))
    between = f" ({short_day(low)} to {short_day(high)})" if low and high else ""
    return f"Begins on {day(at)}{between}."
