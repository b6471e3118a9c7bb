"""From a casebook to its verdicts: group, gather, ask, argue. The same casebook version gives the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from broadstreet import __version__
from broadstreet.pipeline.capture import captured
from broadstreet.pipeline.grouping import Grouping, grouped
from broadstreet.pipeline.population import population
from broadstreet.pipeline.standing import how_sure, standing
from broadstreet.pipeline.syndromes import meant
from broadstreet.population.largest import largest
from broadstreet.population.population import Population
from broadstreet.population.survey import survey
from broadstreet.records.capture import Capture, Dropout
from broadstreet.records.outbreak import Survey
from broadstreet.records.verdict import Investigation, Judgement, Verdict
from broadstreet.store.judgements import judgements
from broadstreet.store.questions import Questions
from broadstreet.store.syndromes import aliases, events
from broadstreet.verdict.argument import argued
from broadstreet.verdict.weights import fingerprint

LEAST_CAPTURED = 0.8  # of the crashes that another channel counted; from the facts, section 5, step 11


@dataclass(frozen=True, eq=False)
class Inquiry:
    """All that verdicts are made from: the groups, the crashes as one population, and how many were captured.

    `said` is what people said of verdicts, in order, and `into` the names that syndromes went by.
    """

    casebook: str
    version: int
    grouping: Grouping
    population: Population
    capture: Capture | None
    only: str | None
    said: Sequence[Judgement]
    into: Mapping[str, str]


def investigation(url: str, number: int | None = None, syndrome: str | None = None) -> Investigation:
    """What a casebook's crashes come to, at its newest version or at this one; of one syndrome, if it is named."""
    with Questions(url, number) as questions:
        inquiry = inquired(questions, syndrome)
    return concluded(inquiry)


def inquired(questions: Questions, syndrome: str | None = None) -> Inquiry:
    """What is known of a casebook's crashes; `syndrome` if one alone is asked about."""
    grouping, of_syndromes = grouped(questions), events(questions)
    crashes = population(questions, grouping)
    capture = captured(questions, crashes.start, crashes.end)
    only = None if syndrome is None else meant(grouping, syndrome, of_syndromes)
    return Inquiry(
        casebook=questions.place.url,
        version=questions.version.number,
        grouping=grouping,
        population=crashes,
        capture=capture,
        only=only,
        said=judgements(questions),
        into=aliases(of_syndromes),
    )


def concluded(inquiry: Inquiry) -> Investigation:
    """What it comes to."""
    found = survey(inquiry.population, inquiry.only)
    verdicts = argued(inquiry.population, found, held(inquiry.capture))
    return _told(inquiry, found, standing(verdicts, inquiry.said, inquiry.into))


def held(capture: Capture | None) -> str | None:
    """Why no verdict may be given; null where enough of what happened was captured, or nobody counts it."""
    whole = None if capture is None else capture.whole
    if whole is None or whole.ratio is None or whole.ratio.value >= LEAST_CAPTURED:
        return None
    return f"only {whole.captured:,} of {whole.fatal:,} crashes were captured, {whole.ratio.value:.0%}"


def _told(inquiry: Inquiry, found: Survey, verdicts: tuple[Verdict, ...]) -> Investigation:
    crashes, capture = inquiry.population, inquiry.capture
    measures = {} if crashes.at_risk is None else crashes.at_risk.measures
    measure = next(iter(measures), None)
    return Investigation(
        casebook=inquiry.casebook,
        casebook_version=inquiry.version,
        broadstreet_version=__version__,
        weights_version=fingerprint(),
        simulated=crashes.simulated,
        cases=found.cases,
        episodes=found.episodes,
        syndromes=len(crashes.syndromes),
        hosts=_at_risk(crashes, "host"),
        machines=_at_risk(crashes, "physical_host"),
        at_risk=None if measure is None else float(np.nansum(measures[measure])),
        measure=measure,
        start=found.start.isoformat(timespec="seconds"),
        end=found.end.isoformat(timespec="seconds"),
        questions=found.questions,
        families=found.families,
        captured=None if capture is None else capture.whole.captured,
        fatal=None if capture is None else capture.whole.fatal,
        capture_notes=() if capture is None else tuple(_said(one) for one in capture.dropouts),
        verdicts=verdicts,
        alarms=found.alarms,
        only=inquiry.only,
        largest=largest(crashes),
        how_sure=how_sure(inquiry.said),
    )


def _at_risk(crashes: Population, attribute: str) -> int | None:
    """How many values of an exposure were at risk; null where that is not told."""
    of = crashes.exposures.get(attribute)
    if of is None or of.at_risk is None:
        return None
    return len(np.unique(of.at_risk[of.at_risk >= 0])) or None


def _said(one: Dropout) -> str:
    where = ", ".join(one.regions) or "everywhere"
    when = f"{one.start:%Y-%m-%d} to {one.end:%Y-%m-%d}"
    if one.kind == "collector":
        return f"{where} blind {when}: {one.captured:,} of {one.fatal:,} crashes captured"
    return f"{where} not counted {when}: {one.cases:,} cases, {one.fatal:,} fatal signals"
