"""All cases of a casebook into traces and syndromes: what was decided stays, the rest is decided in order of time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
from numpy.typing import NDArray

from broadstreet.cases.assignment import ALGORITHM, Assignment, Merge, Split, assigned
from broadstreet.cases.calibration import calibration
from broadstreet.cases.frame_rules import FrameRules, frame_rules, own_rules
from broadstreet.cases.trace_key import NO_TRACE, Keyed, keyed
from broadstreet.errors import CasebookError
from broadstreet.store import syndromes as store
from broadstreet.store.casebook import Casebook
from broadstreet.store.questions import Questions

BY_FRAME = "frame"  # how the text of a split begins that takes all traces with a frame
PROGRAM = "broadstreet"  # who says what no person said
ATTEMPTS = 10  # of a writer with whom others keep syndromes at the same time
Codes = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Grouping:
    """The cases, in the order of their time, the undated last; -1 where a case has no trusted frame.

    `trace` is a code into `traces` (exact keys) and `frames`, `syndrome` one into `syndromes`, whose aliases are
    resolved. `names` are those that people gave. `new` is what `keep` will add.
    """

    case_ids: Sequence[str]
    trace: Codes
    traces: Sequence[str]
    frames: Sequence[tuple[str, ...]]
    syndrome: Codes
    syndromes: Sequence[str]
    names: Mapping[str, str]
    new: pa.Table
    merged: Sequence[store.Event]


def grouped(questions: Questions) -> Grouping:
    """The syndromes of all cases; nothing is written."""
    cases = store.cases_in_order(questions)
    rows = store.traces(questions)
    keys = keyed(rows)
    trace_ids = rows["trace_id"].to_pylist()
    del rows  # of a million cases, most of the memory
    trace = taken(keys.codes, codes_of(cases["trace_id"], trace_ids))
    said = store.events(questions)
    rules = rules_of(said)
    kept = store.kept(questions)
    before = _before(kept, trace_ids, keys)
    into = store.aliases(said)
    decided, merges = assigned(
        [(keys.keys[code], keys.frames[code]) for code in in_order(trace)],
        before,
        rules,
        calibration(),
        into,
        splits_of(said),
    )
    also = _events(merges, said)
    into = store.aliases([*said, *also])
    syndrome, ids = _syndromes(keys.keys, before | {one.trace: one.syndrome for one in decided}, into)
    return Grouping(
        case_ids=cases["case_id"].to_pylist(),
        trace=trace,
        traces=keys.keys,
        frames=keys.frames,
        syndrome=taken(syndrome, trace),
        syndromes=ids,
        names=_names(said, into),
        new=_new_rows(trace_ids, keys, set(kept["trace_id"].to_pylist()), before, decided, rules),
        merged=also,
    )


def keep_new(book: Casebook, url: str) -> int:
    """Group what nobody grouped yet, and keep that as one new version; how many traces. No version where it is none.

    Of two writers at once the slower groups again, upon what the faster kept: no trace is put into two syndromes.
    """
    for _ in range(ATTEMPTS):
        store.name_left(book)
        with Questions(url) as questions:
            if not store.unassigned(questions):
                return 0
            grouping, seen = grouped(questions), store.version_of_assignments(questions)
        count = int(grouping.new.num_rows)
        if not count or store.keep_upon(book, seen, grouping.new, grouping.merged, f"{count:,} traces"):
            return count
    raise CasebookError(f"{url}: other writers always kept their syndromes sooner")


def rules_of(said: Sequence[store.Event]) -> FrameRules:
    """The rules on frames in force: the last that were given, else those that come with Broad Street."""
    given = [event.text for event in said if event.kind == "rules"]
    return frame_rules(given[-1] or "") if given else own_rules()


def algorithm(rules: FrameRules) -> str:
    """What an assignment says that it was made by."""
    return f"{ALGORITHM}/{rules.version}"


def codes_of(values: pa.ChunkedArray, names: Sequence[str]) -> Codes:
    """Where each value stands among the names; -1: nowhere."""
    found = compute.index_in(values, pa.array(names, values.type)).fill_null(NO_TRACE)
    return np.asarray(found.to_numpy(), np.int32)


def taken(values: Codes, at: Codes) -> Codes:
    """The value at each place; -1 at place -1."""
    return np.append(values, np.int32(NO_TRACE))[at]


def in_order(trace: Codes) -> list[int]:
    """The traces in the order of their first case."""
    found, first = np.unique(trace, return_index=True)
    ordered = found[np.argsort(first)]
    return [code for code in ordered.tolist() if code != NO_TRACE]


def splits_of(said: Sequence[store.Event]) -> list[Split]:
    """What people took out of syndromes."""
    return [
        Split(one.syndrome or "", one.other or "", frame if kind == BY_FRAME else None)
        for one in said
        if one.kind == "split"
        for kind, _, frame in [(one.text or "").partition(" ")]
    ]


def _before(kept: pa.Table, trace_ids: Sequence[str], keys: Keyed) -> dict[str, str]:
    code = dict(zip(trace_ids, keys.codes.tolist(), strict=True))
    rows = zip(kept["trace_id"].to_pylist(), kept["syndrome"].to_pylist(), strict=True)
    return {keys.keys[code[one]]: syndrome for one, syndrome in rows if code.get(one, NO_TRACE) != NO_TRACE}


def _syndromes(keys: Sequence[str], of: Mapping[str, str], into: Mapping[str, str]) -> tuple[Codes, list[str]]:
    numbers: dict[str, int] = {}
    codes = [numbers.setdefault(store.called(of[key], into), len(numbers)) for key in keys]
    return np.array(codes, np.int32), list(numbers)


def _names(said: Sequence[store.Event], into: Mapping[str, str]) -> dict[str, str]:
    return {store.called(one.syndrome or "", into): one.text for one in said if one.kind == "name" and one.text}


def _events(merges: Sequence[Merge], said: Sequence[store.Event]) -> list[store.Event]:
    first, now = (said[-1].number if said else 0) + 1, datetime.now(UTC)
    return [
        store.Event(first + at, "merge", one.syndrome, one.into, f"trace {one.trace} is like both", PROGRAM, now)
        for at, one in enumerate(merges)
    ]


def _new_rows(
    trace_ids: Sequence[str],
    keys: Keyed,
    kept: set[str],
    before: Mapping[str, str],
    decided: Sequence[Assignment],
    rules: FrameRules,
) -> pa.Table:
    made = {one.trace: one for one in decided}
    new = [
        (trace_id, code)
        for trace_id, code in zip(trace_ids, keys.codes.tolist(), strict=True)
        if code != NO_TRACE and trace_id not in kept
    ]
    rows = [made.get(key) or _as_before(key, before[key]) for key in (keys.keys[code] for _, code in new)]
    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in _AS_DECIDED}
    columns["aligned"] = [
        None if row.aligned is None else json.dumps([(frame, round(weight, 4)) for frame, weight in row.aligned])
        for row in rows
    ]
    columns["trace_id"] = [trace_id for trace_id, _ in new]
    columns["frames"] = [keys.frames[code] for _, code in new]
    columns["algorithm"] = [algorithm(rules)] * len(new)
    return store.assignment_rows(columns)


def _as_before(trace: str, syndrome: str) -> Assignment:
    """A trace that another build left before."""
    return Assignment(trace, syndrome, "same", 1.0, None, None, None, None, None)


_AS_DECIDED = tuple(name for name in Assignment._fields if name != "aligned")
