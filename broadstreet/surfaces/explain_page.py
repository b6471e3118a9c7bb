"""Everything behind an outbreak, a syndrome or a case, as text: each argument with its ratio, its counts, its cases."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from broadstreet.pipeline.explaining import Among, Explained, ExplainedCase, ExplainedSyndrome
from broadstreet.records.outbreak import Onset, Split
from broadstreet.records.verdict import Argument, Investigation, Verdict
from broadstreet.records.weights import Count
from broadstreet.store.questions import Questions
from broadstreet.surfaces.casebook_options import SIMULATED
from broadstreet.surfaces.investigation_json import how_sure_json, outbreak_json
from broadstreet.surfaces.investigation_page import (
    INDENT,
    MOST_ARRIVALS,
    Sheet,
    arrived,
    coloured,
    comparisons,
    forest,
    labelled,
    mark,
    sides,
    word,
    wrapped,
)
from broadstreet.surfaces.judgement_text import how_sure_sentences, judgement_sentences
from broadstreet.surfaces.query_lines import query_lines
from broadstreet.surfaces.syndromes_text import explanation_lines, syndrome_lines
from broadstreet.surfaces.text import first_up, plural, safe
from broadstreet.verdict.figures import day, interval, ratio, short_day, small
from broadstreet.verdict.judging import odds_of
from broadstreet.verdict.sentences import cohort, who_is_hit
from broadstreet.verdict.words import exposure, odds

MOST_IDS = 8
ID = 8  # characters of a case's id
RATIO = 18
RATIOS = (
    "Ratio: how many times likelier if the hardware is at fault than if the software is. Cap: one item counts for at "
    "most 403 : 1, the findings of single crashes together for four votes."
)
WHERE = {
    True: "inside of the cohort",
    False: "elsewhere: of the same kind, known to be outside of it",
    None: "of the same kind; whether inside or elsewhere is not known",
}
LONGEST_NOTE = 2_000
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def lines(questions: Questions, found: Investigation, what: Explained, sheet: Sheet, query: bool) -> Iterator[str]:
    """The lines of the page."""
    if isinstance(what, ExplainedCase):
        yield from _case(what, sheet)
        return
    yield ""
    if found.simulated:
        yield SIMULATED
        yield ""
    verdicts: Sequence[Verdict] = (what,) if isinstance(what, Verdict) else what.verdicts
    if isinstance(what, Verdict):
        yield from _outbreak(what, found, sheet)
    else:
        yield from _syndrome(questions, what, sheet)
    if query and verdicts:
        yield ""
        yield from query_lines(verdicts, sheet.casebook)


def _outbreak(verdict: Verdict, found: Investigation, sheet: Sheet) -> Iterator[str]:
    outbreak, colour = verdict.outbreak, verdict.outbreak.rank - 1
    yield "  " + coloured(f"{mark(verdict)} {outbreak.rank}  {word(verdict)}", colour, bold=True)
    yield from (click.style(line, bold=True) for line in wrapped(safe(verdict.title, 400), sheet))
    yield from wrapped(safe(who_is_hit(outbreak), 400), sheet)
    yield ""
    yield from labelled(
        "Outbreak", f"{outbreak.id} of syndrome {safe(outbreak.syndrome)}, {safe(cohort(outbreak))}", sheet
    )
    told = " ".join(judgement_sentences(outbreak_json(verdict)))
    yield from labelled("Judged", safe(told, LONGEST_NOTE), sheet)
    yield from labelled("Onset", _onset(outbreak.onset), sheet)
    if outbreak.arrivals:
        yield from labelled("New then", arrived(outbreak, MOST_ARRIVALS), sheet)
    for split in outbreak.splits:
        yield from labelled("Split", _split(split), sheet)
    compared = comparisons(verdict)
    if compared:
        yield from _heading("Who is hit")
        yield from forest(verdict, colour, sheet)
        for other in compared:
            asked = (
                f", q {small(other.test.q)} among {other.test.asked:,} questions" if other.test.q is not None else ""
            )
            text = f"{exposure(other.attribute)} {other.value}: {other.inside:,} of {other.of:,}{asked}"
            yield from wrapped(safe(text, 400), sheet)
    yield from _heading("The argument, evidence against first")
    yield from wrapped(RATIOS, sheet)
    counted = list(dict.fromkeys(one.campaign for one in (*verdict.evidence_against, *verdict.evidence_for)))
    prior = "; ".join([*_counts(verdict.prior), verdict.prior.campaign])
    yield from _argument("Before", verdict.prior, odds(verdict.prior.ratio.value), prior, sheet)
    for label, arguments in sides(verdict):
        for number, one in enumerate(arguments):
            cases = "all cases inside" if set(one.cases) == set(outbreak.cases) else _few(one.cases)
            letter = f"counted in {LETTERS[counted.index(one.campaign)]}"
            told = "; ".join(filter(None, (*_counts(one), letter, cases)))
            yield from _argument("" if number else label, one, _ratio(one), told, sheet)
    yield from labelled("After", _together(verdict), sheet)
    if not verdict.evidence_against:
        yield from labelled(sides(verdict)[0][0], "Nothing that was asked.", sheet)
    for letter, campaign in zip(LETTERS, counted, strict=False):
        yield from labelled(letter, safe(campaign, 400), sheet)
    if verdict.not_checked:
        yield from _heading("What could not be checked")
        for missing in verdict.not_checked:
            text = f"{safe(missing.what)}, {plural(missing.cases, 'case')}. To see it: {safe(missing.remedy)}"
            yield from wrapped(f"{first_up(text).rstrip('.')}.", sheet)
    yield from _heading("What to do")
    for step in verdict.action:
        yield from wrapped(f"{first_up(safe(step, 400)).rstrip('.')}.", sheet)
    yield from _heading("What would overturn it")
    yield from wrapped(f"{first_up(safe(verdict.overturned_by, 400)).rstrip('.')}.", sheet)
    sure = " ".join(how_sure_sentences(how_sure_json(found)))
    if sure:
        yield from _heading("How sure such verdicts have been")
        yield from wrapped(sure, sheet)
    yield from _heading("Cases")
    yield from _ids("inside", outbreak.cases, sheet)
    yield from _ids("elsewhere", outbreak.elsewhere, sheet)
    yield from _ids("where is not known", outbreak.unplaced, sheet)
    yield ""
    first = outbreak.cases[0][:ID] if outbreak.cases else "CASE"
    yield f"  Deeper   broadstreet explain {first}{sheet.casebook}"
    versions = f"broadstreet {found.broadstreet_version}, weights {found.weights_version}"
    yield f"  Casebook version {found.casebook_version}, {versions}."


def _syndrome(questions: Questions, what: ExplainedSyndrome, sheet: Sheet) -> Iterator[str]:
    yield from syndrome_lines(questions, what.grouping, what.said, what.syndrome)
    yield from _heading("Outbreaks")
    if not what.verdicts:
        yield f"{INDENT}None: no cohort has more of it than its share, and it has no onset."
    for verdict in what.verdicts:
        yield from _headed(verdict, sheet)
    for verdict in what.verdicts[:1]:
        yield ""
        yield f"  Deeper   broadstreet explain {verdict.outbreak.rank}{sheet.casebook}"


def _case(what: ExplainedCase, sheet: Sheet) -> Iterator[str]:
    from broadstreet.cases.close_up import close_up
    from broadstreet.pipeline.reading import source_lines
    from broadstreet.surfaces.page import page

    near, places = (close_up(what.state), source_lines(what.state)) if what.state else (None, {})
    yield from page(what.case, near, places, False)
    if what.state is None:
        yield "  No evidence of it is kept: scan with --keep to see its words and instructions."
    yield from _heading("Syndrome", what.syndrome or "none: no frame of it can be trusted")
    if what.why is not None:
        yield from explanation_lines(what.why)
    yield from _heading("Among the outbreaks")
    if not what.among:
        yield f"{INDENT}In none."
    elif any(one.arguments for one in what.among):
        yield from wrapped(RATIOS, sheet)
    for one in what.among:
        yield from _among(one, sheet)


def _among(one: Among, sheet: Sheet) -> Iterator[str]:
    yield from _headed(one.verdict, sheet)
    yield from wrapped(WHERE[one.inside], sheet)
    for argument in one.arguments:
        yield from wrapped(f"{_ratio(argument)}: {safe(argument.says, 400)}", sheet, INDENT + "  ")


def _headed(verdict: Verdict, sheet: Sheet) -> Iterator[str]:
    yield f"  {mark(verdict)} {verdict.outbreak.rank}  {word(verdict)}"
    yield from wrapped(safe(verdict.title, 400), sheet)


def _argument(label: str, one: Argument, ratio: str, counted: str, sheet: Sheet) -> Iterator[str]:
    indent = INDENT + " " * (9 + RATIO)
    first, *more = wrapped(safe(one.says, 400), sheet, indent) or [""]
    yield f"{INDENT}{label:9}{ratio:{RATIO}}{first.lstrip()}"
    yield from more
    yield from (click.style(line, dim=True) for line in wrapped(safe(counted, 400), sheet, indent))


def _ratio(one: Argument) -> str:
    return f"{ratio(one.ratio.value)} (cap)" if one.capped else interval(one.ratio)


def _counts(one: Argument) -> list[str]:
    return [f"{name} {_of(of)}" for name, of in (("hardware", one.hardware), ("software", one.software)) if of]


def _of(count: Count) -> str:
    return f"{count.held:,} of {count.judged:,}"


def _few(cases: Sequence[str]) -> str:
    if not cases:
        return ""
    more = f" and {len(cases) - MOST_IDS:,} more" if len(cases) > MOST_IDS else ""
    return f"{plural(len(cases), 'case')}: {' '.join(case[:ID] for case in cases[:MOST_IDS])}{more}"


def _ids(label: str, cases: Sequence[str], sheet: Sheet) -> Iterator[str]:
    if cases:
        yield from wrapped(f"{label} {_few(cases)}".strip(), sheet)


def _heading(text: str, said: str = "") -> Iterator[str]:
    yield ""
    yield "  " + click.style(text, bold=True) + (f"  {safe(said)}" if said else "")


def _together(verdict: Verdict) -> str:
    """The odds after all evidence, and what it is worth together."""
    after = odds_of(verdict.probability.value)
    return (
        f"{odds(after)}, for together it is worth {ratio(after / verdict.prior.ratio.value)}: not the product, for "
        "items depend on one another, but what such sums came to in simulated fleets (docs/verdict.md)."
    )


def _onset(onset: Onset | None) -> str:
    if onset is None:
        return "not known: too few of its cases have a time"
    if onset.at is None:
        return "from the first day on"
    text = f"{day(onset.at)} {onset.at:%Y %H:%M} UTC{_between(onset.low, onset.high)}"
    if onset.end is not None:
        text += f"; until {day(onset.end)} {onset.end:%H:%M}{_between(onset.end_low, onset.end_high)}"
    return text if onset.test is None else f"{text}, p {small(onset.test.p)}"


def _between(low: datetime | None, high: datetime | None) -> str:
    return f" ({short_day(low)} {low:%H:%M} to {short_day(high)} {high:%H:%M})" if low and high else ""


def _split(split: Split) -> str:
    q = "" if split.test.q is None else f", q {small(split.test.q)} of {split.test.asked:,} questions"
    return (
        f"{safe(split.by)} goes with {safe(split.goes_with)}: {plural(split.part, 'episode')} "
        f"and {split.rest:,} without{q}"
    )
