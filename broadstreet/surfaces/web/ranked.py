"""Outbreaks by rank, a paragraph each: what is at fault, who is hit, what to do now, its rate beside that of all."""

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
from markupsafe import Markup

from broadstreet.population.rates import rate, two_rates
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.charts import rate as chart
from broadstreet.surfaces.investigation_json import OutbreakJson
from broadstreet.surfaces.judgement_text import judgement_sentences
from broadstreet.surfaces.text import sentence
from broadstreet.surfaces.web.places import RateTold, rate_told
from broadstreet.surfaces.web.verdicts import word_of

SHAPES: dict[str, chart.Shape] = {"hardware": "square", "software": "circle", "undetermined": "diamond"}
WIDTH = 250.0  # pixels of a rate's axis


class OutbreakTold(msgspec.Struct, frozen=True):
    """One outbreak: what is at fault, who is hit, what to do now; its rate and that of all others (null: not known).

    `onset` is UTC; null: it was there from the first day. `judged` says who confirmed or refuted it, empty: nobody.
    """

    id: str
    rank: int
    role: str
    verdict: Literal["hardware", "software", "undetermined"]
    word: str
    certainty: str
    held: str | None
    title: str
    who: str
    action: str
    onset: str | None
    cases: int
    judged: str
    rate: RateTold | None
    others: RateTold | None


def outbreak_told(atlas: Atlas, one: OutbreakJson) -> OutbreakTold:
    """One outbreak in a paragraph."""
    inside, outside = _rates(atlas, one)
    word = word_of(one)
    said = f"Held: {one.held}" if one.held else f"{word.what}, {word.sure}" if word.sure else word.what
    return OutbreakTold(
        id=one.id,
        rank=one.rank,
        role=word.role,
        verdict=one.verdict,
        word=said,
        certainty=one.certainty,
        held=one.held,
        title=one.title,
        who=one.who,
        action=sentence(one.action[0]) if one.action else "",
        onset=one.onset,
        cases=one.case_count,
        judged=" ".join(list(judgement_sentences(one))[:1]),
        rate=rate_told(inside),
        others=rate_told(outside),
    )


def rates_drawn(told: Sequence[OutbreakTold], measure: str | None) -> dict[str, Markup]:
    """The rate of each outbreak by its id, all on one axis; nothing where it is not known."""
    known = [some for each in told for some in (each.rate, each.others) if some is not None]
    low, high = _decades([value for some in known for value in (some.value, some.low, some.high) if value > 0])
    return {one.id: _drawn(one, one.rate, low, high, measure) if one.rate else Markup("") for one in told}


def _drawn(one: OutbreakTold, of: RateTold, low: float, high: float, measure: str | None) -> Markup:
    return chart.draw(
        chart.Rate(
            title=f"Rate of outbreak {one.rank}",
            value=of.value,
            low=of.low,
            high=of.high,
            against=None if one.others is None else one.others.value,
            unit=f"per 100,000 {(measure or '').replace('_', '-')}",
            role=one.role,
            shape=SHAPES["undetermined" if one.held else one.verdict],
            low_end=low,
            high_end=high,
        ),
        WIDTH,
    )


def _decades(values: list[float]) -> tuple[float, float]:
    """The powers of ten between which all of these lie."""
    least, most = min(values, default=1.0), max(values, default=1.0)
    return 10.0 ** math.floor(math.log10(least)), 10.0 ** max(math.ceil(math.log10(most)), 1)


def _rates(atlas: Atlas, one: OutbreakJson) -> tuple[Interval | None, Interval | None]:
    compared, measures = one.comparison, atlas.about.measures
    if compared is None:
        return rate(one.episodes, atlas.about.at_risk), None
    if compared.against != "time at risk" or not measures or compared.measure != measures[0]:
        return None, None
    return two_rates(compared.inside, compared.of, compared.share, atlas.about.at_risk)
