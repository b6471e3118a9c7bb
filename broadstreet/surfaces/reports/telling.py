"""What a report says, from the atlas of a casebook version: of all its outbreaks, of those of a syndrome, or of one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.store.atlas import Atlas
from broadstreet.store.called import syndromes_called
from broadstreet.surfaces.investigation_json import InvestigationJson, OutbreakJson
from broadstreet.surfaces.reports.appendix import appendix
from broadstreet.surfaces.reports.parts import Part, argument_of, part_told
from broadstreet.surfaces.reports.record import Code, Report, Section, Words
from broadstreet.surfaces.reports.summary import about, summary
from broadstreet.surfaces.reports.timeline import chart, timeline
from broadstreet.surfaces.text import sentence
from broadstreet.surfaces.web.found import investigation

EXAMPLES = "The rank of an outbreak (1), O-..., or S-... or its name: broadstreet outbreaks, broadstreet syndromes"


class Subject(NamedTuple):
    """What a report is about: its title, and its outbreaks. `name` is as a command takes it; null: everything."""

    title: str
    outbreaks: tuple[OutbreakJson, ...]
    name: str | None
    words: str = ""


def report_of(atlas: Atlas, name: str | None = None, casebook: str = "") -> Report:
    """The report on everything, or on the outbreak or syndrome with this name. `casebook` is what commands need."""
    found = investigation(atlas)
    subject = subject_of(atlas, found, name)
    alone = len(subject.outbreaks) == 1
    parts = [part_told(atlas, one, "a" if alone else None) for one in subject.outbreaks]
    return Report(
        title=subject.title,
        about=tuple(about(found, subject.outbreaks)),
        simulated=found.simulated,
        sections=tuple(_sections(atlas, found, subject, parts, casebook)),
    )


def subject_of(atlas: Atlas, found: InvestigationJson, name: str | None) -> Subject:
    """What a name means: the rank of an outbreak before all else, then its id, then a syndrome."""
    if name is None:
        return Subject(found.answer, tuple(found.outbreaks), None)
    if name.isascii() and name.isdecimal() and len(name) < 4:
        ranked = [one for one in found.outbreaks if str(one.rank) == name]
        return _outbreak(name, ranked, found)
    if name.upper().startswith("O-"):
        called = [one for one in found.outbreaks if one.id.lower().startswith(name.lower())]
        return _outbreak(name, called, found)
    return _syndrome(atlas, found, name)


def _outbreak(name: str, called: Sequence[OutbreakJson], found: InvestigationJson) -> Subject:
    if len(called) == 1:
        return Subject(sentence(called[0].title), tuple(called), called[0].id)
    if called:
        raise UsageError(f"{len(called)} outbreaks begin with {name}", "Give more of the id.")
    there = f"There are {len(found.outbreaks):,}" if found.outbreaks else "There is none"
    raise UsageError(f"no outbreak {name}", f"{there}: broadstreet outbreaks")


def _syndrome(atlas: Atlas, found: InvestigationJson, name: str) -> Subject:
    rows = syndromes_called(atlas, name).dicts() if name else []
    if not rows:
        raise UsageError(f"no outbreak or syndrome {name}", EXAMPLES)
    if len(rows) > 1:
        first = ", ".join(row["syndrome"] for row in rows[:5])
        raise UsageError(f"several syndromes are {name}: {first}", "Give more of the id, or all of it.")
    own, cases = rows[0]["syndrome"], rows[0]["cases"]
    outbreaks = tuple(one for one in found.outbreaks if one.syndrome == own and one.kind != "linked")
    called = own + (f", {rows[0]['name']}," if rows[0]["name"] else "")
    if not outbreaks:
        words = f"It has {cases:,} of {found.cases:,} crashes. No cohort has more of it than its share explains."
        return Subject(f"Nothing stands out in syndrome {called.rstrip(',')}.", (), own, words)
    if len(outbreaks) == 1:
        return Subject(sentence(outbreaks[0].title), outbreaks, own)
    return Subject(f"Syndrome {called} is {len(outbreaks):,} outbreaks.", outbreaks, own)


def _sections(
    atlas: Atlas, found: InvestigationJson, subject: Subject, parts: Sequence[Part], casebook: str
) -> Iterator[Section]:
    if not found.cases:
        yield Section(
            "What to do",
            (
                Words("Nothing was read into this casebook yet, so there is nothing to report."),
                Code("Read core dumps into it", (f"broadstreet scan DIR --casebook {found.casebook}",)),
            ),
        )
        yield from appendix(atlas, found, (), subject.name, casebook)
        return
    yield from summary(atlas, found, parts, subject.words)
    drawn = chart(atlas, parts)
    if drawn is not None:
        yield Section("Cases over time", (drawn,))
    yield Section("Timeline", tuple(timeline(atlas, found, parts)))
    for part in parts:
        yield from argument_of(part, alone=len(parts) == 1)
    yield from appendix(atlas, found, parts, subject.name, casebook)
