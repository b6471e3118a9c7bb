"""What people say of syndromes, what a recomputation would change, and why a trace is where it is.

Nothing here rewrites what was decided: a person's word is an event, a recomputation adds newer assignments. A split
pins every trace that the syndrome had to the side where the person put it, so no recomputation moves it.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute

from broadstreet.cases.assignment import ID_DIGITS, assigned
from broadstreet.cases.calibration import calibration
from broadstreet.cases.frame_rules import frame_rules
from broadstreet.cases.relevance import Dropped, sifted
from broadstreet.cases.trace_key import NO_TRACE
from broadstreet.errors import UsageError
from broadstreet.pipeline.grouping import (
    BY_FRAME,
    PROGRAM,
    Grouping,
    algorithm,
    grouped,
    in_order,
    keep_new,
    rules_of,
    splits_of,
)
from broadstreet.store import syndromes as store
from broadstreet.store.casebook import Casebook, open_for_writing
from broadstreet.store.questions import Questions

PERSON = "person"  # the outcome of an assignment that a person made
FRESH = "r"  # ends a name that a recomputation had to make up
BY_TRACE = "traces"
BY_PERSON = {"outcome": PERSON, "algorithm": PERSON}


class Change(NamedTuple):
    """A trace that a recomputation would move."""

    trace: str
    before: str
    after: str
    cases: int


class Regrouping(NamedTuple):
    """What a recomputation of everything would change; `rows` are the assignments that would be added."""

    cases: int
    moved: int
    changes: tuple[Change, ...]
    rows: tuple[Mapping[str, Any], ...]


class Explanation(NamedTuple):
    """Why a trace is in its syndrome. `aligned` are the frames of both, with what each counted."""

    trace: str
    frames: tuple[str, ...]
    syndrome: str
    name: str | None
    outcome: str
    similarity: float | None
    probability: float | None
    nearest: str | None
    aligned: tuple[tuple[str, float], ...]
    rival: str | None
    margin: float | None
    dropped: tuple[Dropped, ...]
    algorithm: str
    rules_changed: bool


def listed(questions: Questions, grouping: Grouping) -> pa.Table:
    """Every syndrome of a grouping: id, name, cases, hosts, first, last, mechanisms, frames of its commonest trace."""
    ids = pa.DictionaryArray.from_arrays(
        pa.array(grouping.syndrome, mask=grouping.syndrome == NO_TRACE), pa.array(list(grouping.syndromes), pa.string())
    )
    rows = store.listed(
        questions, pa.table({"case_id": pa.array(grouping.case_ids, pa.string()), "syndrome": ids.cast(pa.string())})
    )
    rows = rows.filter(compute.is_valid(rows["syndrome"]))
    common = commonest(grouping)
    names = rows["syndrome"].to_pylist()
    rows = rows.append_column("frames", pa.array([list(grouping.frames[common[one]]) for one in names]))
    return rows.add_column(1, "name", pa.array([grouping.names.get(one) for one in names], pa.string()))


def commonest(grouping: Grouping) -> dict[str, int]:
    """The code of the commonest trace of each syndrome."""
    known = grouping.trace != NO_TRACE
    pairs, count = np.unique(np.stack([grouping.syndrome[known], grouping.trace[known]]), axis=1, return_counts=True)
    found: dict[str, int] = {}
    for at in np.argsort(-count, kind="stable").tolist():
        found.setdefault(grouping.syndromes[int(pairs[0, at])], int(pairs[1, at]))
    return found


def meant(grouping: Grouping, name: str, said: Sequence[store.Event] = ()) -> str:
    """The syndrome that a person names: by its id, the beginning of it, a name by which it went, or a person's name."""
    found = _going_by(grouping, name, said)
    if not found:
        raise UsageError(f"no syndrome {name} in this casebook", "broadstreet syndromes lists them")
    if len(found) > 1:
        raise UsageError(f"several syndromes are {name}: {', '.join(found[:5])}", "Give more of the id, or all of it.")
    return found[0]


def _going_by(grouping: Grouping, name: str, said: Sequence[store.Event]) -> list[str]:
    into = store.aliases(said)
    named = [one for one, text in grouping.names.items() if text == name]
    begun = {store.called(one, into) for one in (*grouping.syndromes, *into) if one.lower().startswith(name.lower())}
    return sorted(named or begun)


@contextmanager
def hearing(url: str, author: str) -> Iterator["Hearing"]:
    """A casebook in which a person says something of syndromes; all its cases are grouped first, and that is kept."""
    book = open_for_writing(url)
    try:
        keep_new(book, url)
        with Questions(url) as questions:
            yield Hearing(book, questions, grouped(questions), store.events(questions), author)
    finally:
        book.close()


class Hearing(NamedTuple):
    """A casebook whose cases are grouped, what was said of its syndromes, and who speaks."""

    book: Casebook
    questions: Questions
    grouping: Grouping
    said: Sequence[store.Event]
    author: str

    def name(self, syndrome: str, text: str) -> str:
        """Give a syndrome a name by which no other goes; its id."""
        own = meant(self.grouping, syndrome, self.said)
        taken = [one for one in _going_by(self.grouping, text, self.said) if one != own]
        if taken:
            raise UsageError(f"{taken[0]} goes by {text} already", "Give another name, or merge the two.")
        self._say("name", own, None, text, f"name of {own}")
        return own

    def note(self, syndrome: str, text: str) -> str:
        """Note something down about a syndrome; its id."""
        own = meant(self.grouping, syndrome, self.said)
        self._say("note", own, None, text, f"note on {own}")
        return own

    def rules(self, text: str) -> str:
        """Give other rules on frames, for traces that come from now on; their version."""
        version = frame_rules(text).version
        self._say("rules", None, None, text, f"rules {version}")
        return version

    def merge(self, into: str, others: Sequence[str]) -> tuple[str, list[str]]:
        """From now on `others` are other names of `into`; the id of it, and those that went."""
        stays = meant(self.grouping, into, self.said)
        gone = sorted({meant(self.grouping, other, self.said) for other in others} - {stays})
        if not gone:
            raise UsageError(f"{stays} is itself already", "Name another syndrome to merge into it.")
        for one in gone:
            self._say("merge", one, stays, None, f"{one} into {stays}")
        return stays, gone

    def split(self, syndrome: str, frame: str | None, traces: Sequence[str]) -> tuple[str, str, int]:
        """Take out of a syndrome the traces with a frame, or those named: parent, child, and how many traces went."""
        parent = meant(self.grouping, syndrome, self.said)
        members = members_of(self.grouping, parent)
        keys = self.grouping.traces
        if frame is not None:
            chosen = {keys[code] for code in members if frame in self.grouping.frames[code]}
            text = f"{BY_FRAME} {frame}"
        else:
            chosen = {keys[code] for code in members if any(keys[code].startswith(one) for one in traces)}
            text = f"{BY_TRACE} {' '.join(sorted(chosen))}"
        if not chosen or len(chosen) == len(members):
            which = "all" if chosen else "none"
            raise UsageError(
                f"{which} of the {len(members)} traces of {parent} would go", "broadstreet syndromes show ID"
            )
        digest = blake2b(f"{parent} {text}".encode(), digest_size=ID_DIGITS[-1] // 2).hexdigest()
        child = f"S-{digest[: ID_DIGITS[0]]}"
        side = {keys[code]: child if keys[code] in chosen else parent for code in members}
        rows = store.kept(self.questions).to_pylist()
        pinned = [row | {"syndrome": side[row["trace"]]} | BY_PERSON for row in rows if row["trace"] in side]
        self._say("split", parent, child, text, f"{child} out of {parent}", pinned)
        return parent, child, len(chosen)

    def _say(
        self,
        kind: str,
        syndrome: str | None,
        other: str | None,
        text: str | None,
        note: str,
        rows: Sequence[Mapping[str, Any]] = (),  # that a person decided
    ) -> None:
        number = self.said[-1].number + 1 if self.said else 1
        event = store.Event(number, kind, syndrome, other, text, self.author, datetime.now(UTC))
        store.keep(self.book, store.rows_of(rows), [event], note)


def members_of(grouping: Grouping, syndrome: str) -> list[int]:
    """The codes of the traces of a syndrome, the commonest first."""
    codes, count = np.unique(
        grouping.trace[grouping.syndrome == grouping.syndromes.index(syndrome)], return_counts=True
    )
    return [int(codes[at]) for at in np.argsort(-count, kind="stable")]


def regrouped(questions: Questions) -> Regrouping:
    """Everything decided anew, as if all had come at once; what people said holds. Nothing is written."""
    grouping = grouped(questions)
    said = store.events(questions)
    rules, into = rules_of(said), store.aliases(said)
    order = in_order(grouping.trace)
    cases = np.bincount(grouping.trace[grouping.trace != NO_TRACE], minlength=len(grouping.traces))
    before = dict(zip(grouping.trace.tolist(), grouping.syndrome.tolist(), strict=True))
    old = {grouping.traces[code]: grouping.syndromes[before[code]] for code in order}
    kept = store.kept(questions).to_pylist()
    people = {one for event in said if event.author != PROGRAM for one in (event.syndrome, event.other) if one}
    pinned = {row["trace"]: row["syndrome"] for row in kept if row["outcome"] == PERSON}
    for row in kept:  # a syndrome of which a person spoke keeps the trace that founded it
        if row["syndrome"] in people and row["outcome"] in ("new", "ask"):
            pinned.setdefault(row["trace"], row["syndrome"])
    told = store.aliases([event for event in said if event.author != PROGRAM])
    traces = [(grouping.traces[code], grouping.frames[code]) for code in order]
    decided, merges = assigned(traces, pinned, rules, calibration(), told, splits_of(said), taken=into)
    told |= {one.syndrome: one.into for one in merges}
    anew = {trace: store.called(syndrome, told) for trace, syndrome in pinned.items()}
    anew |= {one.trace: store.called(one.syndrome, told) for one in decided}
    weight = {grouping.traces[code]: int(cases[code]) for code in order}
    named = _kept_names(old, anew, weight, {store.called(one, told) for one in people} | set(pinned.values()))
    after = {trace: named.get(syndrome, syndrome) for trace, syndrome in anew.items()}
    moved = [
        Change(trace, old[trace], after[trace], weight[trace])
        for trace in old
        if trace in after and after[trace] != old[trace]
    ]
    made = {one.trace: one for one in decided}
    target = {change.trace: change.after for change in moved}
    rows = [
        row | {"syndrome": target[row["trace"]], "outcome": made[row["trace"]].outcome, "algorithm": algorithm(rules)}
        for row in kept
        if row["trace"] in target and row["trace"] in made
    ]
    return Regrouping(len(grouping.case_ids), sum(one.cases for one in moved), tuple(moved), tuple(rows))


def apply(book: Casebook, regrouping: Regrouping) -> None:
    """Let a recomputation count from now on."""
    store.keep(book, store.rows_of(regrouping.rows), [], f"{len(regrouping.rows):,} traces moved by a recomputation")


def explained(questions: Questions, case_id: str) -> Explanation | None:
    """Why a case is in its syndrome, from what was kept; null where nothing was, or it has no trusted frame."""
    trace_id = store.trace_of(questions, case_id)
    row = None if trace_id is None else store.why(questions, trace_id)
    if row is None:
        return None
    said = store.events(questions)
    rules, into = rules_of(said), store.aliases(said)
    own = store.called(row["syndrome"], into)
    names = [one.text for one in said if one.kind == "name" and store.called(one.syndrome or "", into) == own]
    return Explanation(
        trace=row["trace"],
        frames=tuple(row["frames"]),
        syndrome=own,
        name=names[-1] if names else None,
        outcome=row["outcome"],
        similarity=row["similarity"],
        probability=row["probability"],
        nearest=row["nearest"],
        aligned=tuple((frame, weight) for frame, weight in json.loads(row["aligned"] or "[]")),
        rival=row["rival"] and store.called(row["rival"], into),
        margin=row["margin"],
        dropped=tuple(sifted(row["frames"], rules)[1]),
        algorithm=row["algorithm"],
        rules_changed=row["outcome"] != PERSON and row["algorithm"] != algorithm(rules),
    )


def _kept_names(
    old: Mapping[str, str], anew: Mapping[str, str], weight: Mapping[str, int], fixed: Collection[str]
) -> dict[str, str]:
    """New syndromes under the names that most of their cases had; a name that a person used stays where it is."""
    shared = Counter[tuple[str, str]]()
    for trace, syndrome in anew.items():
        shared[syndrome, old[trace]] += weight[trace]
    named: dict[str, str] = {one: one for one in fixed}
    used = set(fixed)
    for (syndrome, name), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if syndrome not in named and name not in used:
            named[syndrome] = name
            used.add(name)
    for syndrome in sorted(set(anew.values()) - set(named)):  # its own name may now be another's
        named[syndrome] = syndrome if syndrome not in used else f"{syndrome}{FRESH}"
        used.add(named[syndrome])
    return named
