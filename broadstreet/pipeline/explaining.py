"""What an id means, and everything behind it: an outbreak, a syndrome with its traces, or a case among both."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from broadstreet.errors import UsageError
from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.investigation import investigation
from broadstreet.pipeline.scanning import stored_case
from broadstreet.pipeline.syndromes import meant
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.case import Case
from broadstreet.records.verdict import Argument, Investigation, Verdict
from broadstreet.sources.binaries import Binaries
from broadstreet.store import syndromes as store
from broadstreet.store.questions import Questions

CASE_ID = re.compile("[0-9a-f]{4,32}", re.IGNORECASE)
EXAMPLES = "The rank of an outbreak (1), O-..., S-..., or the first digits of a case's id, four at least"


class Trace(NamedTuple):
    """A trace of a syndrome: its frames, the innermost first, and its cases."""

    key: str
    frames: tuple[str, ...]
    cases: int


class ExplainedSyndrome(NamedTuple):
    """A syndrome: the name that people gave, its cases, its traces, the commonest first, and its outbreaks."""

    syndrome: str
    name: str | None
    cases: tuple[str, ...]
    traces: tuple[Trace, ...]
    verdicts: tuple[Verdict, ...]


class Among(NamedTuple):
    """How a case lies to an outbreak: inside of it or elsewhere, and the arguments that it is evidence of."""

    verdict: Verdict
    inside: bool
    arguments: tuple[Argument, ...]


class ExplainedCase(NamedTuple):
    """A case, its machine state where evidence is kept, its syndrome and how it came there, and the outbreaks."""

    case: Case
    state: MachineState | None
    syndrome: str | None
    assignment: Mapping[str, Any] | None
    among: tuple[Among, ...]


Explained = Verdict | ExplainedSyndrome | ExplainedCase


def explained(url: str, name: str, binaries: Binaries, number: int | None = None) -> tuple[Investigation, Explained]:
    """What this id means, with the investigation that it stands in."""
    if name.upper().startswith("S-"):
        found = investigation(url, number)
        return found, _syndrome(url, name, found)
    if CASE_ID.fullmatch(name) and not _may_be_rank(name):
        case, state = stored_case(url, name, binaries)  # before all else is asked: a wrong id is told at once
        found = investigation(url, number)
        return found, _case(url, case, state, found)
    if not (name.isdigit() or name.upper().startswith("O-")):
        raise UsageError(f"no such outbreak, syndrome or case: {name}", EXAMPLES)
    found = investigation(url, number)
    return found, _outbreak(name, found.verdicts)


def _may_be_rank(name: str) -> bool:
    return name.isdigit() and len(name) < 4


def _outbreak(name: str, verdicts: Sequence[Verdict]) -> Verdict:
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
    raise UsageError(f"no outbreak {name}", f"{there}: broadstreet outbreaks")


def _syndrome(url: str, name: str, found: Investigation) -> ExplainedSyndrome:
    with Questions(url, found.casebook_version) as questions:
        grouping = grouped(questions)
        syndrome = meant(grouping, name, store.events(questions))
    mine = np.flatnonzero(grouping.syndrome == grouping.syndromes.index(syndrome))
    counted = Counter(grouping.trace[mine].tolist())
    return ExplainedSyndrome(
        syndrome,
        grouping.names.get(syndrome),
        tuple(grouping.case_ids[row] for row in mine.tolist()),
        tuple(Trace(grouping.traces[one], grouping.frames[one], n) for one, n in counted.most_common()),
        tuple(one for one in found.verdicts if one.outbreak.syndrome == syndrome),
    )


def _case(url: str, case: Case, state: MachineState | None, found: Investigation) -> ExplainedCase:
    with Questions(url, found.casebook_version) as questions:
        row = _assigned(questions, case.case_id)
        into = store.aliases(store.events(questions))
    among = tuple(
        Among(verdict, case.case_id in inside, tuple(one for one in _arguments(verdict) if case.case_id in one.cases))
        for verdict in found.verdicts
        if case.case_id in (inside := frozenset(verdict.outbreak.cases)) or case.case_id in verdict.outbreak.elsewhere
    )
    syndrome = None if row is None else store.called(row["syndrome"], into)
    return ExplainedCase(case, state, syndrome, row, among)


def _arguments(verdict: Verdict) -> tuple[Argument, ...]:
    return (*verdict.evidence_against, *verdict.evidence_for)


def _assigned(questions: Questions, case_id: str) -> Mapping[str, Any] | None:
    """How the trace of a case came to its syndrome: as it was kept, else as it would be; null without a trace."""
    trace = store.trace_of(questions, case_id)
    if trace is None:
        return None
    kept = store.why(questions, trace)
    return kept or next((row for row in grouped(questions).new.to_pylist() if row["trace_id"] == trace), None)
