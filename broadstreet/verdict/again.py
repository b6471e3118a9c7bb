"""Each number of a verdict again: the SQL of its inputs, and one line of Python that gives it.

The line is complete: pasted into a Python that has broadstreet, it prints the number.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from broadstreet.records.outbreak import Comparison, Outbreak, Test
from broadstreet.records.verdict import Argument, Verdict
from broadstreet.records.weights import Count
from broadstreet.verdict import reads

# The part of an answer that is its p, for tests that give more than that.
FIELDS = {"tables.fisher": "greater", "strata.stratified": "p", "margins.corner": "greater"}
RATIOS = {"strata.stratified": "ratio.value", "margins.odds_ratio": "value"}
ALONE = ("onset.change",)  # its arguments are the whole time at risk: nothing that can be pasted
Arguments = Mapping[str, float | tuple[float, ...]]


class Again(NamedTuple):
    """One number: what it is, its value as it was computed, the SQL of its inputs, and the Python that gives it.

    `reads` is empty where the inputs stand under another number, `python` null where no single line gives it.
    """

    what: str
    value: float
    reads: str
    python: str | None


def again(verdict: Verdict) -> Iterator[Again]:
    """Every number of a verdict that comes of a test, in the order of the page."""
    outbreak = verdict.outbreak
    for one in (outbreak.comparison, *(other for other in outbreak.others if other != outbreak.comparison)):
        if one is not None:
            yield from _compared(outbreak, one)
    for argument in (*verdict.evidence_against, *verdict.evidence_for):
        yield Again(f"likelihood ratio: {argument.says}", argument.ratio.value, argument.reads, _weighed(argument))
    for split in outbreak.splits:
        what = f"p of the split of {split.syndrome}: {split.by} goes with {split.goes_with}"
        yield Again(what, split.test.p, "", _either_way(split.test))


def line(test: Test) -> str | None:
    """The test again, as one line that prints its p."""
    if test.name in ALONE:
        return None
    return _called(test.name, test.arguments, FIELDS.get(test.name))


def _either_way(test: Test) -> str:
    """A sign and a place may also avoid each other: twice the p of the one that was seen."""
    imports, call = _call(test.name, test.arguments)
    return f"{imports}; found = {call}; print(min(1.0, 2 * float(min(found.greater, found.less))))"


def _compared(outbreak: Outbreak, one: Comparison) -> Iterator[Again]:
    name = f"{one.attribute} {one.value}"
    inside = (*outbreak.cases, *outbreak.elsewhere)
    yield Again(
        f"p of {one.inside:,} of {one.of:,} with {name}",
        one.test.p,
        reads.pasteable(len(inside), lambda: reads.by_value(one.attribute, inside)),
        line(one.test),
    )
    if one.against == "time at risk" and one.measure != "different syndromes":
        counts = {"inside": one.inside, "outside": one.of - one.inside, "share": one.share}
        yield Again(
            f"rate ratio of {name}, naive", one.naive.value, "", _called("intervals.rate_ratio", counts, "value")
        )
    if one.adjusted is not None:
        name = f"{name}, adjusted for {', '.join(one.strata)}"
        given = None if one.adjusted_by is None else _called(*one.adjusted_by, RATIOS[one.adjusted_by[0]])
        yield Again(f"rate ratio of {name}", one.adjusted.value, "", given)
        if one.adjusted_test is not None:
            yield Again(f"p of {name}", one.adjusted_test.p, "", line(one.adjusted_test))


def _weighed(argument: Argument) -> str | None:
    hardware, software = argument.hardware, argument.software
    if hardware is None or software is None or "level" not in argument.observed:
        return None
    counts = f"Count({_pair(hardware)}), Count({_pair(software)})"
    imports = "from broadstreet.records.weights import Count; from broadstreet.verdict.counted import capped, ratio"
    return f"{imports}; print(capped(ratio({counts}))[0].value)"


def _pair(count: Count) -> str:
    return f"{count.held}, {count.judged}"


def _called(name: str, arguments: Arguments, field: str | None) -> str:
    imports, call = _call(name, arguments)
    return f"{imports}; print(float({call}{f'.{field}' if field else ''}))"


def _call(name: str, arguments: Arguments) -> tuple[str, str]:
    arrays = "import numpy as np; " if any(isinstance(value, tuple) for value in arguments.values()) else ""
    given = ", ".join(f"{argument}={_written(value)}" for argument, value in arguments.items())
    return f"{arrays}from broadstreet.statistics import {name.partition('.')[0]}", f"{name}({given})"


def _written(value: float | tuple[float, ...]) -> str:
    return f"np.array({list(value)!r})" if isinstance(value, tuple) else repr(value)
