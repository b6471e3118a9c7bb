"""Syndromes in a casebook: the traces of its cases, which syndrome each was put into, and what people said of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from broadstreet.records.columns import ASSIGNMENTS, GROUPING, SYNDROME_EVENTS
from broadstreet.store.casebook import Casebook
from broadstreet.store.questions import Questions
from broadstreet.store.schema import schema
from broadstreet.store.table import add_numbered, append, append_if_unchanged, opened

VERB = "group"
_MADE = schema(ASSIGNMENTS).field("made")
_DECIDED = [one for one in schema(ASSIGNMENTS) if one.name != "made"]


class Event(NamedTuple):
    """What was said of a syndrome (records/columns.py, SYNDROME_EVENTS)."""

    number: int
    kind: str
    syndrome: str | None
    other: str | None
    text: str | None
    author: str
    made: datetime


def cases_in_order(questions: Questions) -> pa.Table:
    """`case_id` and `trace_id` of all cases in the order of their time, the undated last."""
    return questions.answer("SELECT case_id, trace_id FROM current_cases ORDER BY time NULLS LAST, case_id")


def traces(questions: Questions) -> pa.Table:
    """What the exact keys are made of, of the traces of all cases."""
    return questions.answer(
        "SELECT trace_id, parts, functions, module_paths, offsets, trusts, kinds "
        "FROM raw_traces SEMI JOIN current_cases USING (trace_id)"
    )


def kept(questions: Questions) -> pa.Table:
    """The newest assignment of each trace, as it was made."""
    return questions.answer(
        "SELECT * FROM raw_assignments QUALIFY row_number() OVER (PARTITION BY trace_id ORDER BY made DESC) = 1 "
        "ORDER BY made, trace_id"
    )


def unassigned(questions: Questions) -> bool:
    """Whether there is a case whose trace nobody put into a syndrome yet, if only because it has no trusted frame."""
    return bool(
        questions.answer("SELECT 1 FROM current_cases ANTI JOIN raw_assignments USING (trace_id) LIMIT 1").num_rows
    )


def events(questions: Questions) -> list[Event]:
    """What was said, in order."""
    names = ", ".join(Event._fields)
    rows = questions.answer(f"SELECT {names} FROM raw_syndrome_events ORDER BY number").to_pylist()
    return [Event(**row) for row in rows]


def aliases(said: Iterable[Event]) -> dict[str, str]:
    """The other names that syndromes go by, each with the next nearer to the one of now."""
    into: dict[str, str] = {}
    for event in said:
        if event.kind == "merge" and event.syndrome is not None and event.other is not None:
            gone, stays = called(event.syndrome, into), called(event.other, into)
            if gone != stays:
                into[gone] = stays
    return into


def called(syndrome: str, into: Mapping[str, str]) -> str:
    """A syndrome by the name under which it goes now."""
    while syndrome in into:
        syndrome = into[syndrome]
    return syndrome


def listed(questions: Questions, grouped: pa.Table) -> pa.Table:
    """What `grouped` (case_id, syndrome) comes to: each syndrome with its cases, the most first."""
    questions.lend("grouped", grouped)
    return questions.answer(
        "SELECT g.syndrome, count(*) AS cases, count(DISTINCT c.host) AS hosts, min(c.time) AS first, "
        "max(c.time) AS last, list(DISTINCT c.mechanism ORDER BY c.mechanism) AS mechanisms "
        "FROM grouped g JOIN current_cases c USING (case_id) GROUP BY g.syndrome ORDER BY cases DESC, g.syndrome"
    )


def why(questions: Questions, trace_id: str) -> dict[str, Any] | None:
    """The newest assignment of a trace; null where there is none."""
    rows = questions.answer(
        "SELECT * FROM raw_assignments WHERE trace_id = ? ORDER BY made DESC LIMIT 1", [trace_id]
    ).to_pylist()
    return rows[0] if rows else None


def trace_of(questions: Questions, case_id: str) -> str | None:
    """The `trace_id` of a case; null where there is no such case."""
    rows = questions.answer("SELECT trace_id FROM current_cases WHERE case_id = ?", [case_id]).to_pylist()
    return rows[0]["trace_id"] if rows else None


def assignment_rows(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Rows of the table `assignments`, but for when they are made."""
    return pa.table({one.name: pa.array(columns[one.name], one.type) for one in _DECIDED})


def rows_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The same, from rows as `kept` gives them."""
    return pa.Table.from_pylist(list(rows), schema=pa.schema(_DECIDED))


def keep(book: Casebook, assignments: pa.Table, said: Sequence[Event], note: str) -> None:
    """Add assignments and events, in one new version of the casebook; nothing where there are none."""
    for event in said:
        say(book, event)
    append(book.optional_table(ASSIGNMENTS), ASSIGNMENTS, _made_now(assignments))
    if assignments.num_rows or said:
        book.commit(VERB, note)


def keep_upon(book: Casebook, seen: int, assignments: pa.Table, said: Sequence[Event], note: str) -> bool:
    """The same, if nobody kept assignments since version `seen` of their table, on which these rest; else false.

    Events come first: one without its assignments is obeyed later, assignments without theirs would lose it.
    """
    table = book.optional_table(ASSIGNMENTS)
    table.update_incremental()
    then = opened(book.place, ASSIGNMENTS, seen)
    if table.version() != seen or then is None:
        return False
    for event in said:
        say(book, event)
    if not append_if_unchanged(then, ASSIGNMENTS, _made_now(assignments)):
        return False
    book.commit(VERB, note)
    return True


def name_left(book: Casebook) -> None:
    """Name what a writer left who was cut off before it named its version, so that others see it."""
    named = book.version().tables
    there = {table: opened(book.place, table) for table in GROUPING}
    left = [table for table, delta in there.items() if delta is not None and delta.version() > named.get(table.name, 0)]
    for table in left:
        book.optional_table(table)
    if left:
        book.commit(VERB, "named after a writer was cut off")


def version_of_assignments(questions: Questions) -> int:
    """Of their table, at this version of the casebook; 0 where there is none."""
    return questions.table(ASSIGNMENTS).version() if ASSIGNMENTS in questions.tables() else 0


def _made_now(assignments: pa.Table) -> pa.Table:
    now = pa.array([datetime.now(UTC)] * assignments.num_rows, _MADE.type)
    return assignments.select([one.name for one in _DECIDED]).append_column(_MADE, now)


def say(book: Casebook, event: Event) -> int:
    """Add one event under the next number that nobody took; that number. It counts from the next commit on."""
    return add_numbered(book.optional_table(SYNDROME_EVENTS), SYNDROME_EVENTS, event._asdict())
