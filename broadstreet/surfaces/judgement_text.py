"""What people said of a verdict, and how sure such verdicts have been, in sentences that every surface says."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from broadstreet.pipeline.judgements import Of
from broadstreet.records.verdict import Judgement
from broadstreet.surfaces.investigation_json import HowSureJson, OutbreakJson
from broadstreet.surfaces.text import safe
from broadstreet.verdict.figures import day, percent
from broadstreet.verdict.words import certainty

SAID = {"confirm": "Confirmed", "refute": "Refuted"}
NOBODY = "Nobody has judged this one yet."


def of_json(outbreak: OutbreakJson, version: int) -> Of:
    """What a word on this verdict of this casebook version is about."""
    last = outbreak.judgement
    return Of(
        outbreak=outbreak.id,
        formerly=None if last is None or last.outbreak == outbreak.id else last.outbreak,
        says=outbreak.verdict,
        certainty=outbreak.probability,
        held=outbreak.held,
        syndrome=None if outbreak.kind == "linked" else outbreak.syndrome,
        cohort=outbreak.cohort,
        version=version,
        judged=last is not None,
    )


def judgement_sentences(outbreak: OutbreakJson) -> Iterator[str]:
    """Who confirmed or refuted a verdict, when, what it really was, the note; and what it said then, if other."""
    one = outbreak.judgement
    if one is None:
        return
    at = datetime.fromisoformat(one.made)
    truth = f": {one.truth}" if one.truth else ""
    yield f"{SAID[one.kind]} by {one.author} on {day(at)} {at:%Y}{truth}."
    if one.says != outbreak.verdict:
        said = "it could not be told" if one.says == "undetermined" else f"it said {one.says}, "
        sure = "" if one.says == "undetermined" else certainty(one.probability)
        yield f"That was said when {said}{sure}, at casebook version {one.casebook_version}."
    if one.note:
        yield f"Note: {one.note}"


def kept_sentence(said: Judgement) -> str:
    """What a command answers."""
    verdict = "which could not be told" if said.says == "undetermined" else f"{said.says}, {certainty(said.certainty)}"
    really = f", really {safe(said.truth)}" if said.truth and said.truth != said.says else ""
    if said.kind == "withdraw":
        return f"Withdrawn: nobody judges {said.outbreak} now."
    return f"{SAID[said.kind]}: {said.outbreak}, {verdict}{really}."


def how_sure_sentences(bands: Sequence[HowSureJson]) -> Iterator[str]:
    """Of verdicts that were so certain, how many people confirmed; nothing of those that nobody judged."""
    for band in bands:
        if band.least is None:
            continue
        if band.below >= 1:
            which = f"verdicts that said {percent(band.at_least)} or more"
        elif band.at_least > 0:
            which = f"those that said {percent(band.at_least)} to {percent(band.below)}"
        else:
            which = f"those that said less than {percent(band.below)}"
        bound = f" (lower bound {certainty(band.least)})" if band.confirmed else ""
        yield f"Of {which}, people confirmed {band.confirmed:,} of {band.judged:,}{bound}."
