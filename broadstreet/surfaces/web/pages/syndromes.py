"""The syndromes: crashes that look the same, by cases, by the last crash, or by the first."""

from datetime import datetime
from typing import Any

import msgspec

from broadstreet.store.parts import listed
from broadstreet.surfaces.syndromes_text import site
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter
from broadstreet.surfaces.web.verdicts import Brief, brief

MOST = 200
SITES, LONGEST_SITE = 3, 120  # innermost frames, characters
ORDERS = {"cases": "Most cases", "newest": "Crashed last", "first": "First seen last"}
LONGEST_SEARCH = 200


class SyndromeLine(msgspec.Struct, frozen=True):
    """A syndrome in a line: its name by people (null: none), where in the code, its cases, its outbreaks."""

    id: str
    name: str | None
    site: str
    cases: int
    hosts: int | None
    first: datetime | None
    last: datetime | None
    mechanisms: list[str]
    outbreaks: list[Brief]


class SyndromesTold(msgspec.Struct, frozen=True):
    """The syndromes in this order, at most 200 of `of` in which the text stands."""

    answer: str
    search: str
    order: str
    of: int
    every: int
    most: int
    syndromes: list[SyndromeLine]
    query: str


def tell(asked: Asked) -> SyndromesTold:
    """Those that are searched for; all of them, if nothing is."""
    search, order = asked.one("q").strip()[:LONGEST_SEARCH], asked.one("order")
    order = order if order in ORDERS else next(iter(ORDERS))
    found = listed(asked.atlas, search, order, MOST)
    rows = found.dicts()
    outbreaks: dict[str, list[Brief]] = {}
    for one in investigation(asked.atlas).outbreaks:
        if one.kind != "linked":
            outbreaks.setdefault(one.syndrome, []).append(brief(one))
    every = asked.atlas.about.syndromes
    said = plural(every, "syndrome")
    return SyndromesTold(
        answer=f"{said[:1].upper()}{said[1:]} among {plural(asked.atlas.about.cases, 'crash', 'crashes')}",
        search=search,
        order=order,
        of=rows[0]["of"] if rows else 0,
        every=every,
        most=MOST,
        syndromes=[_line(row, outbreaks.get(row["syndrome"], [])) for row in rows],
        query=found.select,
    )


def _line(row: dict[str, Any], outbreaks: list[Brief]) -> SyndromeLine:
    return SyndromeLine(
        id=row["syndrome"],
        name=row["name"],
        site=site(row["frames"], SITES, LONGEST_SITE),
        cases=row["cases"],
        hosts=row["hosts"],
        first=row["first"],
        last=row["last"],
        mechanisms=[one.replace("_", " ") for one in row["mechanisms"] or ()],
        outbreaks=outbreaks,
    )


def draw(told: SyndromesTold, asked: Asked) -> dict[str, object]:
    """The orders that there are."""
    return {"orders": ORDERS}


PAGE = Page(
    "/syndromes",
    "Syndromes",
    "Syndromes",
    SyndromesTold,
    tell,
    "syndromes.html",
    "Crashes that look the same: all syndromes, or those in whose id, name, frames or mechanisms a text stands.",
    parameters=(
        Parameter("q", "A text that stands in the id, the name, the frames or the mechanisms."),
        Parameter("order", "cases, newest (crashed last) or first (first seen last)."),
    ),
    draw=draw,
)
