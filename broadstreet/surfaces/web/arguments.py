"""The argument of a verdict as it is read: evidence against the claim first, each ratio in favour of the claim.

The claim is what the verdict says; where that cannot be told, what is likelier. So over 1 always speaks for what stands
in the title, whether that is hardware or software.
"""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import by_members, members, part_of
from broadstreet.surfaces.charts import ratios as chart
from broadstreet.surfaces.investigation_json import ArgumentJson, CountJson, IntervalJson, OutbreakJson
from broadstreet.surfaces.text import sentence
from broadstreet.surfaces.web.rendering import link
from broadstreet.surfaces.web.verdicts import interval_of, numbers_again
from broadstreet.verdict.counted import MOST
from broadstreet.verdict.figures import interval, ratio, rounded_odds
from broadstreet.verdict.judging import multiplied, odds_of

BAR = 430.0  # pixels of the axis in a cell
CAPS = ((MOST, "403"), (1 / MOST, "1/403"))
Claim = Literal["hardware", "software"]


class Said(msgspec.Struct, frozen=True):
    """One item of evidence.

    `ratio`: how many times likelier it is if the claim is true than if the other is; `odds` those of the claim after
    it, were the items independent. `hardware` and `software` are the counts of the lab behind it, in `campaign`. It is
    about `case_count` cases, at `cases`; `select` is the SQL of what was observed, `python` the line that prints its
    ratio (of hardware over software), null where no single line does.
    """

    name: str
    says: str
    ratio: IntervalJson
    written: str
    capped: bool
    odds: str
    campaign: str
    hardware: CountJson | None
    software: CountJson | None
    case_count: int
    cases: str
    select: str
    python: str | None


class Side(msgspec.Struct, frozen=True):
    """What speaks on one side."""

    label: str
    items: list[Said]


class ArgumentTold(msgspec.Struct, frozen=True):
    """The whole argument for `claim`: the odds before any evidence and where they are from, both sides, and the end.

    The odds after are not the product of the ratios, for items depend on one another: they are what such sums came to
    in simulated fleets. Together the items are `worth` that many times the odds before.
    """

    claim: Claim
    before: str
    before_says: str
    before_source: str
    sides: list[Side]
    after: str
    worth: str
    campaigns: list[str]


def argument_told(atlas: Atlas, one: OutbreakJson) -> ArgumentTold:
    """The argument of an outbreak's verdict."""
    claim = claim_of(one)
    before, after = (_for(claim, value) for value in (interval_of(one.prior.ratio).value, odds_of(_probability(one))))
    items = [*one.evidence_against, *one.evidence_for]
    so_far = multiplied(before, [_turned(claim, item).value for item in items])[1:]
    selects = by_members(atlas, one.id, [item.reads for item in items])
    python = {number.what: number.python for number in numbers_again(atlas).get(one.id, ())}
    told = [
        _said(atlas, one, item, claim, reached, select, python.get(f"likelihood ratio: {item.says}"))
        for item, reached, select in zip(items, so_far, selects, strict=True)
    ]
    against = len(one.evidence_against)
    labels = _labels(one, claim)
    return ArgumentTold(
        claim=claim,
        before=rounded_odds(before),
        before_says=sentence(one.prior.says),
        before_source=one.prior.campaign,
        sides=[Side(labels[0], told[:against]), Side(labels[1], told[against:])],
        after=rounded_odds(after),
        worth=ratio(after / before),
        campaigns=list(dict.fromkeys(item.campaign for item in items)),
    )


def claim_of(one: OutbreakJson) -> Claim:
    """What the verdict says; where it cannot be told, what is likelier."""
    if one.verdict != "undetermined":
        return one.verdict
    return "hardware" if _probability(one) >= 0.5 else "software"


def drawn(told: ArgumentTold) -> dict[str, object]:
    """The axis, and the bar of each item by its name, for the cells of a table."""
    items = [item for side in told.sides for item in side.items]
    bars = {item.name: _bar(item) for item in items}
    low, high = chart.ends(tuple(bars.values()))
    ratios = chart.Ratios("", tuple(bars.values()), low_end=low, high_end=high)
    drawn_bars = {name: chart.row(ratios, bar, BAR) for name, bar in bars.items()}
    return {"axis": chart.axis(ratios, BAR), "bars": drawn_bars}


def _bar(item: Said) -> chart.LikelihoodRatio:
    return chart.LikelihoodRatio(item.says, item.ratio.value or 1.0, item.ratio.low, item.ratio.high, item.capped)


def _said(
    atlas: Atlas, one: OutbreakJson, item: ArgumentJson, claim: Claim, reached: float, select: str, python: str | None
) -> Said:
    of = _turned(claim, item)
    return Said(
        name=item.name,
        says=sentence(item.says),
        ratio=IntervalJson(*(value if math.isfinite(value) else None for value in (of.value, of.low, of.high))),
        written=_capped(of.value) if item.capped else interval(of),
        capped=item.capped,
        odds=rounded_odds(reached),
        campaign=item.campaign,
        hardware=item.hardware,
        software=item.software,
        case_count=item.case_count,
        cases=link("/cases", part_of(one.id, item.name)) if item.case_count else "",
        select=select or (members(atlas, one.id, item.name) if item.case_count else ""),
        python=python,
    )


def _capped(value: float) -> str:
    """As the rule says it: 403, not 400."""
    return next((shown for most, shown in CAPS if math.isclose(value, most)), ratio(value))


def _labels(one: OutbreakJson, claim: Claim) -> Sequence[str]:
    if one.verdict != "undetermined":
        return "Against", "For"
    names = ("Speaks for software", "Speaks for hardware")
    return names if claim == "hardware" else names[::-1]


def _probability(one: OutbreakJson) -> float:
    return interval_of(one.probability_of_hardware).value


def _turned(claim: Claim, item: ArgumentJson) -> Interval:
    of = interval_of(item.ratio)
    return of if claim == "hardware" else Interval(*(_for(claim, end) for end in (of.value, of.high, of.low)))


def _for(claim: Claim, value: float) -> float:
    return value if claim == "hardware" else 1 / value if value else math.inf
