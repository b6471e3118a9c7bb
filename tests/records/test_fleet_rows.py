"""Rows that are added to those known, held against a plain account of the rules in docs/fleet.md."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as arrow
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.records.columns import FLEET
from broadstreet.records.fleet_rows import Merge, aligned, merged, schema

DAY = datetime(2026, 1, 1, tzinfo=UTC)
PLACEMENTS, AT_RISK = FLEET["placements"], FLEET["at_risk"]
Row = tuple[str, str, int, int | None]
SOME = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 9), st.one_of(st.none(), st.integers(1, 12))
    ),
    max_size=6,
).map(lambda rows: [(host, where, first, None if last is None else first + last) for host, where, first, last in rows])


def placements(rows: list[Row]) -> Any:
    return aligned(
        PLACEMENTS,
        arrow.table(
            {
                "host": arrow.array([row[0] for row in rows], arrow.string()),
                "physical_host": arrow.array([row[1] for row in rows], arrow.string()),
                "from": arrow.array([DAY + timedelta(row[2]) for row in rows], arrow.timestamp("us", "UTC")),
                "to": arrow.array(
                    [None if row[3] is None else DAY + timedelta(row[3]) for row in rows], arrow.timestamp("us", "UTC")
                ),
                "exposures": arrow.array([[]] * len(rows), arrow.map_(arrow.string(), arrow.string())),
            }
        ),
    )


def back(rows: Any) -> set[Row]:
    return {
        (r["host"], r["physical_host"], (r["from"] - DAY).days, None if r["to"] is None else (r["to"] - DAY).days)
        for r in rows.to_pylist()
    }


def plain_account(known: set[Row], new: list[Row]) -> set[Row] | None:
    """What is known afterwards; None if rows contradict each other. One rule after another, as the page has them."""
    rows = set(new)
    rows = {r for r in rows if r not in known and not (r[3] is None and any(k[:3] == r[:3] for k in known))}
    rows = {r for r in rows if not (r[3] is None and any(o[:3] == r[:3] and o[3] is not None for o in rows))}
    kept = {k for k in known if not (k[3] is None and any(r[:3] == k[:3] for r in rows))}
    result = set()
    for host, where, first, last in kept | rows:
        later = [r[2] for r in kept | rows if r[0] == host and r[2] > first]
        result.add((host, where, first, min(later, default=None) if last is None else last))
    for one in result:
        for other in result - {one}:
            if one[0] == other[0] and one[2] < (other[3] or 99) and other[2] < (one[3] or 99):
                return None
    return result


def add(known: Any, rows: list[Row]) -> Merge:
    return merged(PLACEMENTS, known, placements(rows))


NOTHING = schema(PLACEMENTS).empty_table()


@given(SOME, SOME)
def test_adding_does_what_the_page_says(first: list[Row], second: list[Row]) -> None:
    before = plain_account(set(), first)
    found = add(NOTHING, first)
    assert (found.clash_count > 0) == (before is None)
    if before is not None:
        assert back(found.rows) == before
        after, then = plain_account(before, second), add(found.rows, second)
        assert (then.clash_count > 0) == (after is None)
        assert after is None or back(then.rows) == after


@given(SOME, SOME)
def test_adding_again_changes_nothing(first: list[Row], second: list[Row]) -> None:
    rows = NOTHING
    for some in (first, second):
        found = add(rows, some)
        rows = rows if found.clash_count else found.rows
        if not found.clash_count:
            again = add(rows, some)
            assert (back(again.rows), again.added, again.ended, again.clash_count) == (back(rows), 0, 0, 0)


@given(SOME)
def test_every_row_is_counted_once(rows: list[Row]) -> None:
    found = add(NOTHING, rows)
    assert found.added + found.known + found.repeated + found.ended == len(rows)


def at_risk(*rows: tuple[str | None, int, int, dict[str, Any]]) -> Any:
    times = arrow.timestamp("us", "UTC")
    names = [c.name for c in AT_RISK.columns if c.name not in ("host", "from", "to", "exposures")]
    columns = {name: arrow.array([row[3].get(name) for row in rows]) for name in names}
    columns["host"] = arrow.array([row[0] for row in rows], arrow.string())
    columns["from"] = arrow.array([DAY + timedelta(row[1]) for row in rows], times)
    columns["to"] = arrow.array([DAY + timedelta(row[2]) for row in rows], times)
    more = [sorted(row[3].get("more", {}).items()) for row in rows]
    columns["exposures"] = arrow.array(more, arrow.map_(arrow.string(), arrow.string()))
    return aligned(AT_RISK, arrow.table(columns))


def clashes(*rows: tuple[str | None, int, int, dict[str, Any]]) -> list[tuple[int, int | None]]:
    found = merged(AT_RISK, schema(AT_RISK).empty_table(), at_risk(*rows))
    return [(clash.row, clash.other) for clash in found.clashes]


def test_an_at_risk_row_twice_is_refused() -> None:
    assert clashes(("a", 0, 1, {"host_hours": 24.0}), ("a", 0, 1, {"host_hours": 24.0})) == [(1, 0)]


def test_at_risk_time_that_overlaps_is_refused() -> None:
    assert clashes(("a", 0, 2, {"host_hours": 48.0}), ("a", 1, 3, {"host_hours": 48.0})) == [(1, 0)]


def test_two_measures_of_one_time_are_no_contradiction() -> None:
    assert clashes(("a", 0, 1, {"host_hours": 24.0}), ("a", 0, 1, {"exceptions": 7})) == []


def test_another_exposure_is_another_population() -> None:
    rows = [("a", 0, 1, {"host_hours": 24.0, **more}) for more in ({"tenant": "t"}, {"tenant": "u"})]
    assert clashes(*rows) == []
    assert clashes(*(("a", 0, 1, {"host_hours": 24.0, "more": {"pool": pool}}) for pool in "xy")) == []
    assert clashes(*(("a", 0, 1, {"host_hours": 24.0, "more": {"pool": "x"}}) for _ in "xy")) == [(1, 0)]


def test_at_risk_time_without_a_host_has_a_key_too() -> None:
    assert clashes((None, 0, 1, {"host_hours": 24.0}), (None, 0, 2, {"host_hours": 9.0})) == [(1, 0)]
