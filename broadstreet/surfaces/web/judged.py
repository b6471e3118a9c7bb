"""What people say of a verdict, on its page: how sure such pages have been, the newest word, and the form for another.

A word makes a new version of the casebook, of which an atlas is drawn seconds later. So that it is seen at once, the
page to which its form leads reads the words from the casebook itself.
"""

from collections.abc import Mapping
from dataclasses import astuple

import msgspec

from broadstreet.errors import UsageError
from broadstreet.pipeline.judgements import keep
from broadstreet.pipeline.standing import how_sure
from broadstreet.records.verdict import Judgement, Kind
from broadstreet.store.atlas import Atlas
from broadstreet.store.judgements import judgements
from broadstreet.store.questions import Questions
from broadstreet.surfaces.casebook_options import me
from broadstreet.surfaces.investigation_json import HowSureJson, JudgementJson, OutbreakJson, judgement_json
from broadstreet.surfaces.judgement_text import how_sure_sentences, judgement_sentences, of_json
from broadstreet.surfaces.text import encodable
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Change, Parameter
from broadstreet.surfaces.web.rendering import link, part
from broadstreet.surfaces.web.verdicts import outbreak_called

JUDGED = Parameter("judged", "The number of a word that was just said of it, which is then read from the casebook.")
KINDS: tuple[Kind, ...] = ("confirm", "refute", "withdraw")
LONGEST_NAME = 200  # characters


class JudgedTold(msgspec.Struct, frozen=True):
    """The newest word on a verdict (null: nobody's), and how sure such verdicts of this casebook have been.

    `sentences` say both; `how_sure_says` is empty where nobody judged a verdict yet.
    """

    judgement: JudgementJson | None
    sentences: list[str]
    how_sure: list[HowSureJson]
    how_sure_says: list[str]


def judged_told(atlas: Atlas, one: OutbreakJson, just_said: str) -> JudgedTold:
    """What was said of a verdict; from the casebook itself where a word was just said."""
    judgement, sure = one.judgement, investigation(atlas).how_sure
    if just_said:
        with Questions(atlas.about.casebook) as questions:
            said = judgements(questions)
        newest = [each for each in said if one.id in (each.outbreak, each.formerly)][-1:]
        if newest:
            judgement = _counts(newest[0])
            sure = [HowSureJson(*astuple(band)) for band in how_sure(said)]
    told = msgspec.structs.replace(one, judgement=judgement)
    return JudgedTold(judgement, list(judgement_sentences(told)), sure, list(how_sure_sentences(sure)))


def judge(asked: Asked, fields: Mapping[str, str]) -> str:
    """Keep a word; the page that shows it."""
    one = outbreak_called(asked.atlas, asked.path["outbreak"])
    kind = next((each for each in KINDS if each == fields.get("kind")), None)
    author, note, truth = (written(fields.get(name, "")) for name in ("by", "note", "truth"))
    if kind is None:
        raise UsageError("The form says neither Confirm nor Refute.", "Go back, and choose one.")
    if len(author) > LONGEST_NAME:
        raise UsageError("The name is too long.", f"Give at most {LONGEST_NAME} characters.")
    about = of_json(judged_at_last(asked.atlas, one), asked.atlas.about.version)
    said = keep(asked.atlas.about.casebook, about, kind, author or me(), note, truth or None)
    return link(f"/outbreaks/{part(one.id)}", judged=said.number) + "#judged"


def judged_at_last(atlas: Atlas, one: OutbreakJson) -> OutbreakJson:
    """The outbreak with the newest word on it, which may be newer than the atlas."""
    told = judged_told(atlas, one, just_said="now")
    return msgspec.structs.replace(one, judgement=told.judgement)


def written(field: str) -> str:
    """What was typed into a form; browsers end lines in two characters."""
    return encodable(field).replace("\r\n", "\n").strip()


def _counts(one: Judgement) -> JudgementJson | None:
    return None if one.kind == "withdraw" else judgement_json(one)


CHANGE = Change(
    "/outbreaks/{outbreak}/judge",
    "Judge",
    judge,
    "Confirm or refute a verdict, or take the last word on it back: kind, by, truth, note.",
)
