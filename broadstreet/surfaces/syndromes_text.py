"""Syndromes for people: where they are, why a trace is in one, and what a recomputation would change."""

import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from broadstreet.cases.frame_rules import own_rules
from broadstreet.cases.relevance import sifted
from broadstreet.formats.names import demangled
from broadstreet.pipeline.grouping import Grouping
from broadstreet.pipeline.syndromes import Explanation, Regrouping, explained, members_of
from broadstreet.store.syndromes import Event, aliases, called
from broadstreet.surfaces.query_lines import sql_line
from broadstreet.surfaces.text import plural, safe, width

if TYPE_CHECKING:
    from broadstreet.store.questions import Questions

TRACES, FRAMES, NAME = 5, 12, 60
TRACES_OF = (
    "SELECT trace, count(*) AS cases, any_value(case_id) AS such_as FROM assignments WHERE syndrome = '{}' "
    "GROUP BY trace ORDER BY cases DESC"
)


def day(when: datetime | None) -> str:
    """A date, or nothing."""
    return "" if when is None else f"{when:%Y-%m-%d}"


def site(frames: Sequence[str], most: int, longest: int) -> str:
    """The frames of a trace that count, innermost first."""
    counted = sifted(frames, own_rules())[0]
    shown = counted.core or counted.frames
    return safe(" < ".join(brief(frame) for frame in shown[:most]), longest)


def syndrome_lines(questions: "Questions", grouping: Grouping, said: Sequence[Event], syndrome: str) -> Iterator[str]:
    """The page of one syndrome."""
    members = members_of(grouping, syndrome)
    at = grouping.syndromes.index(syndrome)
    count = {code: int((grouping.trace == code).sum()) for code in members[:TRACES]}
    called_so = grouping.names.get(syndrome)
    yield f"  {syndrome}{f'  {safe(called_so)}' if called_so else ''}"
    cases, traces = int((grouping.syndrome == at).sum()), len(members)
    yield f"  {plural(cases, 'case')} in {plural(traces, 'distinct trace')}"
    into = aliases(said)
    others = sorted(one for one in into if called(one, into) == syndrome)
    if others:
        yield f"  also called {', '.join(others)}"
    kept = True
    for code in members[:TRACES]:
        first = next(case for case, trace in zip(grouping.case_ids, grouping.trace, strict=True) if trace == code)
        yield ""
        yield f"  trace {grouping.traces[code]}  {plural(count[code], 'case')}, such as {first[:8]}"
        why = explained(questions, first)
        if why is None:
            kept = False
            yield from _frames(grouping.frames[code][:FRAMES])
            yield "    why it is here is not kept yet: the next scan into the casebook keeps it"
        else:
            yield from explanation_lines(why)
    if traces > TRACES:
        yield ""
        yield f"  and {plural(traces - TRACES, 'trace')} more{':' if kept else ''}"
        if kept:  # else nothing says yet which traces are of it
            yield sql_line(TRACES_OF.format(syndrome), f" --casebook {shlex.quote(questions.place.url)}")
    for event in said:
        if syndrome in (called(event.syndrome or "", into), called(event.other or "", into)):
            yield f"  {event.made:%Y-%m-%d %H:%M}  {safe(event.author)}: {_told(event)}"


def explanation_lines(why: Explanation) -> Iterator[str]:
    """Why one trace is in its syndrome."""
    weights, dropped = dict(why.aligned), {one.frame: one.why for one in why.dropped}
    for frame in why.frames[:FRAMES]:
        name = frame.removeprefix("~")
        note = f"counts {weights[name]:.3f}" if name in weights else dropped.get(frame, "")
        yield f"    {_returned(frame)}".ljust(NAME if note else 0) + (f"  {note}" if note else "")
    if len(why.frames) > FRAMES:
        yield f"    and {plural(len(why.frames) - FRAMES, 'frame')} more"
    yield f"    {_outcome(why)}"
    if why.rival not in (None, why.syndrome) and why.margin is not None:
        chance = (why.probability or 0.0) - why.margin
        yield f"    nearest other syndrome: {why.rival}, one cause with probability {chance:.2f}"
    yield f"    by grouping {why.algorithm}" + ("; the rules on frames changed since" if why.rules_changed else "")


def regrouping_lines(found: Regrouping, applied: bool, most: int) -> Iterator[str]:
    """What a recomputation changes."""
    if not found.changes:
        yield f"  Nothing changes: {plural(found.cases, 'case')} stay where they are."
        return
    verb = "moved" if applied else "would move"
    yield f"  {plural(found.moved, 'case')} of {found.cases:,} {verb}, with {plural(len(found.changes), 'trace')}:"
    for one in found.changes[:most]:
        yield f"  {one.trace}  {one.before} -> {one.after}  {plural(one.cases, 'case')}"
    if len(found.changes) > most:
        yield f"  and {len(found.changes) - most:,} more"
    if not applied:
        yield "  To let it count: broadstreet syndromes regroup --apply"


def _frames(frames: Sequence[str]) -> Iterator[str]:
    for frame in frames:
        yield f"    {_returned(frame)}"


def _returned(frame: str) -> str:
    return _plain(frame.removeprefix("~")) + (" (had returned)" if frame.startswith("~") else "")


def _outcome(why: Explanation) -> str:
    if why.outcome == "person":
        return "put here by a person"
    if why.outcome == "new":
        return "founded this syndrome: nothing was like it"
    if why.outcome == "ask":
        return f"founded this syndrome, but is rather like {why.rival}: merge them if you know better"
    if why.similarity is None:
        return f"founded a syndrome of its own, which trace {why.nearest} showed to be this one"
    if why.probability is None:
        return "the same frames as another build's"
    return (
        f"like trace {why.nearest}: similarity {why.similarity:.2f}, one cause with probability {why.probability:.2f}"
    )


def _told(event: Event) -> str:
    if event.kind == "merge":
        return f"{event.syndrome} is {event.other}" + (f" ({safe(event.text)})" if event.text else "")
    if event.kind == "split":
        return f"{event.other} was taken out of {event.syndrome}: {safe(event.text or '', width())}"
    return f"{event.kind}: {safe(event.text or '', width())}"


def brief(frame: str) -> str:
    """The name of a frame without its arguments."""
    plain = demangled(frame)
    return safe(re.split(r"[(<]", plain, maxsplit=1)[0] or plain, NAME)


def _plain(frame: str) -> str:
    return safe(demangled(frame), NAME - 8)
