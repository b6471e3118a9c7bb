"""The summary: what happened, since when, to whom, how sure that is, and what to do. For who reads nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from broadstreet.formats.names import demangled
from broadstreet.store.atlas import Atlas
from broadstreet.store.called import largest_syndromes
from broadstreet.surfaces.investigation_json import InvestigationJson, OutbreakJson
from broadstreet.surfaces.judgement_text import NOBODY, how_sure_sentences, judgement_sentences
from broadstreet.surfaces.reports.parts import Part, begins
from broadstreet.surfaces.reports.record import Block, Claim, Facts, Section, Table, Words
from broadstreet.surfaces.text import plural, sentence
from broadstreet.verdict.figures import amount, percent
from broadstreet.verdict.sentences import measure
from broadstreet.verdict.words import exposure, listed

MOST_KINDS = 5  # that are told where nothing stands out
FEW = 3  # values that stand in a sentence by name
TOLD_BY = ("physical_host", "host", "region", "service_release", "kernel_release", "workload")
UNSURE = {
    "Held": "No verdict is given while crashes are lost: what was captured may be another selection every day.",
    "Cannot tell": "The evidence does not tell hardware from software; “What would overturn it” says what would.",
}
SURE = (
    "That is how often such evidence was right in simulated fleets with known causes. It is no more certain than what "
    "was tried there."
)


def about(found: InvestigationJson, outbreaks: Sequence[OutbreakJson]) -> Iterator[str]:
    """Of which casebook, which time, and which outbreak."""
    if len(outbreaks) == 1:
        yield f"Outbreak {outbreaks[0].id} of syndrome {outbreaks[0].syndrome}"
    yield f"Casebook {found.casebook}, version {found.casebook_version}"
    if period(found):
        yield period(found)
    yield f"broadstreet {found.broadstreet_version}"


def period(found: InvestigationJson) -> str:
    """15 Jan to 14 Apr 2026: the first and the last day that were observed; empty where nothing is dated."""
    if not found.cases or not found.start or not found.end or found.start >= found.end:
        return ""
    first, last = datetime.fromisoformat(found.start), datetime.fromisoformat(found.end) - timedelta(seconds=1)
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {first:%b}{year} to {last.day} {last:%b} {last.year}"


def summary(atlas: Atlas, found: InvestigationJson, parts: Sequence[Part], words: str) -> Iterator[Section]:
    """The first section of a report, and one part of it for each outbreak."""
    opening: list[Block] = [Words(" ".join(filter(None, (words, *_opening(found)))))]
    if len(parts) == 1:
        yield Section("Summary", (*_claim(found, parts[0]), *opening))
        return
    if not parts:
        opening += _nothing(atlas, found)
    yield Section("Summary", opening)
    for part in parts:
        yield Section(f"{part.outbreak.rank}. {part.outbreak.title.rstrip('.')}", tuple(_claim(found, part)), 3)


def _opening(found: InvestigationJson) -> Iterator[str]:
    when = f" from {period(found)}" if period(found) else ""
    were = "was" if found.cases == 1 else "were"
    yield f"{plural(found.cases, 'crash', 'crashes')}{when} {were} read, of {plural(found.syndromes, 'kind')}."
    if found.at_risk is not None and found.measure is not None:
        fleet = [plural(count, name) for count, name in ((found.hosts, "host"), (found.machines, "machine")) if count]
        of = " on ".join(fleet) or "the fleet"
        yield f"They are held against {amount(found.at_risk)} {measure(found.measure)} of {of}."
    else:
        yield "How long anything ran is not known, so crashes are compared with one another."
    if found.capture.captured is not None and found.capture.fatal:
        share = percent(found.capture.captured / found.capture.fatal)
        yield f"Of {found.capture.fatal:,} fatal signals that the fleet counted, {share} became a crash here."
    else:
        yield "Which share of all crashes was captured is not known."


def _nothing(atlas: Atlas, found: InvestigationJson) -> Iterator[Block]:
    if found.would_be_seen:
        yield Words(found.would_be_seen)
    yield Words("Nothing standing out is not nothing wrong: what hits everybody at all times does not stand out.")
    rows = tuple(_kind(row) for row in largest_syndromes(atlas, MOST_KINDS).dicts())
    if rows:
        yield Words("What there is most of, which may be one bug all the same:", small=True)
        yield Table(("kind", "crashes", "hosts", "how they die", "where"), rows, frozenset((1, 2)))


def _kind(row: Mapping[str, Any]) -> tuple[str, ...]:
    called = row["syndrome"] + (f" {row['name']}" if row["name"] else "")
    ways = ", ".join(one.replace("_", " ") for one in row["mechanisms"] or ())
    hosts = f"{row['hosts']:,}" if row["hosts"] else ""
    return called, f"{row['cases']:,}", hosts, ways, demangled(row["site"] or "")


def _claim(found: InvestigationJson, part: Part) -> Iterator[Block]:
    one, told = part.outbreak, part.told
    yield Claim(part.word, sentence(one.who))
    arrived = f" New shortly before: {listed(told.new_then)}." if told.new_then else ""
    since = told.onset_says if begins(one) else told.onset_says.replace("It began on", "They come oftener since")
    yield Facts(
        (
            ("Since when", since + arrived),
            ("How often", told.rates_say),
            ("Where", _where(part)),
            ("How sure", _sure(found, part)),
            ("What to do first", told.first_action),
            ("What people said", " ".join(judgement_sentences(one)) or NOBODY),
        )
    )


def _where(part: Part) -> str:
    places = {one.attribute: one for one in part.places}
    told = []
    for name in TOLD_BY:
        one = places.get(name)
        if one is None or not one.values:
            continue
        known = [value for value, _ in one.commonest if value is not None]
        if one.values <= FEW and len(known) == one.values:
            told.append(f"{exposure(name)} {listed(known)}")
        elif known:
            told.append(f"{one.values:,} {_many(name)}")
    return sentence("; ".join(told)) if told else "Nothing tells where they were."


def _many(name: str) -> str:
    return {"physical_host": "machines", "service_release": "releases", "kernel_release": "kernels"}.get(
        name, f"{name}s"
    )


def _sure(found: InvestigationJson, part: Part) -> str:
    said = f"{part.word.what}{': ' + part.word.sure if part.word.sure else ''}. "
    why = UNSURE.get(part.word.what, SURE)
    return " ".join((said + why, *how_sure_sentences(found.how_sure)))
