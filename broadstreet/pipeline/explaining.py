"""What an id means, and everything behind it: an outbreak, a syndrome with its traces, or a case among both."""

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.pipeline import syndromes
from broadstreet.pipeline.grouping import Grouping, grouped
from broadstreet.pipeline.investigation import investigation
from broadstreet.pipeline.scanning import stored_case
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.case import Case
from broadstreet.records.verdict import Argument, Investigation, Verdict
from broadstreet.sources.binaries import Binaries
from broadstreet.store import syndromes as store
from broadstreet.store.questions import Questions

CASE_ID = re.compile("[0-9a-f]{4,32}", re.IGNORECASE)
EXAMPLES = "The rank of an outbreak (1), O-..., S-... or its name, or the first digits of a case's id, four at least"


class ExplainedSyndrome(NamedTuple):
    """A syndrome of this grouping, what people said of syndromes, and its outbreaks."""

    syndrome: str
    grouping: Grouping
    said: Sequence[store.Event]
    verdicts: tuple[Verdict, ...]


class Among(NamedTuple):
    """How a case lies to an outbreak: inside of it or elsewhere (null: not known), and the arguments that it bears."""

    verdict: Verdict
    inside: bool | None
    arguments: tuple[Argument, ...]


class ExplainedCase(NamedTuple):
    """A case, its machine state where evidence is kept, its syndrome, and how it lies to the outbreaks.

    `syndrome` is null where no frame can be trusted; `why` also where nobody kept how it came there.
    """

    case: Case
    state: MachineState | None
    syndrome: str | None
    why: syndromes.Explanation | None
    among: tuple[Among, ...]


Explained = Verdict | ExplainedSyndrome | ExplainedCase


def explained(questions: Questions, name: str, binaries: Binaries) -> tuple[Investigation, Explained]:
    """What this id means in a version of a casebook, with the investigation that it stands in.

    A name that a person gave a syndrome comes before the beginning of another's id, but never before a rank.
    """
    url, number = questions.place.url, questions.version.number
    said = store.events(questions)
    named = any(event.kind == "name" and event.text == name for event in said)
    if name.upper().startswith("S-") or (named and not _may_be_rank(name)):
        grouping = grouped(questions)
        syndrome = syndromes.meant(grouping, name, said)
        found = investigation(url, number)
        own = tuple(one for one in found.verdicts if one.outbreak.syndrome == syndrome)
        return found, ExplainedSyndrome(syndrome, grouping, said, own)
    if CASE_ID.fullmatch(name) and not _may_be_rank(name):
        case, state = stored_case(url, name, binaries, number)  # before all else is asked: a wrong id is told at once
        found = investigation(url, number)
        return found, _case(questions, case, state, found)
    if not (name.isdigit() or name.upper().startswith("O-")):
        raise UsageError(f"no such outbreak, syndrome or case: {name}", EXAMPLES)
    found = investigation(url, number)
    return found, outbreak_named(name, found.verdicts, url)


def _may_be_rank(name: str) -> bool:
    return name.isdigit() and len(name) < 4


def outbreak_named(name: str, verdicts: Sequence[Verdict], url: str) -> Verdict:
    """The outbreak with this rank, or with an id that begins so."""
    if name.isdigit():
        found = [one for one in verdicts if one.outbreak.rank == int(name)]
    else:
        found = [one for one in verdicts if one.outbreak.id.lower().startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.outbreak.id for one in found)
        raise UsageError(f"{len(found)} outbreaks begin with {name}: {ids}", "Give more of the id.")
    there = f"There are {len(verdicts):,}" if verdicts else "There is none"
    raise UsageError(f"no outbreak {name}", f"{there}: broadstreet outbreaks --casebook {shlex.quote(url)}")


def _case(questions: Questions, case: Case, state: MachineState | None, found: Investigation) -> ExplainedCase:
    among = tuple(
        Among(verdict, inside, tuple(one for one in _arguments(verdict) if case.case_id in one.cases))
        for verdict in found.verdicts
        for ids, inside in (
            (verdict.outbreak.cases, True),
            (verdict.outbreak.elsewhere, False),
            (verdict.outbreak.unplaced, None),
        )
        if case.case_id in ids
    )
    why = syndromes.explained(questions, case.case_id)
    return ExplainedCase(case, state, why.syndrome if why else _would_be(questions, case.case_id), why, among)


def _arguments(verdict: Verdict) -> tuple[Argument, ...]:
    return (*verdict.evidence_against, *verdict.evidence_for)


def _would_be(questions: Questions, case_id: str) -> str | None:
    grouping = grouped(questions)
    code = int(grouping.syndrome[list(grouping.case_ids).index(case_id)])
    return grouping.syndromes[code] if code >= 0 else None
