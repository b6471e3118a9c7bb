"""The address of a page carries a selection there and back."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.errors import UsageError
from broadstreet.records.selection import Condition, Selection
from broadstreet.surfaces.web.rendering import part, unparted
from broadstreet.surfaces.web.selection import belongs, chips, narrowed, pairs_of, selection_of

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(str.isprintable)
CONDITIONS = st.dictionaries(
    st.tuples(TEXT, st.sampled_from(["is", "not"])),
    st.sets(st.none() | TEXT, min_size=1, max_size=4).map(lambda found: tuple(sorted(found, key=lambda v: v or ""))),
    max_size=5,
).map(lambda found: tuple(Condition(column, kind, found[column, kind]) for column, kind in sorted(found)))
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2019, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))
LATER = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))
SELECTIONS = st.builds(Selection, st.none() | TIMES, st.none() | LATER, CONDITIONS)


@given(SELECTIONS, st.sampled_from(["", "a.", "b."]))
def test_a_selection_comes_back_as_it_was(selection: Selection, prefix: str) -> None:
    pairs = pairs_of(selection, prefix)
    assert selection_of(pairs, prefix) == selection
    assert all(belongs(name, prefix) for name, _ in pairs)


def test_the_order_of_parameters_does_not_matter() -> None:
    one = [("is.host", "b"), ("is.host", "a"), ("from", "2026-03-12"), ("not.zone", "")]
    assert pairs_of(selection_of(one)) == pairs_of(selection_of(reversed(one)))
    assert pairs_of(selection_of(one))[0] == ("from", "2026-03-12")


def test_an_empty_value_is_not_known() -> None:
    assert selection_of([("is.zone", "")]).conditions == (Condition("zone", "is", (None,)),)


def test_two_populations_are_told_apart() -> None:
    pairs = [("a.is.host", "x"), ("b.is.host", "y"), ("is.host", "z")]
    assert [selection_of(pairs, prefix).conditions[0].values for prefix in ("a.", "b.", "")] == [("x",), ("y",), ("z",)]


def test_each_chip_takes_one_limit_away() -> None:
    selection = selection_of([("from", "2026-03-12"), ("is.host", "x"), ("is.host", ""), ("min.uptime_seconds", "60")])
    found = chips(selection)
    assert [chip.text for chip in found] == [
        "from 2026-03-12", "host is x", "host is not known", "uptime_seconds at least 60",
    ]  # fmt: skip
    assert found[1].without.conditions[0].values == (None,)
    assert len(found[3].without.conditions) == 1


def test_narrowing_replaces_is_and_adds_to_not() -> None:
    selection = selection_of([("is.host", "x"), ("not.zone", "z")])
    assert narrowed(selection, "host", "y").conditions[-1] == Condition("host", "is", ("y",))
    assert narrowed(selection, "zone", "w", "not").conditions[-1] == Condition("zone", "not", ("z", "w"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from", "yesterday"),
        ("to", "2026-13-01"),
        ("is.", "x"),
        ("is.a\x00b", "x"),
        ("min.uptime_seconds", "many"),
        ("max.uptime_seconds", "inf"),
        ("max.uptime_seconds", "nan"),
        ("is.host", "x" * 1001),
    ],
)
def test_what_is_no_limit_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError):
        selection_of([(name, value)])


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="is not before"):
        selection_of([("from", "2026-03-12"), ("to", "2026-03-12")])


def test_too_many_conditions_are_refused() -> None:
    with pytest.raises(UsageError, match="more than"):
        selection_of([(f"is.column{number}", "x") for number in range(51)])


@pytest.mark.parametrize("name", ["", ".", "..", "web.json", "a/b.csv", "x~", "../../etc/passwd", "a?b#c%2e", "n\no"])
def test_a_name_in_an_address_is_read_as_it_was_written(name: str) -> None:
    written = part(name)
    assert unparted(unquote(written)) == name
    assert written not in ("", ".", "..")
    assert not written.endswith((".json", ".csv", "/"))
