"""A selection in words."""

from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import AMONG
from broadstreet.surfaces.text import safe
from broadstreet.surfaces.web.facets import label
from broadstreet.surfaces.web.rendering import moment_shown
from broadstreet.surfaces.web.selection import among

LONGEST = 80  # characters of a value within a sentence
MOST = 5  # values of a condition that are named


def spoken(selection: Selection) -> str:
    """What is selected, as it continues "those ...": whose mechanism is A or B, from 12 Mar 2026; all: nothing."""
    said = [_said(one, selection) for one in selection.conditions]
    said = [one for one in said if one]
    if selection.start is not None:
        said.append(f"from {_time(selection.start)}")
    if selection.end is not None:
        said.append(f"before {_time(selection.end)}")
    return "; ".join(said)


def _said(one: Condition, selection: Selection) -> str:
    if one.column == AMONG:
        return ("not " if one.kind == "not" else "") + _any(tuple(safe(among(value), LONGEST) for value in one.values))
    values = tuple(safe(label(one.column, value), LONGEST) for value in one.values)
    if one.kind in ("is", "not"):
        return f"whose {one.column} is {'not ' if one.kind == 'not' else ''}{_any(values)}"
    other = next((some for some in selection.conditions if some.column == one.column and some.kind == "max"), None)
    if one.kind == "min" and other is not None:
        return f"whose {one.column} is from {values[0]} to {safe(other.values[0] or '', LONGEST)}"
    if one.kind == "min":
        return f"whose {one.column} is at least {values[0]}"
    if any(some.column == one.column and some.kind == "min" for some in selection.conditions):
        return ""
    return f"whose {one.column} is at most {values[0]}"


def _any(values: tuple[str, ...]) -> str:
    shown = values if len(values) <= MOST else (*values[: MOST - 1], f"one of {len(values) - MOST + 1} others")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _time(at: object) -> str:
    return moment_shown(at).replace(" 00:00 UTC", "")  # type: ignore[arg-type]
