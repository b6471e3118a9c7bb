"""Outbreaks by their names, and their verdicts in a word: what the pages of outbreaks and of syndromes share."""

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec

from broadstreet.errors import NotInCasebook
from broadstreet.records.verdict import Says
from broadstreet.records.weights import Interval
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.investigation_json import AgainJson, IntervalJson, OutbreakJson
from broadstreet.surfaces.web.drawing import AGAIN
from broadstreet.surfaces.web.found import ATLASES, investigation
from broadstreet.surfaces.web.places import role_of
from broadstreet.verdict.sentences import said

Shape = Literal["square", "circle", "diamond"]
SHAPES: dict[Says, Shape] = {"hardware": "square", "software": "circle", "undetermined": "diamond"}
UNKNOWN = Interval(math.inf, 0.0, math.inf)


class Word(msgspec.Struct, frozen=True):
    """A verdict in a word, how certain it is (empty where that says nothing), its shape, and its outbreak's colour."""

    what: str
    sure: str
    shape: Shape
    role: str


class Brief(msgspec.Struct, frozen=True):
    """An outbreak in a line."""

    id: str
    rank: int
    title: str
    word: Word


def outbreak_called(atlas: Atlas, name: str) -> OutbreakJson:
    """The outbreak with this id, the beginning of it, or this rank."""
    found = investigation(atlas).outbreaks
    if name.isascii() and name.isdecimal():
        called = [one for one in found if str(one.rank) == name]
    else:
        called = [one for one in found if one.id == name] or [one for one in found if one.id.startswith(name)]
    if len(called) != 1:
        raise NotInCasebook(
            f"There is no outbreak {name} in version {atlas.about.version} of the casebook.",
            "It is named after what it is: one that grew or was parted may have another name now. "
            "The page Outbreaks lists them all.",
        )
    return called[0]


def outbreaks_of(atlas: Atlas, syndrome: str) -> list[OutbreakJson]:
    """The outbreaks of a syndrome, by rank; not those that link crashes of several kinds."""
    return [one for one in investigation(atlas).outbreaks if one.syndrome == syndrome and one.kind != "linked"]


def word_of(one: OutbreakJson, role: str | None = None) -> Word:
    """What its verdict is."""
    what, sure = said(one.verdict, one.held, one.probability, interval_of(one.probability_of_hardware))
    return Word(what, sure, SHAPES[one.verdict], role or role_of(one.rank))


def brief(one: OutbreakJson) -> Brief:
    """An outbreak in a line."""
    return Brief(one.id, one.rank, one.title, word_of(one))


def interval_of(one: IntervalJson | None) -> Interval:
    """An interval with its infinities back; what is not known is anything."""
    if one is None:
        return UNKNOWN
    infinite = [math.inf if end is None else end for end in (one.value, one.high)]
    return Interval(infinite[0], one.low or 0.0, infinite[1])


def utc(text: str | None) -> datetime | None:
    """A time as the investigation writes it."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


@lru_cache(ATLASES)
def numbers_again(atlas: Atlas) -> dict[str, list[AgainJson]]:
    """Of each outbreak every number of its verdict, with what gives it again."""
    return msgspec.json.decode(atlas.read(AGAIN), type=dict[str, list[AgainJson]])
