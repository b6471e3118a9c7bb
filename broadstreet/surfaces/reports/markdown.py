"""A report as Markdown, for where a file is read in a terminal or stands beside code: the same words, charts in text.

Everything is text here too. What Markdown or HTML would take for markup is escaped, whoever wrote it; a fence around
lines is longer than any that stands inside.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from broadstreet.records.weights import Interval
from broadstreet.surfaces.charts.curve import Curve, Series, tallest
from broadstreet.surfaces.charts.forest import LOW
from broadstreet.surfaces.drawing import blocks, octave_width, octaves, ratio_line
from broadstreet.surfaces.reports.lettering import raised
from broadstreet.surfaces.reports.record import (
    Block,
    Chart,
    Claim,
    Code,
    Evidence,
    Facts,
    Forest,
    Report,
    Section,
    Steps,
    Table,
    Words,
)
from broadstreet.surfaces.text import first_up, plural, safe, shortened
from broadstreet.surfaces.web.arguments import Said
from broadstreet.surfaces.web.forests import Hit
from broadstreet.surfaces.web.verdicts import interval_of

LONGEST_TEXT = 2_000  # characters, as on a page
LONGEST_LINE = 200_000  # of what is to be pasted
LONGEST_NAME = 30  # in a chart
WIDEST = 92  # columns of a curve: on a narrower screen a fence scrolls
STEP = 4  # columns of an octave
SHAPES = {"square": "■", "circle": "●", "diamond": "◇"}
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&$@])")
_ADDRESS = re.compile(r"(?i)(?<=[a-z])://|(?<=www)\.")
_BEGINS = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])")


def markdown(report: Report) -> str:
    """The whole file."""
    return "\n".join(_lines(report)) + "\n"


def escaped(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text that Markdown shows as it is: on one line, control characters as codes."""
    shown = _MARKUP.sub(r"\\\1", safe(text, longest).strip())
    shown = _ADDRESS.sub(lambda found: f"\\{found[0]}", shown)
    return _BEGINS.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", shown)


def coded(text: str) -> str:
    """Text as code within a line."""
    shown = safe(text, LONGEST_TEXT)
    fence = "`" * (_longest_run([shown]) + 1)
    return f"{fence} {shown} {fence}" if shown.startswith("`") or shown.endswith("`") else f"{fence}{shown}{fence}"


def fenced(lines: Iterable[str]) -> Iterator[str]:
    """Lines as they are, but for control characters, between fences."""
    shown = [safe(line, LONGEST_LINE) for line in lines]
    fence = "`" * max(3, _longest_run(shown) + 1)
    yield from (f"{fence}text", *shown, fence)


def _longest_run(lines: Iterable[str]) -> int:
    """The longest run of backticks."""
    return max((len(run) for line in lines for run in re.findall("`+", line)), default=0)


def _lines(report: Report) -> Iterator[str]:
    yield f"# {escaped(report.title)}"
    yield ""
    if report.simulated:
        yield "> **Simulated fleet.** Real crashes made in the lab; where and when is made up."
        yield ""
    yield " · ".join(escaped(one) for one in report.about)
    for section in report.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"{'#' * section.depth} {escaped(section.title)}"
    for block in section.blocks:
        yield ""
        yield from _block(block)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Words):
        yield escaped(block.text)
    elif isinstance(block, Claim):
        yield f"{SHAPES[block.word.shape]} **{escaped(_said(block))}.** {escaped(block.text)}"
    elif isinstance(block, Facts):
        yield from (f"- **{escaped(label)}:** {escaped(text)}" for label, text in block.pairs if text)
    elif isinstance(block, Steps):
        for number, (says, command) in enumerate(block.steps, 1):
            yield f"{number}. {escaped(says)}{f' {coded(command)}' if command else ''}"
    elif isinstance(block, Table):
        yield from _table(block.head, block.rows, block.numbers)
    elif isinstance(block, Chart):
        yield from _chart(block)
    elif isinstance(block, Evidence):
        yield from _evidence(block)
    elif isinstance(block, Forest):
        yield from _forest(block)
    else:
        yield from _code(block)


def _said(claim: Claim) -> str:
    between = ": " if claim.word.shape == "diamond" else ", "
    return claim.word.what + (between + claim.word.sure if claim.word.sure else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int] = frozenset()) -> Iterator[str]:
    yield f"| {' | '.join(escaped(name) for name in head)} |"
    yield f"| {' | '.join('---:' if at in numbers else '---' for at in range(len(head)))} |"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"


def _chart(block: Chart) -> Iterator[str]:
    drawn = _folded(block.curve)
    most = tallest(drawn)
    label = max(len(_name(one.name)) for one in drawn.series)
    rows = [
        f"{_name(one.name):{label}}  {blocks([count or 0 for count in one.counts], most)}  {_sum_of(one):>7,}"
        for one in drawn.series
    ]
    last = drawn.end - timedelta(seconds=1)  # it ends before
    days = f"{drawn.start:%Y-%m-%d} to {last:%Y-%m-%d}"
    scale = f"{days}; a full block is {plural(most, 'case')}, the rows on one scale"
    yield from fenced((*rows, "", f"{'':{label}}  {scale}"))
    yield ""
    yield escaped(block.caption)
    if block.curve.marks:
        yield ""
    for mark in sorted(block.curve.marks, key=lambda one: one.at):
        until = f" to {mark.until:%Y-%m-%d %H:%M}" if mark.until else ""
        said = ", ".join(escaped(words) for words in (mark.title, mark.note) if words)
        yield f"- {mark.at:%Y-%m-%d %H:%M}{until}: {said}"


def _folded(curve: Curve) -> Curve:
    """The curve in so few steps that its rows fit: each as many of its steps together as it takes."""
    steps = len(curve.series[0].counts)
    together = -(-steps // WIDEST)
    series = tuple(
        replace(
            one, counts=tuple(sum(n or 0 for n in one.counts[at : at + together]) for at in range(0, steps, together))
        )
        for one in curve.series
    )
    return replace(curve, series=series)


def _evidence(block: Evidence) -> Iterator[str]:
    told = block.argument
    yield f"Before any evidence: {escaped(told.before)} for {told.claim}."
    for side in told.sides:
        yield ""
        yield f"**{escaped(side.label)}**"
        yield ""
        if side.items:
            rows = [
                (item.says, item.written + (" (cap)" if item.capped else ""), _counted(item)) for item in side.items
            ]
            yield from _table(("observation", "ratio, 95%", "counted with known causes"), rows, frozenset((1,)))
        else:
            yield "Nothing that was asked."
    yield ""
    yield f"After: {escaped(told.after)} for {told.claim}. " + escaped(
        f"Together the evidence is worth {told.worth}. That is not the product of the ratios, for items depend on one "
        "another, but what such sums came to in simulated fleets. A ratio that is capped counts no more, however many "
        f"crashes there are. {told.before_says} {told.before_source} Counted in: {'; '.join(told.campaigns)}."
    )


def _counted(item: Said) -> str:
    counts = [
        f"{of.held:,} of {of.judged:,} {what}"
        for of, what in ((item.hardware, "with bad hardware"), (item.software, "with a bug"))
        if of is not None
    ]
    return "; ".join([*counts, *([plural(item.case_count, "crash", "crashes")] if item.case_count else [])])


def _forest(block: Forest) -> Iterator[str]:
    label = max(len(_name(one.name)) for one in block.hits)
    adjusted = any(one.adjusted for one in block.hits)
    legend = "● adjusted ◦ naive" if adjusted else "◦ naive"
    rows = [f"{'rate ratio':{label}}  {octaves(STEP, False):{octave_width(STEP)}}  {legend}"]
    for one in block.hits:
        rows.append(f"{_name(one.name):{label}}  {_line(one)}  {one.adjusted or one.naive}")
    yield from fenced(rows)
    yield ""
    table = [
        (
            first_up(one.name),
            f"{one.inside:,} of {one.of:,}",
            f"{one.share} of the {one.against}",
            one.naive,
            one.adjusted or one.why_not,
            raised(one.q) + (f" among {one.asked:,}" if one.q else ""),
            ", ".join(one.same_as),
        )
        for one in block.hits
    ]
    head = ("who", "crashes", "share", "naive", "adjusted", "q, questions", "cannot be told apart from")
    yield from _table(head, table)


def _line(one: Hit) -> str:
    naive = interval_of(one.naive_ratio)
    adjusted = None if one.adjusted_ratio is None else interval_of(one.adjusted_ratio)
    return ratio_line(_seen(naive), None if adjusted is None else _seen(adjusted), STEP)


def _seen(one: Interval) -> Interval:
    """An interval whose ends lie on the axis or beyond it."""
    return one if one.low > 0 else Interval(one.value, LOW / 2, one.high)


def _code(block: Code) -> Iterator[str]:
    if block.folded:
        yield f"<details><summary>{_html(block.label)}</summary>"
        yield ""
        yield from fenced(block.lines)
        yield ""
        yield "</details>"
        return
    if block.label:
        yield f"{escaped(block.label)}:"
        yield ""
    yield from fenced(block.lines)


def _html(text: str) -> str:
    """Text inside of an HTML element: nothing in it is markup of either language."""
    return "".join(c if c.isalnum() or c in " ,.-/:" else f"&#{ord(c)};" for c in safe(text, LONGEST_TEXT))


def _name(name: str) -> str:
    return shortened(safe(first_up(name)), LONGEST_NAME)


def _sum_of(series: Series) -> int:
    return sum(count or 0 for count in series.counts)
