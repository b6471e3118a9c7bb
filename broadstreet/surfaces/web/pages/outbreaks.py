"""All outbreaks: by rank, or the newest first; and the alarms, which are no verdicts."""

from datetime import UTC, datetime

import msgspec

from broadstreet.store.parts import sizes
from broadstreet.surfaces.investigation_json import AlarmJson
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter
from broadstreet.surfaces.web.ranked import OutbreakTold, outbreak_told, rates_drawn
from broadstreet.surfaces.web.verdicts import utc

NEWEST = "newest"
ORDERS = ("rank", NEWEST)
EARLIER = datetime.min.replace(tzinfo=UTC)


class OutbreaksTold(msgspec.Struct, frozen=True):
    """The outbreaks in this order, and the alarms, the newest first.

    `judged` of the outbreaks were confirmed or refuted by a person. `would_be_seen` says how few crashes would have
    stood out; empty where that is not known.
    """

    answer: str
    order: str
    outbreaks: list[OutbreakTold]
    judged: int
    alarms: list[AlarmJson]
    questions: int
    cases: int
    measure: str | None
    would_be_seen: str
    query: str


def tell(asked: Asked) -> OutbreaksTold:
    """All of them."""
    found = investigation(asked.atlas)
    order = asked.one("order", ORDERS[0])
    outbreaks = list(found.outbreaks)
    if order == NEWEST:
        outbreaks.sort(key=lambda one: (utc(one.onset) or EARLIER, -one.rank), reverse=True)
    return OutbreaksTold(
        answer=found.answer,
        order=NEWEST if order == NEWEST else ORDERS[0],
        outbreaks=[outbreak_told(asked.atlas, one) for one in outbreaks],
        judged=sum(one.judgement is not None for one in outbreaks),
        alarms=sorted(found.alarms, key=lambda one: one.at, reverse=True),
        questions=found.questions,
        cases=found.cases,
        measure=found.measure,
        would_be_seen=found.would_be_seen,
        query=sizes(asked.atlas),
    )


def draw(told: OutbreaksTold, asked: Asked) -> dict[str, object]:
    """The rate of each, on one axis."""
    return {"rates": rates_drawn(told.outbreaks, told.measure)}


PAGE = Page(
    "/outbreaks",
    "Outbreaks",
    "Outbreaks",
    OutbreaksTold,
    tell,
    "outbreaks.html",
    "All outbreaks with their verdicts, by rank or the newest first; and alarms.",
    parameters=(Parameter("order", "rank, or newest: by onset."),),
    draw=draw,
)
