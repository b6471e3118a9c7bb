"""What each crash shows, as signs: 1 it does, 0 it does not, -1 it could not be observed.

A mechanism or finding is kept if any crash shows it, a feature or module only if it tells crashes apart: if it is 1
somewhere and 0 somewhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from broadstreet.population.population import UNKNOWN, Codes, Sign, States
from broadstreet.records.weights import STRICT

NOT_JUDGED = "not_judged"
ALWAYS = tuple(f"finding {label}" for label in (*STRICT, "memory_poisoned", "unwinding_exception"))
MOST_VALUES = 12  # of a feature: one with more is a number, not a kind


def mechanisms(codes: Codes, values: Sequence[str]) -> Iterator[Sign]:
    """One for each mechanism; where none could be judged, none is known."""
    unknown = values.index(NOT_JUDGED) if NOT_JUDGED in values else UNKNOWN
    known = np.where(codes == unknown, UNKNOWN, codes)
    for number, value in enumerate(values):
        if value != NOT_JUDGED:
            yield Sign(f"mechanism {value}", "mechanism", states(known, number))


def findings(
    holds: tuple[Codes, Sequence[str]],
    not_judged: tuple[Codes, Sequence[str]],
    rules: tuple[Codes, Sequence[str]],
    labels: Mapping[str, Sequence[str]],
) -> Iterator[Sign]:
    """One for each label. `labels` are those that each version of the rules gives; of others nothing is known."""
    for label in sorted({label for some in labels.values() for label in some}):
        given = _where([label in labels.get(version, ()) for version in rules[1]], rules[0])
        held = _where([label in text.split(",") for text in holds[1]], holds[0])
        unknown = _where([label in text.split(",") for text in not_judged[1]], not_judged[0])
        yield Sign(f"finding {label}", "finding", np.where(unknown | ~given, UNKNOWN, held).astype(np.int8))


def features(name: str, codes: Codes, values: Sequence[str]) -> Iterator[Sign]:
    """One for each value of a feature that has few. Of two values, the rarer one says all."""
    if len(values) > MOST_VALUES:
        return
    if set(values) <= {"true", "false"}:
        if "true" in values:
            yield Sign(f"feature {name}", "feature", states(codes, values.index("true")))
        return
    counts = np.bincount(codes[codes != UNKNOWN], minlength=len(values))
    for number in range(len(values)) if len(values) != 2 else (int(np.argmin(counts)),):
        yield Sign(f"feature {name} = {values[number]}", "feature", states(codes, number))


def states(codes: Codes, number: int) -> States:
    """1 where the code is this number, 0 where it is another."""
    return np.where(codes == UNKNOWN, UNKNOWN, codes == number).astype(np.int8)


def telling(signs: Iterable[Sign]) -> dict[str, Sign]:
    """Those that say something, by name; and what a verdict asks of every crash: that none shows it says something."""
    return {sign.name: sign for sign in signs if sign.name in ALWAYS or _tells(sign)}


def _tells(sign: Sign) -> bool:
    return bool(np.any(sign.cases == 1) and (sign.kind in ("mechanism", "finding") or np.any(sign.cases == 0)))


def _where(of_values: Sequence[bool], codes: Codes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([*of_values, False])[codes]
