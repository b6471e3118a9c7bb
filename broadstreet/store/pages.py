"""Pages of cases, the newest first, by key and never by offset: the thousandth page costs what the first does."""

from datetime import datetime
from typing import Any, NamedTuple

from broadstreet.errors import UsageError
from broadstreet.store.questions import Questions

_ORDER = "ORDER BY c.time DESC NULLS LAST, c.case_id"


class Wanted(NamedTuple):
    """Which cases: columns that equal a value, a label that holds, an interval of time (`until` is exclusive)."""

    equal: tuple[tuple[str, str], ...] = ()
    holds: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Page(NamedTuple):
    """Some cases in order, as short rows with their `reading`, and how many there are in all."""

    rows: list[dict[str, Any]]
    total: int

    @property
    def readings(self) -> list[int]:
        """What whole cases are asked by."""
        return [row["reading"] for row in self.rows]


def page_of(questions: Questions, wanted: Wanted, after: str | None = None, most: int | None = None) -> Page:
    """The cases that are wanted, those after one of them, at most so many."""
    tests, values = _tests(wanted)
    where = f"WHERE {' AND '.join(tests)}" if tests else ""
    counted = questions.answer(f"SELECT count(*) AS n FROM current_cases c {where}", values)["n"][0].as_py()
    if after is not None:
        last = case_named(questions, after)
        if last["time"] is None:
            tests.append("c.time IS NULL AND c.case_id > ?")
            values.append(last["case_id"])
        else:
            tests.append("(c.time < ? OR c.time IS NULL OR (c.time = ? AND c.case_id > ?))")
            values += [last["time"], last["time"], last["case_id"]]
        where = f"WHERE {' AND '.join(tests)}"
    limit = "" if most is None else f"LIMIT {int(most)}"
    rows = questions.answer(
        "SELECT p.*, t.frames FROM (SELECT c.reading, c.case_id, c.time, c.time_source, c.host, c.service, "
        f"c.service_release, c.mechanism, c.trace_id FROM current_cases c {where} {_ORDER} {limit}) p "
        f"LEFT JOIN raw_traces t USING (trace_id) {_ORDER.replace('c.', 'p.')}",
        values,
    )
    return Page(rows.to_pylist(), counted)


def case_named(questions: Questions, name: str) -> dict[str, Any]:
    """The short row of a case, by its id or the beginning of it."""
    rows = questions.answer(
        "SELECT reading, case_id, time FROM current_cases WHERE starts_with(case_id, ?) LIMIT 2", [name.lower()]
    ).to_pylist()
    if not rows:
        raise UsageError(f"no case {name} in this casebook", "broadstreet cases lists them")
    if len(rows) > 1:
        raise UsageError(f"several cases begin with {name}", "Give more of the id.")
    row: dict[str, Any] = rows[0]
    return row


def times_of(questions: Questions) -> dict[str, datetime]:
    """When each case happened, of those that are dated: an mtime says when a file was written."""
    found = questions.answer(
        "SELECT case_id, time FROM current_cases WHERE time IS NOT NULL AND time_source <> 'mtime'"
    )
    return dict(zip(found["case_id"].to_pylist(), found["time"].to_pylist(), strict=True))


def _tests(wanted: Wanted) -> tuple[list[str], list[object]]:
    tests = [f'c."{name}" = ?' for name, _ in wanted.equal]
    values: list[object] = [value for _, value in wanted.equal]
    for test, value in (
        ("list_contains(string_split(c.holds, ','), ?)", wanted.holds),
        ("c.time >= ?", wanted.since),
        ("c.time < ?", wanted.until),
    ):
        if value is not None:
            tests.append(test)
            values.append(value)
    return tests, values
