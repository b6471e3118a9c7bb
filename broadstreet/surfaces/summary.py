"""The summary at the end of a scan."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from broadstreet.cases.summary import Summary
from broadstreet.records.case import Unreadable
from broadstreet.surfaces.text import plural, safe, size

MOST_NAMED = 10
BAR = 24
Name = TypeVar("Name", str, tuple[str, str | None])


def summary_lines(
    summary: Summary, failures: Sequence[Unreadable], seconds: float, places: tuple[str, ...]
) -> Iterator[str]:
    """The lines of the summary, the most important first."""
    total = summary.cases + sum(summary.unreadable.values())
    yield ""
    if total == 0:
        yield f"  No core dumps below {', '.join(safe(place) for place in places)}"
        yield "  They are known by their content: an ELF file of type core, or a compressed one with core in its name."
        return
    yield f"  {_sentence(summary)}"
    if summary.simulated:
        which = "these are" if summary.simulated == summary.cases else f"{summary.simulated:,} of these are"
        yield f"  Simulated fleet: {which} real crashes made in the lab; where and when is made up."
    if summary.cases:
        yield ""
    most = max(summary.mechanisms.values(), default=0)
    for label, count in _most_first(summary.mechanisms):
        yield f"  {label:26}{count:7,}  {'█' * max(1, round(count * BAR / most))}"
    context = [f"{label} {count:,}" for label, count in summary.contexts.items() if count]
    if context:
        yield ""
        yield f"  besides: {', '.join(context)}"
    yield from _unreadable(summary, failures)
    yield from _missing(summary)
    yield ""
    now = total - summary.known
    were = "was" if summary.known == 1 else "were"
    before = f"; {summary.known:,} {were} read before" if summary.known else ""
    if now == 0:
        yield f"  Nothing new{before}. {seconds:.1f} s."
        return
    rate = f"{now / seconds:,.0f} a second" if seconds > 0 else ""
    read, present = size(summary.bytes_read), size(summary.bytes_present)
    yield f"  Read {read} of {present} in {plural(now, 'core dump')}, {seconds:.1f} s, {rate}{before}."


def _sentence(summary: Summary) -> str:
    judged = summary.cases - summary.mechanisms["not_judged"] - summary.mechanisms["unclassified"]
    text = f"{plural(summary.cases, 'crash', 'crashes')}, {judged:,} with a mechanism"
    if summary.incomplete:
        text += f"; {summary.incomplete:,} from core dumps that were cut off"
    unreadable = sum(summary.unreadable.values())
    return text + (f"; {plural(unreadable, 'file')} could not be read." if unreadable else ".")


def _unreadable(summary: Summary, failures: Sequence[Unreadable]) -> Iterator[str]:
    if not failures:
        return
    yield ""
    yield "  Could not be read"
    for kind, count in _most_first(summary.unreadable):
        yield f"  {count:7,}  {safe(kind)}"
    for failure in sorted(failures, key=lambda failure: failure.path)[:MOST_NAMED]:
        yield f"    {safe(failure.path)}: {safe(failure.reason)}"
    if len(failures) > MOST_NAMED:
        yield f"    and {len(failures) - MOST_NAMED:,} more"


def _missing(summary: Summary) -> Iterator[str]:
    if not summary.missing_binaries:
        return
    yield ""
    yield "  Binaries that would unlock the most; broadstreet binaries add DIR, or --binaries DIR"
    for (path, build_id), count in _most_first(summary.missing_binaries)[:MOST_NAMED]:
        yield f"  {plural(count, 'case'):>13}  {build_id or 'no build id known':40}  {safe(path)}"


def _most_first(counts: Counter[Name]) -> list[tuple[Name, int]]:
    """The largest counts first, equal ones by name: workers finish in any order."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
