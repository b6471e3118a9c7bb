"""What is asked of all syndromes together: places with crashes of failing hardware, or with many different ones.

One place is one outbreak, however many questions found it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.asking import NAMES_A_COHORT, Found, at_place, here
from broadstreet.population.families import ERROR, LEAST, NARROW, TREE, family
from broadstreet.population.ground import Cohort, Ground
from broadstreet.population.linking import diverse
from broadstreet.population.onsets import onset
from broadstreet.population.part import Part, Questions
from broadstreet.records.outbreak import Comparison, Test
from broadstreet.records.weights import STRICT, Interval
from broadstreet.statistics.intervals import poisson_interval

Rows = NDArray[np.int64]

LEAST_STRICT = 2  # crashes with a hardware finding, of at least `LEAST` crashes of the place in all


def pooled(questions: Questions, found: Sequence[Found]) -> list[Found]:
    """Over all syndromes: places with crashes that failing hardware makes, and with many different ones."""
    ground = questions.ground
    population = ground.population
    explained = np.unique(np.concatenate([np.zeros(0, np.int64)] + [one.votes for one in found if one.cohort]))
    shows = np.zeros(len(population), bool)
    for label in STRICT:
        sign = population.signs.get(f"finding {label}")
        if sign is not None:
            shows |= sign.cases == 1
    strict = _once_a_trace(ground, ground.votes[shows[ground.votes]])
    part = Part("", strict, ("any hardware finding",), least=LEAST_STRICT)
    linked: list[Found] = []
    while len(part.votes) >= LEAST_STRICT:
        standing = questions.standing(here(ground, TREE), part, parts=1)
        if not standing:
            break
        one = at_place(questions, part, standing[0])
        every = _at(ground, one.cohort[0], ground.votes)
        if len(one.votes) < LEAST:
            one = replace(one, votes=every)
        if len(every) >= LEAST:
            linked.append(replace(one, kind="linked"))
        part = part.less(ground, standing[0].cohort)
    questions.families["hardware findings"] += sum(
        len(population.exposures[name].values) for name in here(ground, TREE) if len(strict)
    )
    rest = np.setdiff1d(ground.votes, np.concatenate([explained, *(one.votes for one in linked)]))
    for name in here(ground, NARROW):
        linked += _diverse_at(questions, name, rest)
    return linked


def _at(ground: Ground, cohort: Cohort, votes: Rows) -> Rows:
    inside: Rows = votes[ground.population.exposures[cohort[0]].cases[votes] == cohort[1]]
    return inside


def _once_a_trace(ground: Ground, votes: Rows) -> Rows:
    """Of each host each trace once: an imitation repeats itself, failing hardware does not."""
    host = ground.population.exposures.get("host")
    if host is None:
        return votes
    pairs = np.stack([host.cases[votes], ground.population.trace[votes]])
    known = (pairs >= 0).all(axis=0)
    _, first = np.unique(pairs[:, known], axis=1, return_index=True)
    return np.sort(np.concatenate([votes[~known], votes[known][first]]))


def _diverse_at(questions: Questions, name: str, votes: Rows) -> list[Found]:
    ground = questions.ground
    attribute = ground.population.exposures[name]
    got = diverse(ground, attribute, votes)
    if got is None:
        return []
    questions.families["different crashes"] += got.asked
    level = ERROR * questions.budgets["different crashes"] / len(NARROW)
    found = []
    for at in np.flatnonzero(got.p * got.asked < level):
        value, different, expected = int(got.value[at]), int(got.different[at]), float(got.expected[at])
        mine = votes[attribute.cases[votes] == value]
        arguments = {"k": different, "mean": expected, "dispersion": got.uneven}
        p = float(got.p[at])
        test = Test(
            "tails.negative_binomial_tail", dict(arguments), p, min(1.0, p * got.asked), "different crashes", got.asked
        )
        comparison = Comparison(
            attribute=name,
            value=attribute.values[value],
            inside=different,
            of=len(np.unique(ground.population.syndrome[votes])),
            share=expected / max(1, len(np.unique(ground.population.syndrome[votes]))),
            against="time at risk",
            measure="different syndromes",
            naive=_ratio(different, expected),
            test=test,
        )
        gain = float(different * np.log(different / expected) - different + expected)
        part = Part("", mine, ("different crashes",))
        began = onset(ground, mine, ((name, value),))
        found.append(Found(part, ((name, value),), mine, gain, comparison, (comparison,), "linked", began))
    return found


def _ratio(seen: int, expected: float) -> Interval:
    low, high = poisson_interval(seen)
    return Interval(seen / expected, float(low) / expected, float(high) / expected)


def one_for_each_place(ground: Ground, found: Sequence[Found]) -> list[Found]:
    """One place is one outbreak: what several questions found there is joined to the one that says most."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.kind == "linked", -one.gain)):
        home = next((at for at, other in enumerate(kept) if _same_place(ground, one, other)), None)
        if home is None:
            kept.append(one)
            continue
        other = kept[home]
        same = one.part.syndrome == other.part.syndrome or not len(np.setdiff1d(one.votes, other.votes))
        joined = np.union1d(one.votes, other.votes)
        began = onset(ground, joined, other.cohort[:1])
        whole = replace(other, votes=joined, gain=max(one.gain, other.gain), onset=began)
        if same:
            kept[home] = whole
        else:  # several syndromes: what is elsewhere is told by the question that was asked of all
            part = one.part if not one.part.syndrome else other.part
            kept[home] = replace(whole, part=part, kind="linked")
    return kept


def _same_place(ground: Ground, one: Found, other: Found) -> bool:
    if not one.cohort or not other.cohort or family(one.cohort[0][0]).kind != "place":
        return False
    if family(other.cohort[0][0]).kind != "place":
        return False
    name, value = other.cohort[0]
    codes = ground.population.exposures[name].cases[one.votes]
    return bool((codes == value).mean() > NAMES_A_COHORT)
