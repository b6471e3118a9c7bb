"""An investigation as a page of text: the answer, the curves that prove it, the verdicts, evidence against them first.

Shapes name the verdict (■ hardware, ● software, ◇ cannot tell), colour only the outbreak; every line reads without it.
"""

import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import click

from broadstreet.population.curve import DAY, Curves, curves
from broadstreet.records.outbreak import Comparison, Outbreak
from broadstreet.records.verdict import Argument, Investigation, Verdict
from broadstreet.surfaces.answer import answer
from broadstreet.surfaces.casebook_options import SIMULATED
from broadstreet.surfaces.drawing import LAST_OCTAVE, bar, blocks, octave_width, octaves, ratio_line
from broadstreet.surfaces.serve import PORT
from broadstreet.surfaces.text import first_up, plural, safe, sentence, shortened
from broadstreet.verdict.actions import only
from broadstreet.verdict.figures import day, interval, ratio, short_day
from broadstreet.verdict.sentences import (
    at_risk,
    captured,
    cohort,
    end,
    mechanism,
    period,
    said,
    start,
    who_is_hit,
    would_be_seen,
)
from broadstreet.verdict.words import exposure

MARKS = {"hardware": "■", "software": "●", "undetermined": "◇"}
MOST_ARRIVALS = 3
COLOURS = (166, 68)  # of the 256: 3 : 1 and more on white and on black, and apart for the colour-blind
MOST_WHOLE = 2  # outbreaks that are told in full
DRAWN = "who"  # the argument that the bars or the ratios beside it make
A_PAGE = 66  # lines, as printed
LABEL, INDENT = 9, "       "
COUNT = 5
LONGEST_RATIO, SHORT_RATIO = len("1.1 (0.8–1.5), naive 3.2"), len(" ● adjusted ◦ naive ")
STEP, NARROW_STEP = 3, 2


class Sheet(NamedTuple):
    """What a page is written on: columns, whether only in ASCII, and what a command needs to find this casebook."""

    width: int = 80
    plain: bool = False
    casebook: str = ""


class Detail(NamedTuple):
    """How many are told: exposures that are compared, arguments, what could not be checked, steps, more outbreaks."""

    compared: int
    said: int
    unknown: int
    steps: int
    named: int


DETAILS = (
    Detail(5, 4, 3, 4, 8),
    Detail(5, 3, 2, 3, 6),
    Detail(4, 3, 1, 2, 4),
    Detail(4, 2, 1, 2, 4),
    Detail(3, 2, 1, 1, 2),
)


def page(found: Investigation, times: Mapping[str, datetime], sheet: Sheet) -> list[str]:
    """The lines of the page, with as much detail as fits on one. `times` are those of the cases that are dated."""
    drawn = [list(_lines(found, times, sheet, detail)) for detail in DETAILS]
    return next((lines for lines in drawn if len(lines) <= A_PAGE), drawn[-1])


def _lines(found: Investigation, times: Mapping[str, datetime], sheet: Sheet, detail: Detail) -> Iterator[str]:
    yield ""
    when = f", {period(found)}" if found.cases else ""
    yield from wrapped(f"Casebook {safe(found.casebook)}, version {found.casebook_version}{when}", sheet, "  ")
    if found.simulated:
        yield SIMULATED
    if found.cases:
        yield ""
        yield from _asked(found, sheet)
    yield ""
    yield from (click.style(line, bold=True) for line in wrapped(answer(found), sheet, "  "))
    shown = _whole(found.verdicts)
    if found.cases and not shown and found.only is None:
        yield from wrapped(would_be_seen(found), sheet, "  ")
        yield from _largest(found, sheet)
    if shown:
        yield from _curves(found, times, sheet)
    for number, verdict in enumerate(shown):
        yield ""
        yield from _told(verdict, number, sheet, detail, titled=len(found.verdicts) > 1)
    yield from _others(found, sheet, detail.named)
    yield ""
    yield from _next(found, sheet)


def _largest(found: Investigation, sheet: Sheet) -> Iterator[str]:
    """Where nothing stands out, what there is most of: it may be one bug all the same."""
    if found.largest:
        yield ""
    for one in found.largest:
        kind = one.mechanism.replace("_", " ") or "crashes"
        where = f" in {one.site}" if one.site else ""
        hosts = "" if one.hosts is None else f", all on {one.host}" if one.host else f", on {one.hosts:,} hosts"
        yield from wrapped(safe(f"{one.cases:,} × {kind}{where}{hosts}: {one.syndrome}", 400), sheet, "  ")


def _whole(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """The first of them, but bad hardware before all else: somebody may have to act on it tonight."""
    first = sorted(verdicts, key=lambda one: (one.says != "hardware", one.outbreak.rank))[:MOST_WHOLE]
    return tuple(sorted(first, key=lambda one: one.outbreak.rank))


def _told(verdict: Verdict, number: int, sheet: Sheet, detail: Detail, titled: bool) -> Iterator[str]:
    said = f"{mark(verdict)} {verdict.outbreak.rank}  {word(verdict)}"
    yield "  " + coloured(said, number, bold=True)
    if titled:
        yield from (click.style(line, bold=True) for line in wrapped(safe(verdict.title, 400), sheet))
    yield from wrapped(safe(who_is_hit(verdict.outbreak), 400), sheet)
    yield ""
    if verdict.says == "hardware" and verdict.outbreak.comparison is not None:
        yield from _inside(verdict, number, sheet)
    else:
        yield from forest(verdict, number, sheet, detail.compared)
    if verdict.outbreak.arrivals:
        yield from labelled("New then", arrived(verdict.outbreak, MOST_ARRIVALS), sheet)
    for label, arguments in sides(verdict):
        yield from labelled(label, _joined(arguments, detail.said) or "Nothing that was asked.", sheet)
    unknown = [f"{safe(one.what)}, {plural(one.cases, 'case')}" for one in verdict.not_checked]
    yield from labelled("Unknown", first_up("; ".join(_some(unknown, detail.unknown))), sheet)
    yield from labelled("Do", " ".join(_some(list(_sentences(verdict.action)), detail.steps)), sheet)
    yield from labelled("Flips", " ".join(_sentences((verdict.overturned_by,))), sheet)


def arrived(outbreak: Outbreak, most: int) -> str:
    """What came into the fleet shortly before it began, the last first."""
    told = [safe(f"{exposure(one.attribute)} {one.value} on {day(one.at)}") for one in outbreak.arrivals]
    return "; ".join(_some(told, most))


def sides(verdict: Verdict) -> tuple[tuple[str, tuple[Argument, ...]], ...]:
    """The evidence, that against first; where it cannot be told, by what it speaks for, the less likely first."""
    against, for_it = "Against", "For"
    if verdict.says == "undetermined":
        likelier = verdict.probability.value >= 0.5
        against, for_it = ("Software", "Hardware") if likelier else ("Hardware", "Software")
    return (against, verdict.evidence_against), (for_it, verdict.evidence_for)


def forest(verdict: Verdict, number: int, sheet: Sheet, most: int | None = None) -> Iterator[str]:
    """The rate ratios of an outbreak's exposures on octaves, adjusted and naive side by side."""
    compared = comparisons(verdict)[:most]
    if not compared:
        return
    step, room = (STEP, LONGEST_RATIO) if sheet.width >= 80 else (NARROW_STEP, SHORT_RATIO)
    label = sheet.width - len(INDENT) - octave_width(step) - room - 1
    legend = "● adjusted ◦ naive" if any(one.adjusted for one in compared) else "◦ naive"
    yield INDENT + "Rate ratio".ljust(label) + octaves(step, sheet.plain) + f" {legend}"
    for one in compared:
        name = safe(f"{exposure(one.attribute)} {one.value}")
        if len(name) >= label:
            yield INDENT + shortened(safe(exposure(one.attribute)), sheet.width - len(INDENT))
            name = "  " + shortened(safe(one.value), label - 3)
        line = ratio_line(one.naive, one.adjusted, step)
        yield INDENT + name.ljust(label) + coloured(line, number) + " " + _ratios(one, room)
        if one.same_as:
            same = ", ".join(map(exposure, one.same_as))
            yield from wrapped(f"cannot be told apart from {safe(same)}", sheet, INDENT + "  ")
    yield from (click.style(line, dim=True) for line in wrapped(_adjusted(compared), sheet, INDENT))
    yield ""


def comparisons(verdict: Verdict) -> list[Comparison]:
    """The cohort's first, those that could be adjusted next; of exposures that cannot be told apart, one."""
    shown: list[Comparison] = []
    for one in (verdict.outbreak.comparison, *verdict.outbreak.others):
        if one is None or any((one.attribute, one.value) == (other.attribute, other.value) for other in shown):
            continue
        if not any(one.attribute in other.same_as for other in shown):
            shown.append(one)
    return sorted(shown, key=lambda one: (one != verdict.outbreak.comparison, one.adjusted is None))


def mark(verdict: Verdict) -> str:
    """The shape of a verdict."""
    return MARKS["undetermined"] if verdict.held else MARKS[verdict.says]


def word(verdict: Verdict) -> str:
    """What it says, and how certain that is."""
    what, sure = said(verdict.says, verdict.held, verdict.certainty, verdict.probability)
    between = ": " if verdict.says == "undetermined" else ", "
    return what.upper() + (between + sure if sure else "")


def coloured(text: str, number: int, bold: bool = False) -> str:
    """In the colour of the outbreak; the third and later ones have none."""
    return click.style(text, fg=COLOURS[number] if number < len(COLOURS) else None, bold=bold)


def labelled(label: str, text: str, sheet: Sheet) -> Iterator[str]:
    """A paragraph beside its label; nothing where there is nothing to say."""
    if text:
        first, *more = wrapped(text, sheet, INDENT + " " * LABEL)
        yield INDENT + label.ljust(LABEL) + first.lstrip()
        yield from more


def wrapped(text: str, sheet: Sheet, indent: str = INDENT) -> list[str]:
    """A paragraph in lines."""
    wide = sheet.width - 1
    return textwrap.wrap(text, wide, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _asked(found: Investigation, sheet: Sheet) -> Iterator[str]:
    episodes, outbreaks = plural(found.episodes, "episode"), len(found.verdicts)
    survive = f"{plural(outbreaks, 'outbreak')} {'survives' if outbreaks == 1 else 'survive'} 1% false discovery"
    hosts, hours = at_risk(found)
    machines = "" if found.machines is None else f"on {plural(found.machines, 'machine')}, "
    rows = (
        ("Read", plural(found.cases, "case"), f"{episodes} of {plural(found.syndromes, 'syndrome')}"),
        ("At risk", hosts, machines + hours),
        ("Asked", plural(found.questions, "question"), survive if found.questions else "too few crashes to ask any"),
        ("Capture", *captured(found)),
    )
    column = max(len(value) for _, value, _ in rows) + 2
    for label, value, told in rows:
        first, *more = wrapped(told, sheet, " " * (2 + LABEL + 1 + column))
        yield f"  {label:{LABEL}} {value:{column}}" + first.lstrip()
        yield from more


def _curves(found: Investigation, times: Mapping[str, datetime], sheet: Sheet) -> Iterator[str]:
    shown = _whole(found.verdicts)
    names = _names(shown)
    label = min(max(map(len, names)), sheet.width - 42)
    room = sheet.width - 2 - 2 - label - 2 - COUNT - 1
    of_a_kind = names == [mechanism(one.outbreak) for one in shown]
    groups = [(*one.outbreak.cases, *(one.outbreak.elsewhere if of_a_kind else ())) for one in shown]
    drawn = curves(times, groups, start(found), end(found), room)
    if not drawn.most:
        return
    scale = ", the rows on one scale" if len(shown) > 1 else ""
    yield ""
    yield f"  Cases per {_span(drawn.hours)}{scale} (full block = {drawn.most:,})"
    yield ""
    for number, (verdict, name, row) in enumerate(zip(shown, names, drawn.rows, strict=True)):
        text = f"{mark(verdict)} {shortened(safe(name), label):{label}}  {blocks(row, drawn.most)}"
        yield "  " + coloured(text, number) + f"{len(groups[number]):{COUNT},}"
    yield " " * (label + 6) + _dates(found, drawn)
    if drawn.undated:
        yield f"  {plural(drawn.undated, 'case')} of these without a time"


def _names(shown: tuple[Verdict, ...]) -> list[str]:
    """By mechanism; where that is the same, by who is hit; where that is the same too, with their ranks."""
    kinds, who = [mechanism(one.outbreak) for one in shown], [cohort(one.outbreak) for one in shown]
    for names in (kinds, who):
        if len(set(names)) == len(names):
            return names
    return [f"{one.outbreak.rank} {name}" for one, name in zip(shown, who, strict=True)]


def _dates(found: Investigation, drawn: Curves) -> str:
    """The first day, the last and each onset, below their columns, as far as there is room."""
    width = len(drawn.rows[0])
    line = [" "] * (width + 6)
    onsets = [one.outbreak.onset.at for one in _whole(found.verdicts) if one.outbreak.onset]
    last = period(found).split(" to ")[1].rsplit(" ", 1)[0]
    marks = [(0, short_day(start(found))), (max(0, width - len(last)), last)]
    marks += [(drawn.bin(at), short_day(at)) for at in onsets if at is not None]
    for at, text in marks:
        around = line[max(0, at - 1) : at + len(text) + 1]
        if not "".join(around).strip():
            line[at : at + len(text)] = text
    return "".join(line).rstrip()


def _span(hours: int) -> str:
    for unit, length in (("week", 7 * DAY), ("day", DAY), ("hour", 1)):
        if hours % length == 0:
            return unit if hours == length else f"{hours // length} {unit}s"
    return f"{hours} hours"


def _inside(verdict: Verdict, number: int, sheet: Sheet) -> Iterator[str]:
    """How many crashes are in the cohort, and how many elsewhere."""
    compared = verdict.outbreak.comparison
    assert compared is not None
    others = compared.of - compared.inside
    most, label = max(compared.inside, others), min(20, max(len(compared.value), 12) + 2)
    width = sheet.width - len(INDENT) - label - COUNT - 1
    unplaced = len(verdict.outbreak.unplaced)
    rows = [(compared.value, compared.inside), ("all others", others)]
    for name, count in rows + [("not known", unplaced)] * (unplaced > 0):
        drawn = bar(count, most, width)
        yield (
            INDENT
            + f"{shortened(safe(name), label - 1):{label}}"
            + coloured(f"{drawn:{width}}", number)
            + f"{count:{COUNT},}"
        )
    yield INDENT + " " * label + f"rate ratio {_ratios(compared, width - len('rate ratio '))}"
    yield ""


def _ratios(one: Comparison, room: int) -> str:
    """As much as there is room for; what is left out is drawn beside it, or told by `explain`."""
    shown = one.adjusted or one.naive
    said, naive = interval(shown), ratio(one.naive.value)
    over = shown.low > LAST_OCTAVE
    forms = [said, f"over {ratio(shown.low)}" if over else ratio(shown.value)]
    if one.adjusted is not None and said != interval(one.naive) and naive != "∞":
        forms = [f"{said}, naive {naive}", f"{forms[1]}, naive {naive}", *forms]
    return next((form for form in forms if len(form) <= room), forms[-1])


def _adjusted(compared: list[Comparison]) -> str:
    strata = list(dict.fromkeys(exposure(name) for one in compared if one.adjusted for name in one.strata))
    against = " and ".join(dict.fromkeys(one.against for one in compared))
    by = f"Adjusted for {', '.join(strata)}; against" if strata else "Against"
    return f"{by} {against}."


def _joined(arguments: tuple[Argument, ...], most: int) -> str:
    said = [safe(one.says, 400).rstrip(".") for one in arguments if one.name != DRAWN]
    return first_up("; ".join(_some(said, most)))


def _some(said: list[str], most: int) -> list[str]:
    """The first of them, and how many more there are; `explain` says them all."""
    return said if len(said) <= most else [*said[:most], f"{len(said) - most} more"]


def _sentences(said: tuple[str, ...]) -> Iterator[str]:
    for one in said:
        yield sentence(safe(one, 400))


def _others(found: Investigation, sheet: Sheet, most: int) -> Iterator[str]:
    whole = _whole(found.verdicts)
    rest = [one for one in found.verdicts if one not in whole]
    if rest:
        yield ""
    for verdict in rest[:most]:
        text = f"{mark(verdict)} {verdict.outbreak.rank}  {word(verdict)}: {safe(verdict.title)}"
        yield f"  {safe(text, sheet.width - 2)}"
    if len(rest) > most:
        yield f"       and {len(rest) - most:,} more: broadstreet outbreaks{sheet.casebook}"


def _next(found: Investigation, sheet: Sheet) -> Iterator[str]:
    """Where to look next, and what this page stands on."""
    versions = f"broadstreet {found.broadstreet_version}, weights {found.weights_version}"
    if not found.cases:
        yield f"  broadstreet scan DIR{sheet.casebook or ' --casebook ' + found.casebook}"
        return
    asked = [("Browser", "serve", f"then http://localhost:{PORT}")]
    if found.verdicts:
        first = found.verdicts[0].outbreak
        asked += [("Ask", f"explain {first.rank}", "down to the bytes of each case")]
        asked += [("Check", "investigate --query", "the numbers again, by SQL and Python")]
        asked += [("Fixed?", f"fixed --syndrome {first.syndrome}{only(first)} --since DATE", "")]
    elif found.only is not None:
        asked += [("Look", f"syndromes show {found.only}", "its traces")]
        asked += [("Ask", "investigate", "all syndromes")]
    else:
        asked += [("Look", "syndromes list", "crashes that look the same")]
        asked += [("Hosts", "hosts", "who crashes most")]
        asked += [("Cases", "cases", "the newest first")]
    column = max(len(command) for _, command, why in asked if why) + len(sheet.casebook) + 2
    for label, command, why in asked:
        line = f"  {label:{LABEL}}broadstreet {command + sheet.casebook:{column}}"
        yield (line + why if len(line + why) <= sheet.width else line).rstrip()
    yield ""
    again = f"Replays as investigate --at {found.casebook_version}"
    again += f" --syndrome {found.only}" if found.only is not None else ""
    yield from (click.style(line, dim=True) for line in wrapped(f"{again}; {versions}.", sheet, "  "))
