"""What one part of a population is asked: whether it is two, what place stands out, what else does, and since when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.cpus import cpu
from broadstreet.population.families import ERROR, LEAST, NARROW, TREE, family
from broadstreet.population.ground import BY_WEEK, Cohort, Ground
from broadstreet.population.onsets import onset
from broadstreet.population.part import TENANT, TIMES_APART, Part, Questions, Stands
from broadstreet.population.splitting import split
from broadstreet.records.outbreak import Comparison, Onset

Rows = NDArray[np.int64]

FOREST = 8  # comparisons that are kept of an outbreak, those that stand out first
NAMES_A_COHORT = 0.8  # of the episodes of which it is known, and
TIMES_LIKELIER = 2.0  # at least, where strata are alike: then a part is that of a cohort, else it is everywhere
NEARLY_ALWAYS = 0.95  # of the time at risk of either of two exposures: then they are one
DEEPEST = 6  # parts of parts
ONSET_FROM = 8  # episodes


@dataclass(frozen=True, eq=False)
class Found:
    """An outbreak before it is told. `place` is that of hardware, if it is one."""

    part: Part
    cohort: tuple[Cohort, ...]
    votes: Rows
    gain: float
    comparison: Comparison | None
    others: tuple[Comparison, ...]
    kind: Literal["cohort", "everywhere", "linked"]
    onset: Onset | None = None


def of_part(questions: Questions, part: Part, depth: int = 0) -> list[Found]:
    """The outbreaks of one part, and of the parts that it is split into."""
    ground = questions.ground
    if len(part.votes) < LEAST or depth > DEEPEST:
        return []
    parted = split(ground, part.syndrome, part.votes)
    if parted is not None:
        splits = (*part.splits, parted.split)
        questions.families[parted.split.test.family] += parted.split.test.asked
        halves = []
        for shows, sign in ((parted.shows, parted.split.by), (~parted.shows, f"not {parted.split.by}")):
            half = replace(
                part,
                votes=part.votes[shows],
                signs=(*part.signs, sign),
                splits=splits,
                hints=None,
            )
            halves += of_part(questions, half, depth + 1)
        return halves
    found: list[Found] = []
    while len(part.votes) >= LEAST and (standing := _whose_or_where(questions, part)):
        one = at_place(questions, part, standing[0])
        found.append(one)
        part = part.less(ground, standing[0].cohort)
    return found + _of_rest(questions, part, depth)


def _whose_or_where(questions: Questions, part: Part) -> list[Stands]:
    """The places that stand out, and among them the tenants with so many more that their machines do for no other
    reason; what says most comes first."""
    standing = questions.standing(here(questions.ground, (*TREE, TENANT)), part)
    return [one for one in standing if one.cohort[0] != TENANT or _is_apart(one.comparison)]


def at_place(questions: Questions, part: Part, stands: Stands) -> Found:
    """The outbreak of a place, or of one CPU there."""
    ground = questions.ground
    name, value = stands.cohort
    votes = part.votes[ground.population.exposures[name].cases[part.votes] == value]
    cohort: tuple[Cohort, ...] = (stands.cohort,)
    inner = cpu(ground, votes) if name in NARROW else None
    others = [stands.comparison] + ([inner.comparison] if inner else [])
    if inner:
        cohort, votes = (*cohort, inner.cohort), inner.votes
    began = onset(ground, votes, (stands.cohort,))
    return Found(part, cohort, votes, stands.gain, stands.comparison, tuple(others), "cohort", began)


def _of_rest(questions: Questions, part: Part, depth: int) -> list[Found]:
    """What no place explains: the other exposures, and since when."""
    ground = questions.ground
    if len(part.votes) < LEAST:
        return []
    standing = questions.standing((name for name in here(ground) if name not in TREE), part)
    named = next((one for one in standing if _names(one.comparison) and _explains_since(ground, one, part)), None)
    votes = part.votes
    if named is not None:
        name, value = named.cohort
        votes = votes[ground.population.exposures[name].cases[votes] == value]
    began = onset(ground, votes, (), part.without) if len(votes) >= ONSET_FROM else None
    sure = 0.0
    if began is not None and began.test is not None:
        questions.families["onset"] += 1
        if began.at is not None and began.test.p * questions.parts < ERROR * questions.budgets["onset"]:
            sure = -float(np.log(max(began.test.p, 1e-300)))
    if not standing and not sure:
        return []
    first = named or (standing[0] if standing else None)
    forest = _forest(questions, part, standing)
    one = Found(
        part,
        () if named is None else (named.cohort,),
        votes,
        max([sure, *(one.gain for one in standing)]),
        next((one for one in forest if first and _is(one, first.comparison)), None),
        forest,
        "everywhere" if named is None else "cohort",
        began,
    )
    return [one] if named is None else [one, *of_part(questions, part.less(ground, named.cohort), depth + 1)]


def _is(one: Comparison, other: Comparison) -> bool:
    return (one.attribute, one.value) == (other.attribute, other.value)


def _explains_since(ground: Ground, stands: Stands, part: Part) -> bool:
    """What cannot be told apart from the week is named only if its crashes begin when it does, and not later."""
    if stands.comparison.same_as != (BY_WEEK,):
        return True
    name, value = stands.cohort
    votes = part.votes[ground.population.exposures[name].cases[part.votes] == value]
    began = onset(ground, votes, (stands.cohort,), part.without)
    return began is None or began.at is None


def _names(comparison: Comparison) -> bool:
    """Whether it is the cohort that is hit: it has nearly all, or it has so many more that no mere dose explains it."""
    ratio = comparison.adjusted
    if ratio is None:
        return False
    nearly_all = comparison.inside >= NAMES_A_COHORT * comparison.of
    return _is_apart(comparison) or (nearly_all and ratio.low >= TIMES_LIKELIER)


def _is_apart(comparison: Comparison) -> bool:
    return comparison.adjusted is not None and comparison.adjusted.low >= TIMES_APART


def _forest(questions: Questions, part: Part, standing: Sequence[Stands]) -> tuple[Comparison, ...]:
    """What a person would ask about too: of each exposure its most notable value, those that stand out first."""
    every = [(one.cohort, one.comparison) for one in standing]
    seen = {one.comparison.attribute for one in standing}
    more: list[tuple[float, Cohort, Comparison]] = []
    for name in here(questions.ground):
        got = None if name in seen or family(name).kind == "place" else questions.cells(name, part)
        if got is None or not len(got.value):
            continue
        at = int(np.argmax(got.gain))
        cohort = (name, int(got.value[at]))
        comparison = questions.compared(*cohort, part, got.asked * questions.parts)
        if comparison is not None:
            more.append((-float(got.gain[at]), cohort, comparison))
    every += [(cohort, comparison) for _, cohort, comparison in sorted(more, key=lambda one: one[0])]
    return tuple(_with_twins(questions.ground, cohort, one, every) for cohort, one in every[:FOREST])


def _with_twins(
    ground: Ground, cohort: Cohort, comparison: Comparison, every: Sequence[tuple[Cohort, Comparison]]
) -> Comparison:
    """What nearly always comes together cannot be told apart, whichever of the two is asked about."""
    twins = (other[0] for other, _ in every if other[0] != cohort[0] and ground.overlap(cohort, other) >= NEARLY_ALWAYS)
    return replace(comparison, same_as=tuple(dict.fromkeys((*comparison.same_as, *twins))))


def here(ground: Ground, names: Sequence[str] | None = None) -> list[str]:
    """The exposures that there are; CPUs are asked about only inside of a place."""
    every = ground.population.exposures
    return [name for name in (names or every) if name in every and name not in ("cpu", "numa_node")]
