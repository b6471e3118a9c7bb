"""What was said of a syndrome, by people and by the program, and the forms to say more.

A word makes a new version of the casebook, of which an atlas is drawn seconds later. So that it is seen at once, the
page to which its form leads reads the words from the casebook itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

import msgspec

from broadstreet.errors import UsageError
from broadstreet.pipeline.grouping import BY_FRAME, PROGRAM
from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import said
from broadstreet.store.questions import Questions
from broadstreet.store.syndromes import Event, aliases, called, events
from broadstreet.surfaces.casebook_options import me
from broadstreet.surfaces.web.crash_told import brief
from broadstreet.surfaces.web.judged import LONGEST_NAME, written
from broadstreet.surfaces.web.page import Asked, Change, Parameter
from broadstreet.surfaces.web.rendering import link, part
from broadstreet.surfaces.web.saying import Word, say

SAID = Parameter("said", "The number of a word that was just said of it, which is then read from the casebook.")
Kind = Literal["name", "note", "merge", "split"]
LONGEST = 10_000  # characters of a note
LONGEST_LINE = 300  # of a name


class Told(msgspec.Struct, frozen=True):
    """Something that was said of it, or found: when, by whom (empty: the program), what, and a note in its words."""

    at: datetime | None
    by: str
    what: str
    note: str


class HistoryTold(msgspec.Struct, frozen=True):
    """What was said of a syndrome in order, the name that people gave it last, and the other names it goes by."""

    name: str | None
    also: list[str]
    told: list[Told]


def history_told(atlas: Atlas, syndrome: str, just_said: str) -> HistoryTold:
    """What was said of a syndrome; from the casebook itself where something was just said."""
    every = events_of(atlas, just_said)
    into = aliases(every)
    own = [one for one in every if syndrome in (called(one.syndrome or "", into), called(one.other or "", into))]
    names = [one.text for one in own if one.kind == "name"]
    also = sorted(one for one in into if called(one, into) == syndrome)
    return HistoryTold(names[-1] if names else None, also, [_told(one) for one in own])


def events_of(atlas: Atlas, just_said: str = "") -> Sequence[Event]:
    """All that was said of syndromes."""
    if just_said:
        with Questions(atlas.about.casebook) as questions:
            return events(questions)
    return [Event(**row) for row in said(atlas).dicts()]


def now_called(syndrome: str, every: Iterable[Event]) -> str:
    """A syndrome by the name under which it goes now."""
    return called(syndrome, aliases(every))


def word(asked: Asked, fields: Mapping[str, str]) -> str:
    """Keep what a form says; the page that shows it."""
    kind = next((each for each in get_args(Kind) if each == fields.get("kind")), None)
    author, text = (written(fields.get(name, "")) for name in ("by", "text"))
    if kind is None:
        raise UsageError("The form says nothing.", "Go back, and choose what to say.")
    if not text:
        raise UsageError(f"There is no text to {kind} it.", "Go back, and write it.")
    if len(text) > (LONGEST if kind == "note" else LONGEST_LINE) or len(author) > LONGEST_NAME:
        raise UsageError("The text is too long.", f"A note has at most {LONGEST:,} characters, a name {LONGEST_LINE}.")
    if kind != "note" and not text.isprintable():
        raise UsageError("The text has characters that cannot be shown.", "Give it on one line.")
    url = asked.atlas.about.casebook
    heard = say(Word(url, author or me(), kind, asked.path["syndrome"], text))
    return link(f"/syndromes/{part(heard.syndrome)}", said=heard.number) + "#history"


def _told(one: Event) -> Told:
    return Told(
        one.made, "" if one.author == PROGRAM else one.author, _what(one), one.text or "" if _noted(one) else ""
    )


def _noted(one: Event) -> bool:
    return one.kind == "note"


def _what(one: Event) -> str:
    if one.kind == "merge":
        return f"{one.syndrome} is {one.other}" + (f": {one.text}" if one.text else "")
    if one.kind == "split":
        text = one.text or ""
        which = f"traces with {brief(text.removeprefix(BY_FRAME).strip())}" if text.startswith(BY_FRAME) else text
        return f"{one.other} was taken out of {one.syndrome}: {which}"
    if one.kind == "name":
        return f"Named “{one.text}”"
    return one.kind.capitalize()


CHANGE = Change(
    "/syndromes/{syndrome}/say",
    "Say",
    word,
    "Name a syndrome, note something of it, merge it into another, or take the traces with a frame out of it.",
)
