"""Which build of each library a crash had loaded: of cases that share their modules, told once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from broadstreet.population.naming import exposure_names
from broadstreet.population.population import UNKNOWN, Attribute, Codes, Sign

MOST_LIBRARIES = 64  # those that tell crashes apart, and then those that most have; each is one array
NOT_LOADED = "not loaded"
OF_BUILD = "build of "
BUILD_DIGITS = 12
_SONAME = re.compile(r"(.+?\.so(?:\.\d+)?)(?:\.\d+)*")

Build = tuple[str, str | None]  # the library, and what its build is called; null: not known


def library(path: str) -> str | None:
    """The soname that a file is likely to have, else its name; null for what is no file."""
    if not path.startswith("/"):
        return None
    name = path.rpartition("/")[2].removesuffix(" (deleted)")
    found = _SONAME.fullmatch(name)
    return found[1] if found else name or None


def builds(rows: Iterator[Mapping[str, Any]]) -> dict[tuple[Any, ...], dict[str, str | None]]:
    """For each module set, service and release: each library, and its build."""
    found: dict[tuple[Any, ...], dict[str, str | None]] = {}
    for row in rows:
        name = row["library"] or library(row["path"])
        if name is not None:
            of = found.setdefault((row["module_set"], row["service"], row["service_release"]), {})
            of.setdefault(name, _build(row["build_id"], row["library_release"]))
    return found


def attributes(
    which: Codes, sets: Sequence[Mapping[str, str | None]], complete: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[list[Attribute], list[Sign]]:
    """`which` says for each crash which of the sets it has; `complete`, that nothing else was loaded."""
    attributes, signs = [], []
    names = sorted({name for one in sets for name in one})
    for told, name in exposure_names(names, (), OF_BUILD).items():
        values = sorted({build for one in sets if (build := one.get(name)) is not None})
        number = {value: code for code, value in enumerate(values)}
        absent = len(values)
        of_set = [number.get(one[name] or "", UNKNOWN) if name in one else absent for one in sets]
        loaded = np.array([name in one for one in sets] + [False])[which]
        codes = np.array([*of_set, UNKNOWN], np.int32)[which]
        codes[(codes == absent) & ~complete] = UNKNOWN
        attributes.append(Attribute(told, [*values, NOT_LOADED], codes))
        state = np.where(loaded, 1, np.where(complete & (which != UNKNOWN), 0, UNKNOWN)).astype(np.int8)
        signs.append(Sign(f"module {told.removeprefix(OF_BUILD)}", "module", state))
    order = sorted(range(len(attributes)), key=lambda at: _worth(attributes[at], signs[at]))[:MOST_LIBRARIES]
    return [attributes[at] for at in sorted(order)], [signs[at] for at in sorted(order)]


def _worth(attribute: Attribute, sign: Sign) -> tuple[bool, int, str]:
    known = attribute.cases[attribute.cases != UNKNOWN]
    varies = bool(len(known)) and bool(np.any(known != known[0]))
    return not varies, -int(np.sum(sign.cases == 1)), attribute.name


def _build(build_id: str | None, release: str | None) -> str | None:
    if build_id is None:
        return None
    short = build_id[:BUILD_DIGITS]
    return f"{short} ({release})" if release else short
