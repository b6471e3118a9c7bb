"""The score of some crashes for a terminal, and for programs."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import fields as fields_of
from io import StringIO
from itertools import groupby

import msgspec

from broadstreet.lab.score.judged import Judged
from broadstreet.lab.score.ratios import HARDWARE_FINDING, weights
from broadstreet.lab.score.tally import matrix, tally
from broadstreet.records.weights import STRICT, Weights

MOST_LINES = 20


def summary(crashes: list[Judged]) -> Iterator[str]:
    """What a user wants to know first: can I believe the labels here?"""
    counts = tally(crashes)
    yield f"  {counts.crashes} crashes, each with a known cause"
    if counts.claimed:
        judged = counts.claimed - counts.not_judged
        yield ""
        yield f"  Mechanisms   {judged} of {counts.claimed} judged, {counts.right} right, {len(counts.wrong)} wrong"
        for one in counts.wrong[:MOST_LINES]:
            yield f"    {one.truth.core}: {one.case.mechanism}, and not {' or '.join(one.truth.expected or ())}"
        if len(counts.wrong) > MOST_LINES:
            yield f"    and {len(counts.wrong) - MOST_LINES} more; -o json lists them all"
    faults = [one for one in crashes if one.truth.cause == "hardware"]
    if faults:
        of_faults = tally(faults)
        found = sum(count.held for count in of_faults.hits.values())
        yield ""
        yield f"  Hardware     {found} of {len(faults)} faults have a hardware finding,"
        kinds = "kinds" if len(of_faults.hits) > 1 else "kind"
        yield f"               {of_faults.mean_hits:.0%} averaged over {len(of_faults.hits)} {kinds}"
        for kind, count in sorted(of_faults.hits.items(), key=lambda pair: pair[1].held / pair[1].judged):
            yield f"    {kind:16} {count.held:4} of {count.judged}"
    if counts.bugs:
        yield ""
        yield f"  Software     {len(counts.false_findings)} of {counts.bugs} bugs have a hardware finding, falsely"
        for one in counts.false_findings[:MOST_LINES]:
            yield f"    {one.truth.core}: {', '.join(sorted(one.holds & set(STRICT)))}"
    ratio = next(weight for weight in weights(crashes) if weight.finding == HARDWARE_FINDING).ratio
    if ratio is None:
        lacking = "faults" if counts.bugs else "bugs"
        yield ""
        yield f"  How much a hardware finding says here is not known: no {lacking} were scored beside."
    else:
        yield ""
        yield f"  A hardware finding is {ratio.value:.3g} times likelier from a fault than from a bug"
        yield f"  (95 %: {ratio.low:.2g} to {ratio.high:,.0f})"


def as_csv(crashes: Iterable[Judged]) -> str:
    """The confusion matrix, a row for each program, build, planted mechanism and mechanism found."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("program", "build", "planted", "found", "crashes"))
    rows.writerows(matrix(crashes))
    return text.getvalue()


def as_lines(weights: Weights) -> str:
    """The weights as JSON, a finding on a line, so that a difference can be read."""
    fields = []
    for name in (field.name for field in fields_of(weights)):
        value = getattr(weights, name)
        parts = [msgspec.json.encode(one).decode() for one in value] if isinstance(value, tuple) else None
        said = msgspec.json.encode(value).decode() if parts is None else "[\n" + ",\n".join(parts) + "\n]"
        fields.append(f'"{name}": {said}')
    return "{\n" + ",\n".join(fields) + "\n}\n"


def as_json(crashes: list[Judged]) -> str:
    """Every crash with what was planted and what was found, the matrix of both, and the weights."""
    counts = tally(crashes)
    labels = {
        expected: {found: counts.confusions[expected, found] for _, found in pairs}
        for expected, pairs in groupby(sorted(counts.confusions), key=lambda pair: pair[0])
    }
    every = [{"truth": one.truth, "mechanism": one.case.mechanism, "holds": sorted(one.holds)} for one in crashes]
    return msgspec.json.encode({"matrix": labels, "weights": weights(crashes), "crashes": every}).decode()
