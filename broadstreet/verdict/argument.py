"""From the outbreaks of a survey to their verdicts: what is at fault, the argument for it, and the argument against.

The order of a verdict is that of reading it: what speaks against it stands first, then what speaks for it, what could
not be checked, and the smallest fact that would change it.
"""

from dataclasses import replace
from math import log

from broadstreet.population.population import Population
from broadstreet.records.outbreak import Outbreak, Survey
from broadstreet.records.verdict import Argument, Says, Verdict
from broadstreet.verdict.actions import action
from broadstreet.verdict.counted import Items, items
from broadstreet.verdict.judging import Weighed, arguments, judged
from broadstreet.verdict.not_checked import not_checked
from broadstreet.verdict.overturning import overturned_by
from broadstreet.verdict.prior import prior
from broadstreet.verdict.profile import Profile, Profiles
from broadstreet.verdict.titles import title

EVEN = 0.05
"""A ratio within 5 % of 1 : 1 says nothing, and is left out."""


def argued(population: Population, survey: Survey, held: str | None = None) -> tuple[Verdict, ...]:
    """One verdict for each outbreak of the survey, the most certain first and of equally certain ones the largest; so
    are their outbreaks ranked. `held` says why none may be given: they are then all undetermined."""
    known, profiles = items(), Profiles(population)
    verdicts = [verdict(profiles.of(one), one, survey, known, held) for one in survey.outbreaks]
    ranked = sorted(verdicts, key=_rank)
    return tuple(replace(v, outbreak=replace(v.outbreak, rank=at)) for at, v in enumerate(ranked, 1))


def verdict(p: Profile, outbreak: Outbreak, survey: Survey, known: Items, held: str | None) -> Verdict:
    """The verdict on one outbreak."""
    weighed = judged(p, known)
    says: Says = "undetermined" if held is not None else weighed.says
    against, for_it = _sides(says, weighed, arguments(p, known))
    return Verdict(
        outbreak=outbreak,
        says=says,
        certainty=_certainty(says, weighed, known),
        probability=weighed.probability,
        prior=prior(known),
        evidence_against=against,
        evidence_for=for_it,
        not_checked=not_checked(p),
        overturned_by=_overturned_by(p, weighed, known, held),
        action=action(says, p, outbreak, survey.end, held is not None),
        title=title(says, p, held, weighed.short_of),
        held=held,
    )


def _rank(one: Verdict) -> tuple[bool, float, int, int]:
    return one.says == "undetermined", -round(one.certainty, 2), -one.outbreak.episodes, one.outbreak.rank


def _certainty(says: Says, weighed: Weighed, known: Items) -> float:
    hardware, software = weighed.probability.value, 1 - weighed.probability.value
    at = known.thresholds
    leaning = min(hardware, at.hardware) if hardware > software else min(software, at.software)
    return {"hardware": hardware, "software": software}.get(says, leaning)


def _sides(says: Says, weighed: Weighed, found: tuple[Argument, ...]) -> tuple[tuple[Argument, ...], ...]:
    likelier = weighed.probability.value >= 0.5 if says == "undetermined" else says == "hardware"
    telling = sorted(
        (one for one in found if abs(log(one.ratio.value)) > EVEN), key=lambda one: -abs(log(one.ratio.value))
    )
    against = tuple(one for one in telling if (one.ratio.value > 1) is not likelier)
    return against, tuple(one for one in telling if (one.ratio.value > 1) is likelier)


def _overturned_by(p: Profile, weighed: Weighed, known: Items, held: str | None) -> str:
    if held is not None:
        return f"a verdict is given again once enough of the crashes are captured; now {held}"
    return overturned_by(p, weighed, known)
