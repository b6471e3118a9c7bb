"""One outbreak in a report: its argument, who is hit, what could not be checked, what would overturn it, what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.looking import counted
from broadstreet.store.parts import part_of
from broadstreet.store.tallies import Tally, tallies
from broadstreet.surfaces.investigation_json import OutbreakJson
from broadstreet.surfaces.reports.lettering import raised
from broadstreet.surfaces.reports.record import Block, Claim, Evidence, Forest, Section, Steps, Table, Words
from broadstreet.surfaces.text import plural, sentence
from broadstreet.surfaces.web.page import Asked
from broadstreet.surfaces.web.pages.outbreak import OutbreakTold, tell
from broadstreet.surfaces.web.verdicts import Word, word_of
from broadstreet.verdict.words import exposure

# Where a crash may be, from the widest place to the narrowest, then what ran there.
PLACES = ("region", "zone", "rack", "physical_host", "host", "sku", "cpu_model", "microcode", "kernel_release")
RAN = ("service", "service_release", "workload")
BESIDES = {
    "elsewhere": "{} happened elsewhere.",
    "unplaced": "where it happened is not known of {}.",
}
COMMONEST = 4  # values of an exposure that are named
LIKELIHOOD = (
    "The ratio says how many times likelier an observation is if the claim is true than if it is not. Over 1 speaks "
    "for the claim, under 1 against it. Each ratio is counted over crashes and simulated fleets with known causes."
)
RATES = (
    "A rate ratio says how many times oftener such crashes come there than elsewhere, for the same time at risk, with "
    "its 95% interval. Naive: as counted. Adjusted: compared only with what is alike otherwise."
)


@dataclass(frozen=True)
class Place:
    """An exposure of the cases inside: how many values it has, and the commonest with their cases; unknown is null."""

    attribute: str
    values: int
    commonest: tuple[tuple[str | None, int], ...]


def begins(one: OutbreakJson) -> bool:
    """Whether there were no such crashes before its onset; else they come oftener since."""
    return not (one.rates_per_day is not None and one.rates_per_day.before)


@dataclass(frozen=True)
class Part:
    """An outbreak, what its page tells, its verdict in a word, its first and last case (null: undated), its places."""

    outbreak: OutbreakJson
    told: OutbreakTold
    word: Word
    first: datetime | None
    last: datetime | None
    places: tuple[Place, ...]


def part_told(atlas: Atlas, one: OutbreakJson, role: str | None = None) -> Part:
    """What there is to say of an outbreak. `role` is its colour, if not that of its rank."""
    inside = part_of(one.id, "inside")
    row = counted(atlas, dated(inside)).dicts()[0]
    return Part(
        outbreak=one,
        told=tell(Asked(atlas, path={"outbreak": one.id})),
        word=word_of(one, role),
        first=row["first"],
        last=row["last"],
        places=tuple(_places(atlas, one)),
    )


def dated(selection: Selection) -> Selection:
    """Those of a selection whose time says when they happened."""
    return selection._replace(conditions=(*selection.conditions, Condition("dated", "is", ("true",))))


def argument_of(part: Part, alone: bool) -> Iterator[Section]:
    """The sections of an outbreak; where the report is about several, under a heading of its own."""
    told, depth = part.told, 2 if alone else 3
    if not alone:
        claim = Claim(part.word, sentence(part.outbreak.who))
        yield Section(f"Outbreak {part.outbreak.rank}: {part.outbreak.title.rstrip('.')}", (claim,))
    yield Section("The argument, evidence against first", tuple(_argument(part)), depth)
    yield Section("Who is hit", tuple(_hit(part)), depth)
    yield Section("What could not be checked", tuple(_unchecked(told)), depth)
    yield Section("What would overturn it", (Words(told.overturned_by),), depth)
    yield Section("What to do", (_steps(told),), depth)


def _steps(told: OutbreakTold) -> Block:
    if not told.action:
        return Words("Nothing now.")
    return Steps(tuple((one.says, one.command) for one in told.action))


def _argument(part: Part) -> Iterator[Block]:
    told = part.told
    yield Words(LIKELIHOOD, small=True)
    yield Evidence(told.argument)
    for split in told.splits:
        yield Words(f"Parted from other crashes that look the same: {raised(split.says)}", small=True)


def _hit(part: Part) -> Iterator[Block]:
    told = part.told
    if told.hits:
        strata = f" Adjusted for {told.adjusted_for}." if told.adjusted_for else ""
        yield Words(RATES + strata, small=True)
        yield Forest(tuple(told.hits), part.word)
    else:
        yield Words("Nothing is known of where these crashes were that they could be compared by.")
    for side in told.cases:
        if side.count and side.side in BESIDES:
            yield Words(f"Besides, {BESIDES[side.side].format(plural(side.count, 'such crash', 'such crashes'))}")
    if part.places:
        yield Words("Where the crashes inside were, and what ran there:", small=True)
        rows = tuple((exposure(one.attribute), f"{one.values:,}", _commonest(one)) for one in part.places)
        yield Table(("of the crashes inside", "different", "crashes with each"), rows, frozenset((1,)))


def _unchecked(told: OutbreakTold) -> Iterator[Block]:
    if not told.not_checked:
        yield Words("Nothing that was asked had to be left open.")
        return
    rows = tuple((one.what, f"{one.cases:,}", one.remedy) for one in told.not_checked)
    yield Table(("not seen", "crashes", "how to see it"), rows, frozenset((1,)))


def _places(atlas: Atlas, one: OutbreakJson) -> Iterator[Place]:
    names = [name for name in (*PLACES, *RAN) if name in atlas.columns]
    told: dict[str, list[Tally]] = {}
    for tally in tallies(atlas, names, atlas.where(part_of(one.id, "inside")), most=COMMONEST):
        told.setdefault(tally.column, []).append(tally)
    for name, commonest in told.items():
        yield Place(name, commonest[0].values, tuple((each.value, each.a) for each in commonest))


def _commonest(one: Place) -> str:
    named = [f"{'not known' if value is None else value}: {cases:,}" for value, cases in one.commonest]
    more = one.values - len(one.commonest)
    return "; ".join([*named, *([f"{plural(more, 'other')}"] if more > 0 else [])])
