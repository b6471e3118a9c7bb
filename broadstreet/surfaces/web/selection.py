"""Which crashes are meant, written in the address of a page, and read from it.

`from=` and `to=` (UTC), `is.COLUMN=VALUE` and `not.COLUMN=VALUE` (each may be repeated; an empty value is "not
known"), `min.COLUMN=`, `max.COLUMN=`. A prefix (`a.`, `b.`) tells two populations apart.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple, get_args

from broadstreet.errors import UsageError
from broadstreet.records.selection import Condition, Kind, Selection
from broadstreet.store.atlas import AMONG
from broadstreet.surfaces.durations import moment

KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_CONDITIONS = 50  # columns; a link by hand has a few
MOST_VALUES = 200  # of all of them together: every link of a page carries them, and every question asks them
LONGEST = 1000  # characters of a column or a value
HINT = "Write from=2026-03-12, to=2026-03-13T12:00, is.COLUMN=VALUE, not.COLUMN=VALUE, min.COLUMN=1 or max.COLUMN=9."
NOT_KNOWN = "not known"
SAID = {"is": "is", "not": "is not", "min": "at least", "max": "at most"}
AMONG_SAID = {
    "inside": "inside outbreak {}",
    "elsewhere": "like outbreak {}, but elsewhere",
    "unplaced": "like outbreak {}, place unknown",
}

Pairs = Iterable[tuple[str, str]]


class Chip(NamedTuple):
    """One limit that is in force, in words, and the selection without it."""

    text: str
    without: Selection


def belongs(name: str, prefix: str = "") -> bool:
    """Whether a parameter is one of a selection's."""
    if not name.startswith(prefix):
        return False
    name = name[len(prefix) :]
    return name in ("from", "to") or (name.partition(".")[0] in KINDS and "." in name)


def selection_of(pairs: Pairs, prefix: str = "") -> Selection:
    """The selection that an address carries."""
    times: dict[str, datetime] = {}
    values: dict[tuple[str, Kind], list[str | None]] = {}
    for name, value in pairs:
        if not belongs(name, prefix):
            continue
        bare = name[len(prefix) :]
        if bare in ("from", "to"):
            if value:
                times[bare] = _time(bare, value)
            continue
        column, kind = _column(bare)
        if kind in ("min", "max"):
            _check_limit(kind, column, value)
            values[column, kind] = [value] if value else []
        elif len(value) > LONGEST:
            raise UsageError(f"a value of {column!r} is longer than {LONGEST:,} characters", HINT)
        elif (value or None) not in values.setdefault((column, kind), []):
            values[column, kind].append(value or None)
    start, end = times.get("from"), times.get("to")
    if start is not None and end is not None and start >= end:
        raise UsageError(f"from {_written(start)} is not before to {_written(end)}", HINT)
    conditions = tuple(Condition(column, kind, tuple(given)) for (column, kind), given in values.items() if given)
    if len(conditions) > MOST_CONDITIONS or sum(len(one.values) for one in conditions) > MOST_VALUES:
        raise UsageError(f"more than {MOST_CONDITIONS} conditions, or {MOST_VALUES} values", HINT)
    return Selection(start, end, conditions)


def pairs_of(selection: Selection, prefix: str = "") -> list[tuple[str, str]]:
    """The parameters that carry a selection; of equal selections the same."""
    found = []
    if selection.start is not None:
        found.append((prefix + "from", _written(selection.start)))
    if selection.end is not None:
        found.append((prefix + "to", _written(selection.end)))
    for column, kind, values in sorted(selection.conditions, key=lambda one: (one.column, one.kind)):
        some = (
            (value or "")[: LONGEST + 1] for value in sorted(values, key=lambda one: one or "")
        )  # refused if longer
        found += [(f"{prefix}{kind}.{column}", value) for value in some]
    return found


def chips(selection: Selection) -> list[Chip]:
    """The limits in force, each with the selection that is left without it."""
    found = []
    if selection.start is not None:
        found.append(Chip(f"from {_shown(selection.start)}", selection._replace(start=None)))
    if selection.end is not None:
        found.append(Chip(f"until {_shown(selection.end)}", selection._replace(end=None)))
    for one in selection.conditions:
        for value in one.values:
            text = f"{one.column} {SAID[one.kind]} {NOT_KNOWN if value is None else value}"
            if one.column == AMONG:
                text = ("not " if one.kind == "not" else "") + among(value)
            found.append(Chip(text, without(selection, one, value)))
    return found


def among(value: str | None) -> str:
    """Cases that an outbreak has, or that an argument of its verdict is about, in words."""
    outbreak, _, of = (value or "").partition(":")
    return AMONG_SAID.get(of or "inside", f"of the argument {of} about outbreak {{}}").replace("{}", outbreak)


def without(selection: Selection, condition: Condition, value: str | None) -> Selection:
    """The selection less one value of one of its conditions."""
    left = tuple(one for one in condition.values if one != value)
    changed = (one._replace(values=left) if one == condition else one for one in selection.conditions)
    return selection._replace(conditions=tuple(one for one in changed if one.values))


def narrowed(selection: Selection, column: str, value: str | None, kind: Kind = "is") -> Selection:
    """The selection with one more condition; an `is`, `min` or `max` of the same column is replaced."""
    values: tuple[str | None, ...] = (value,)
    kept = []
    for one in selection.conditions:
        if (one.column, one.kind) != (column, kind):
            kept.append(one)
        elif kind == "not":
            values = (*(given for given in one.values if given != value), value)
    return selection._replace(conditions=(*kept, Condition(column, kind, values)))


def _time(name: str, text: str) -> datetime:
    try:
        return moment(text, datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f"{name}: {error}", HINT) from error


def _column(bare: str) -> tuple[str, Kind]:
    kind = next(one for one in KINDS if bare.startswith(one + "."))
    column = bare[len(kind) + 1 :]
    if not column or len(column) > LONGEST or not column.isprintable():
        raise UsageError(f"no name of a column: {column[:100]!r}", HINT)
    return column, kind


def _check_limit(kind: Kind, column: str, value: str) -> None:
    if not value:
        return
    try:
        finite = abs(int(value, 16) if value.startswith("0x") else float(value)) < float("inf")
    except ValueError:
        finite = False
    if not finite or len(value) > 40:
        raise UsageError(f"{kind}.{column} is no number: {value[:100]!r}", HINT)


def _written(time: datetime) -> str:
    text = time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="auto")
    return text.removesuffix("T00:00:00").removesuffix(":00") if "." not in text else text


def _shown(time: datetime) -> str:
    return _written(time).replace("T", " ")
