"""Outbreaks and alarms: some lines each for people, and a batch for programs."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import click
import pyarrow as arrow

from broadstreet.records.outbreak import Alarm
from broadstreet.records.verdict import Verdict
from broadstreet.surfaces.investigation_json import alarm_json, outbreak_json
from broadstreet.surfaces.investigation_page import mark
from broadstreet.surfaces.judgement_text import judgement_sentences
from broadstreet.surfaces.text import page_width, plural, safe
from broadstreet.verdict.figures import ratio

LONGEST_TITLE = 400
DAY = len("2026-03-12")
BUDGET = "Alarms: a syndrome came oftener than its own past; by chance each gives one in five years."
MOMENT = arrow.timestamp("us", "UTC")
SCHEMA = arrow.schema(
    [
        ("rank", arrow.int64()),
        ("id", arrow.string()),
        ("syndrome", arrow.string()),
        ("mechanism", arrow.string()),
        ("cohort", arrow.map_(arrow.string(), arrow.string())),
        ("onset", MOMENT),
        ("onset_low", MOMENT),
        ("onset_high", MOMENT),
        ("end", MOMENT),
        ("episodes", arrow.int64()),
        ("cases", arrow.int64()),
        ("rate_ratio", arrow.float64()),
        ("rate_ratio_low", arrow.float64()),
        ("rate_ratio_high", arrow.float64()),
        ("verdict", arrow.string()),
        ("probability", arrow.float64()),
        ("held", arrow.string()),
        ("title", arrow.string()),
        ("judgement", arrow.string()),
        ("truth", arrow.string()),
        ("note", arrow.string()),
        ("author", arrow.string()),
        ("judged", MOMENT),
    ]
)


def newest_first(verdicts: Sequence[Verdict], since: datetime | None) -> list[Verdict]:
    """Those that began at this time or later, the newest onset first, those without one last."""
    begun = [one for one in verdicts if since is None or ((at := began(one)) is not None and at >= since)]
    return sorted(begun, key=lambda one: (-_seconds(began(one)), one.outbreak.rank))


def began(verdict: Verdict) -> datetime | None:
    """The onset; null where it was there from the first day."""
    return verdict.outbreak.onset.at if verdict.outbreak.onset is not None else None


def batch(verdicts: Sequence[Verdict]) -> arrow.RecordBatch:
    """One row each."""
    return arrow.RecordBatch.from_pylist([_row(one) for one in verdicts], schema=SCHEMA)


def lines(verdicts: Sequence[Verdict], of: int, since: datetime | None, casebook: str = "") -> Iterator[str]:
    """For each the verdict's shape and rank, the onset, how many crashes, what it is. `casebook` finds it again."""
    if not verdicts:
        when = f" that began since {since:%Y-%m-%d %H:%M}" if since is not None else ""
        yield f"  No outbreak{when}." + (f" There are {of:,} older ones." if of else "")
        return
    yield click.style(f"       {'onset':10}  {'crashes':>8}  what", dim=True)
    for one in verdicts:
        at = began(one)
        when = "earlier" if at is None else f"{at:%Y-%m-%d}"
        head = f"  {mark(one)} {one.outbreak.rank:>2}  {when:10}  {one.outbreak.episodes:>8,}  "
        title = safe(one.title.rstrip("."), LONGEST_TITLE)
        yield from textwrap.wrap(title, page_width(), initial_indent=head, subsequent_indent=" " * len(head))
        below = " " * len(head)
        for sentence in judgement_sentences(outbreak_json(one)):
            told = safe(sentence, LONGEST_TITLE)
            yield from textwrap.wrap(told, page_width(), initial_indent=below, subsequent_indent=below)
    yield ""
    yield f"  {plural(len(verdicts), 'outbreak')}; ■ hardware, ● software, ◇ cannot tell"
    yield f"  One from near: broadstreet explain RANK{casebook}"


def since_then(alarms: Sequence[Alarm], since: datetime | None) -> list[Alarm]:
    """Those that were told at this time or later, the newest first."""
    told = [one for one in alarms if since is None or one.until >= since.timestamp()]
    return sorted(told, key=lambda one: (-one.until, one.syndrome))


def alarm_lines(alarms: Sequence[Alarm], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A line each: when it was told, of which syndrome, from when it rose, its usual rate and that since."""
    if not alarms:
        return
    yield ""
    for line in textwrap.wrap(BUDGET, page_width() - 2):
        yield f"  {line}"
    yield ""
    name = max(len("syndrome"), *(len(one.syndrome) for one in alarms))
    heading = f"  {'alarm':10}  {'syndrome':{name}}  {'rose from':10}{'crashes':>9}{'a day':>7}{'usual':>7}  outbreak"
    yield click.style(heading, dim=True)
    for one in map(alarm_json, alarms):
        ranks = sorted(verdict.outbreak.rank for verdict in verdicts if verdict.outbreak.syndrome == one.syndrome)
        yield (
            f"  {one.at[:DAY]}  {safe(one.syndrome):{name}}  {one.since[:DAY]}{one.seen:>9,}{ratio(one.per_day):>7}"
            f"{ratio(one.usual_per_day):>7}  {', '.join(map(str, ranks)) or 'none'}"
        )


def _seconds(at: datetime | None) -> float:
    return -math.inf if at is None else at.timestamp()


def _row(one: Verdict) -> dict[str, Any]:
    outbreak, onset = one.outbreak, one.outbreak.onset
    row: dict[str, Any] = {"rank": outbreak.rank, "id": outbreak.id, "syndrome": outbreak.syndrome}
    row |= {"mechanism": outbreak.mechanism, "cohort": list(outbreak.cohort.items())}
    if onset is not None:
        row |= {"onset": onset.at, "onset_low": onset.low, "onset_high": onset.high, "end": onset.end}
    row |= {"episodes": outbreak.episodes, "cases": len(outbreak.cases)}
    compared = outbreak.comparison
    if compared is not None:
        of = compared.adjusted or compared.naive
        bounds = zip(("rate_ratio", "rate_ratio_low", "rate_ratio_high"), (of.value, of.low, of.high), strict=True)
        row |= {name: value if math.isfinite(value) else None for name, value in bounds}
    row |= {"verdict": "undetermined" if one.held else one.says, "probability": one.certainty}
    row |= {"held": one.held, "title": one.title}
    said = one.judgement
    if said is not None:
        row |= {"judgement": said.kind, "truth": said.truth, "note": said.text}
        row |= {"author": said.author, "judged": said.made}
    return row
