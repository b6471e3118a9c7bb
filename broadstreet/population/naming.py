"""The names of exposures that others made up: keys of labels, columns of their tables.

A name stands in questions, links and heads of columns, and whoever asks in SQL does not tell capitals apart. So a key
that reads like a column of ours, or like another key, gets a word in front, then a number behind; what cannot be
shown stands as its code, and a name ends somewhere.
"""

from collections.abc import Iterable

from broadstreet.records.columns import CASES, FEATURES, FLEET

LONGEST = 100
OF_FLEET = "fleet "
_OF_ATLAS = ("among", "dated", "end", "episode", "evidence", "number", "outbreak", "reading", "site", "start")
_OF_ANSWERS = ("at_risk", "cases", "episodes")  # about an atlas, beside columns by their own names
_GIVEN = ("labels", "microseconds", "syndrome", "trace", "trace_id")
OWN = frozenset(
    (*_OF_ATLAS, *_OF_ANSWERS, *_GIVEN, *FLEET["at_risk"].measures, *(column.name for column in (*CASES, *FEATURES))),
)


def exposure_names(keys: Iterable[str], taken: Iterable[str], prefix: str = "") -> dict[str, str]:
    """Each key under the name of its exposure; without a prefix, a key that is one of the names `taken` keeps it."""
    ours = frozenset(taken)
    used = {name.lower() for name in (*OWN, *ours)}
    named: dict[str, str] = {}
    for key in keys:
        name = key
        if prefix or key not in ours:
            shown = prefix + _shown(key)
            if not prefix and (not shown or shown.lower() in used):
                shown = OF_FLEET + shown
            name, number = shown, 1
            while name.lower() in used:
                number += 1
                name = f"{shown} {number}"
        used.add(name.lower())
        named[name] = key
    return named


def _shown(key: str) -> str:
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in key[:LONGEST])
    return shown if len(key) <= LONGEST else shown + "…"
