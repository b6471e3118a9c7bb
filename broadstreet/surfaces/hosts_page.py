"""Suspects as rows: a table for people, and a batch for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

import click
import pyarrow as arrow

from broadstreet.records.suspect import Excess, Suspect
from broadstreet.surfaces.text import page_width, plural, safe, shortened
from broadstreet.verdict.figures import amount, ratio, small
from broadstreet.verdict.sentences import measure
from broadstreet.verdict.suspicion import SURE

NUMBERS = 2 + 9 + 10 + 8 + 14 + 9 + 6 + 9  # columns of a row but for its name
_EXCESS = (
    ("episodes", arrow.int64()),
    ("expected", arrow.float64()),
    ("rate_ratio", arrow.float64()),
    ("rate_ratio_low", arrow.float64()),
    ("rate_ratio_high", arrow.float64()),
    ("p", arrow.float64()),
    ("q", arrow.float64()),
)
SCHEMA = arrow.schema(
    [
        ("rank", arrow.int64()),
        ("attribute", arrow.string()),
        ("value", arrow.string()),
        ("time_at_risk", arrow.float64()),
        ("measure", arrow.string()),
        *_EXCESS,
        *((f"hardware_{name}", kind) for name, kind in _EXCESS),
        ("against", arrow.string()),
        ("sites", arrow.int64()),
        ("syndromes", arrow.int64()),
        ("asked", arrow.int64()),
    ]
)


def batch(found: Sequence[Suspect]) -> arrow.RecordBatch:
    """One row each. What is infinite or not known is null."""
    return arrow.RecordBatch.from_pylist([_row(one) for one in found], schema=SCHEMA)


def lines(found: Sequence[Suspect], most: int, physical: bool) -> Iterator[str]:
    """The table for people, and what its numbers are held against."""
    word = "physical host" if physical else "host"
    if not found:
        yield f"  No crash has a {word} that is known."
        yield (
            "  broadstreet fleet add placements FILE"
            if physical
            else "  A host stands in NAME.json beside a core dump."
        )
        return
    shown = found[:most]
    name = min(max(len(word), *(len(one.value) for one in shown)), page_width() - NUMBERS)
    heading = (
        f"  {word:{name}}{'crashes':>9}{'expected':>10}{'hours':>8}{'rate ratio':>14}{'hardware':>9}{'sites':>6}  q"
    )
    yield click.style(heading, dim=True)
    for one in shown:
        q = min((q for q in (one.every.q, one.hardware.q) if q is not None), default=None)
        hours = "·" if one.hours is None else amount(one.hours)
        crashes, hardware = f"{one.every.episodes:,}", f"{one.hardware.episodes:,}" if one.hardware.episodes else "·"
        line = (
            f"  {shortened(safe(one.value), name):{name}}{crashes:>9}{_expected(one):>10}{hours:>8}{_at_least(one):>14}"
        )
        line += f"{hardware:>9}{one.sites:6,}  {'·' if q is None else small(q)}"
        yield click.style(line, bold=q is not None and q < SURE)
    yield ""
    yield from _notes(found, len(shown))


def _notes(found: Sequence[Suspect], shown: int) -> Iterator[str]:
    first = found[0]
    word = "host" if first.attribute == "host" else "physical host"
    of = f"{shown:,} of {plural(len(found), word)}" if shown < len(found) else plural(len(found), word)
    yield f"  {of} with a crash; a crash loop counts once."
    if any(one.every.q is not None or one.hardware.q is not None for one in found[:shown]):
        yield f"  q: the chance of so many anywhere among the {plural(first.asked, word)} asked about."
    yield "  hardware: crashes that show what failing hardware does; sites: functions hit."
    if first.measure is None:
        yield "  No time at risk is known: hardware findings are held against other crashes."
        yield "  broadstreet fleet add at_risk FILE"
    else:
        yield f"  Hours are {measure(first.measure)}; rate ratio: its lower bound, hw: of hardware alone."
    yield "  A rank is no verdict: broadstreet investigate"


def _expected(one: Suspect) -> str:
    return "·" if one.every.expected is None else ratio(one.every.expected)


def _at_least(one: Suspect) -> str:
    """The higher lower bound, by which it is ranked."""
    known = [(of.ratio.low, name) for of, name in ((one.every, ""), (one.hardware, " hw")) if of.ratio is not None]
    if not known:
        return "·"
    low, name = max(known, key=lambda pair: pair[0])
    return f"over {ratio(low)}{name}"


def _row(one: Suspect) -> dict[str, Any]:
    row = {"rank": one.rank, "attribute": one.attribute, "value": one.value, "time_at_risk": one.hours}
    row |= {"measure": one.measure, "against": one.against, "sites": one.sites, "syndromes": one.syndromes}
    return row | {"asked": one.asked} | _told(one.every, "") | _told(one.hardware, "hardware_")


def _told(of: Excess, prefix: str) -> dict[str, float | int | None]:
    bounds = (None, None, None) if of.ratio is None else (of.ratio.value, of.ratio.low, of.ratio.high)
    finite = [None if value is None or value == float("inf") else value for value in bounds]
    values = (of.episodes, of.expected, *finite, of.p, of.q)
    return {f"{prefix}{name}": value for (name, _), value in zip(_EXCESS, values, strict=True)}
