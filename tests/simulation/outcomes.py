"""What a survey and its verdicts come to, held against the truth: pure functions.

An outbreak belongs to a cause if most of its cases are that cause's. It names the cause if, besides, its cohort holds
all that is bad: the physical host and not one of its machines, the CPU and not only its host.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from broadstreet.population.population import Population
from broadstreet.records.outbreak import Outbreak, Survey
from broadstreet.records.verdict import Verdict
from tests.simulation.fleet import DAY, EPOCH
from tests.simulation.populate import Planted, Truth

HOST_LEVELS = ("cpu", "host", "physical_host")
MOST = 0.5
Scores = dict[str, float]


@dataclass(frozen=True, eq=False)
class Run:
    """One scenario that was made, and what was said of it."""

    population: Population
    truth: Truth
    survey: Survey | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def outbreaks(self) -> tuple[Outbreak, ...]:
        """Those that were found; none where nothing was asked."""
        return self.survey.outbreaks if self.survey else ()

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each case stands in the population."""
        return {case: at for at, case in enumerate(self.population.case_ids)}


class Stated(NamedTuple):
    """One verdict: what it says, how sure, and what is true of most of its cases."""

    says: str
    certainty: float
    hardware: float
    truth: str


def owner(run: Run, outbreak: Outbreak) -> Planted | None:
    """The cause of most cases of an outbreak; null where no cause has most."""
    causes = Counter(int(run.truth.cause[run.places[case]]) for case in outbreak.cases)
    if not causes:
        return None
    most, count = causes.most_common(1)[0]
    return run.truth.planted[most] if count > MOST * len(outbreak.cases) else None


def names(run: Run, outbreak: Outbreak, planted: Planted) -> bool:
    """Whether this outbreak is that cause, and says who is hit."""
    told = all(outbreak.cohort.get(attribute) == value for attribute, value in planted.cohort.items())
    return told and bool(outbreak.cohort or not planted.cohort) and owner(run, outbreak) is planted


def finding(run: Run, planted: Planted) -> Outbreak | None:
    """The first outbreak that names this cause."""
    return next((outbreak for outbreak in run.outbreaks if names(run, outbreak, planted)), None)


def false_cohorts(run: Run, innocent: Collection[str] = ()) -> list[Outbreak]:
    """Outbreaks that accuse somebody, though most of their cases are of no cause that has to be found.

    A cohort that names one of the `innocent` attributes is right to stand out, as is what cannot be told apart from it.
    """
    found = []
    for outbreak in run.outbreaks:
        mine = owner(run, outbreak)
        alias = outbreak.comparison.same_as if outbreak.comparison else ()
        excused = set(innocent) & {*outbreak.cohort, *alias}
        if outbreak.kind != "everywhere" and not excused and (mine is None or not mine.outbreak):
            found.append(outbreak)
    return found


def nothing(run: Run, innocent: Collection[str] = ()) -> Scores:
    """Of a fleet with nothing to find: is anybody accused, and is it a host?"""
    wrong = false_cohorts(run, innocent)
    hosts = [outbreak for outbreak in wrong if set(outbreak.cohort) & set(HOST_LEVELS)]
    return {"false alarm": bool(wrong), "false host": bool(hosts), "outbreaks": len(wrong)}


def found(run: Run) -> Scores:
    """Of a fleet with one thing to find: is it named, or only a part of it (a machine for its host), and who else?"""
    scores: Scores = {"false alarm": bool(false_cohorts(run))}
    for planted in run.truth.planted:
        if planted.outbreak:
            first = finding(run, planted)
            kin = [one for one in run.outbreaks if one.cohort and owner(run, one) is planted]
            scores["named"] = first is not None
            scores["named otherwise"] = first is None and bool(kin)
            scores["named first"] = first is not None and first is _first(run)
    return scores


def _first(run: Run) -> Outbreak | None:
    return next((one for one in run.outbreaks if one.cohort), None)


def parted(run: Run, small: str, large: str) -> Scores:
    """Of two causes in one syndrome: is the small one named, with its cases and no others, and the rest apart?"""
    cause = {planted.name: planted for planted in run.truth.planted}
    one, other = finding(run, cause[small]), cause[large]
    apart = any(
        outbreak is not one and owner(run, outbreak) is other and (not outbreak.cohort or names(run, outbreak, other))
        for outbreak in run.outbreaks
    )
    pure, whole = (0.0, 0.0) if one is None else _overlap(run, one, cause[small])
    split = any(outbreak.splits for outbreak in run.outbreaks)
    both = one is not None and apart
    return {
        "named": one is not None,
        "split": split,
        "both": both,
        "cases right": pure,
        "cases found": whole,
    }


def _overlap(run: Run, outbreak: Outbreak, planted: Planted) -> tuple[float, float]:
    mine = {run.places[case] for case in outbreak.cases}
    return len(mine & planted.cases) / len(mine), len(mine & planted.cases) / len(planted.cases)


def single(run: Run) -> Scores:
    """Of one cause in one syndrome: was it split, and is the same syndrome two outbreaks of parts?"""
    split = [outbreak for outbreak in run.outbreaks if outbreak.splits or outbreak.parts]
    return {"split": bool(split), "false alarm": bool(false_cohorts(run))}


def says_cohort(run: Run, attribute: str, value: str | None = None) -> bool:
    """Whether an outbreak has such a cohort, and does not say that it cannot tell."""
    return any(
        attribute in outbreak.cohort
        and (value is None or outbreak.cohort[attribute] == value)
        and not (outbreak.comparison and outbreak.comparison.same_as)
        for outbreak in run.outbreaks
    )


def onset(run: Run, name: str) -> Scores:
    """Of a jump: is a beginning dated for most of its cases, and how many days is it off?"""
    planted = next(planted for planted in run.truth.planted if planted.name == name)
    begun = planted.since if planted.since is not None else 0.0
    for outbreak in run.outbreaks:
        dated = outbreak.onset
        if dated and dated.at and dated.low and dated.high and owner(run, outbreak) is planted:
            day, low, high = ((at.timestamp() - EPOCH) / DAY for at in (dated.at, dated.low, dated.high))
            return {
                "dated": True,
                "days off": abs(day - begun),
                "within a day": abs(day - begun) <= 1.0,
                "interval holds it": low <= begun <= high,
            }
    return {"dated": False}


def steady(run: Run) -> Scores:
    """Of a constant rate: is a beginning or an end claimed?"""
    dated = [one for one in run.outbreaks if one.onset and (one.onset.at or one.onset.end)]
    return {"false onset": bool(dated), **nothing(run)}


def judged(run: Run) -> Scores:
    """Of the verdicts: is bad hardware called so, at the right place, and is any software?"""
    bad = [planted for planted in run.truth.planted if planted.outbreak and planted.says == "hardware"]
    called = [verdict for verdict in run.verdicts if verdict.says == "hardware"]
    right = [verdict for verdict in called if (mine := owner(run, verdict.outbreak)) and mine.says == "hardware"]
    scores: Scores = {"called hardware": bool(called), "software called hardware": len(right) < len(called)}
    if bad:
        scores["convicted"] = any(names(run, one.outbreak, planted) for one in called for planted in bad)
        scores["named"] = any(finding(run, planted) is not None for planted in bad)
        kin = [one for one in run.verdicts if (mine := owner(run, one.outbreak)) and mine in bad]
        scores["bad hardware called software"] = any(one.says == "software" for one in kin)
    else:
        bugs = [planted for planted in run.truth.planted if planted.outbreak]
        mine_ = [one for one in run.verdicts if owner(run, one.outbreak) in bugs]
        scores["called software"] = any(one.says == "software" for one in mine_)
        scores["listed"] = bool(mine_)
    return scores


def story(run: Run, small: str, large: str) -> Scores:
    """Of two causes in one syndrome, one hardware: both found, with the right verdicts, and since when?"""
    scores = parted(run, small, large)
    cause = {planted.name: planted for planted in run.truth.planted}
    said = [(owner(run, verdict.outbreak), verdict) for verdict in run.verdicts]
    first = [one for mine, one in said if mine is cause[small] and names(run, one.outbreak, mine)]
    second = [one for mine, one in said if mine is cause[large]]
    scores["hardware called so"] = any(one.says == "hardware" for one in first)
    scores["software called so"] = any(one.says == "software" for one in second)
    wrong = any(mine is not cause[small] and one.says == "hardware" for mine, one in said)
    scores["both right"] = scores["hardware called so"] and scores["software called so"] and not wrong
    scores["began within a day"] = onset(run, small).get("within a day", False)
    scores["large named"] = finding(run, cause[large]) is not None
    return scores


def stated(run: Run) -> Iterator[Stated]:
    """Every verdict with its certainty and what is true."""
    for verdict in run.verdicts:
        mine = owner(run, verdict.outbreak)
        yield Stated(
            says=verdict.says if verdict.held is None else "held",
            certainty=verdict.certainty,
            hardware=verdict.probability.value,
            truth="mixed" if mine is None else mine.says,
        )
