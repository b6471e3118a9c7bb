"""From labelled profiles to what the items are worth: counts, calibration, thresholds. Pure; it makes `items.json`.

The profiles are those of outbreaks that a survey found in simulated fleets, of which the cause is known. The
calibration shrinks the sum of the items' logarithms, which are not independent, by one slope; blocks of outbreaks stand
beside it, so that anybody can see how well the line holds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.records.weights import Count
from broadstreet.verdict.counted import VERSION, Block, Calibration, Items, Prior, Thresholds, checked, ratio
from broadstreet.verdict.items import ITEMS
from broadstreet.verdict.judging import judged, levels, score
from broadstreet.verdict.profile import Profile

Floats = NDArray[np.float64]
Cause = Literal["hardware", "software"]
Counts = tuple[Count, Count]
CAUSES: tuple[Cause, Cause] = ("hardware", "software")

BLOCK = 2.0
"""Width of a block of scores: what the calibration is held against."""
ODD = 3
"""Hardware outbreaks that may be scored as the clearest software: of theirs a survey found other crashes by mistake."""
STEPS, LONGEST, ENOUGH, FAR = 200, 2.0, 1e-9, 500.0
LEAST_RIGHT = 0.99
"""Of all that is called hardware, or software, at the prior: what the goals ask of hardware."""
LOWEST = 0.9
"""No threshold is lower: whoever drains a machine is told of one chance in ten, at most, to be wrong."""


class Labelled(NamedTuple):
    """An outbreak of which the cause is known."""

    profile: Profile
    cause: Cause


def fitted(labelled: Sequence[Labelled], prior: Prior, campaign: str, command: str, seeds: Mapping[str, int]) -> Items:
    """The items from these outbreaks."""
    numbers = Counter(one.cause for one in labelled)
    bare = Items(
        version=VERSION,
        campaign=campaign,
        command=command,
        seeds=dict(seeds),
        outbreaks={cause: numbers[cause] for cause in CAUSES},
        prior=prior,
        levels=counted(labelled),
        calibration=Calibration(0.0, 1.0, (0.0, 0.0, 0.0), 0.0, 0.0, ()),
        thresholds=Thresholds(1.0, 1.0, Count(0, 0), Count(0, 0), ""),
    )
    known = replace(bare, calibration=calibration([(score(one.profile, bare), one.cause) for one in labelled]))
    return checked(replace(known, thresholds=thresholds(labelled, known)))


def counted(labelled: Iterable[Labelled]) -> dict[str, dict[str, Counts]]:
    """For each item and level: how many hardware and software outbreaks are at it, of those that are at any."""
    found = {item.name: {cause: Counter[str]() for cause in CAUSES} for item in ITEMS}
    for one in labelled:
        for name, level in levels(one.profile).items():
            found[name][one.cause][level] += 1
    return {
        item.name: dict(
            zip(item.says, _levels([_counts(found[item.name], one) for one in item.says], item.rises), strict=True)
        )
        for item in ITEMS
    }


def _levels(counts: Sequence[Counts], rises: bool) -> list[Counts]:
    """The counts of each level; neighbours whose ratio falls are pooled, if it ought to rise."""
    pooled: list[tuple[Counts, int]] = []
    for one in counts:
        pooled.append((one, 1))
        while rises and len(pooled) > 1 and ratio(*pooled[-2][0]).value > ratio(*pooled[-1][0]).value:
            (before, many), (after, more) = pooled[-2:]
            pooled[-2:] = [(_together(before, after), many + more)]
    return [one for one, many in pooled for _ in range(many)]


def _together(one: Counts, other: Counts) -> Counts:
    hardware, software = (Count(a.held + b.held, a.judged) for a, b in zip(one, other, strict=True))
    return hardware, software


def _counts(of_item: Mapping[Cause, Counter[str]], level: str) -> Counts:
    hardware, software = (Count(of_item[cause][level], of_item[cause].total()) for cause in CAUSES)
    return hardware, software


def calibration(scored: Sequence[tuple[float, Cause]]) -> Calibration:
    """A line through the log odds, as Platt fits it: half an outbreak of doubt on each side, so that it stays finite
    where the causes fall apart."""
    score = np.array([one for one, _ in scored])
    bad = np.array([cause == "hardware" for _, cause in scored])
    number, others = int(bad.sum()), int((~bad).sum())
    target = np.where(bad, (number + 1) / (number + 2), 1 / (others + 2))
    line, spread = _logistic_line(score, target)
    clean = bad & (score > np.max(score, initial=-np.inf, where=~bad))
    odd = np.partition(score[bad], ODD)[ODD] if number > ODD else -np.inf
    clear = ~bad & (score < odd)
    return Calibration(
        at_zero=float(line[0]) - log(number / others),
        slope=float(line[1]),
        spread=(float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1])),
        least=log(ratio(Count(min(ODD, number), number), Count(int(clear.sum()), others)).value),
        most=log(ratio(Count(int(clean.sum()), number), Count(0, others)).value),
        blocks=_blocks(score, bad),
    )


def _logistic_line(score: Floats, target: Floats) -> tuple[Floats, Floats]:
    columns = np.stack([np.ones(len(score)), score], axis=1)
    line, information = np.zeros(2), np.eye(2)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(columns @ line, -FAR, FAR)))
        information = (columns * (chance * (1 - chance))[:, None]).T @ columns
        step = np.linalg.solve(information, columns.T @ (target - chance))
        line = line + step * min(1.0, LONGEST / float(np.abs(step).max()))
        if np.abs(step).max() < ENOUGH:
            break
    return np.asarray(line, np.float64), np.asarray(np.linalg.inv(information), np.float64)


def _blocks(score: Floats, bad: NDArray[np.bool_]) -> tuple[Block, ...]:
    edges = np.unique(np.floor(score / BLOCK)) * BLOCK
    found = []
    for edge in edges:
        here = (score >= edge) & (score < edge + BLOCK)
        hardware = int((here & bad).sum())
        found.append(Block(float(edge), float(edge) + BLOCK, hardware, int(here.sum()) - hardware))
    return tuple(found)


def thresholds(labelled: Sequence[Labelled], known: Items) -> Thresholds:
    """The lowest certainty at which what is called so is right often enough at the prior, laws included."""
    found = {}
    for cause in CAUSES:
        asked = replace(known, thresholds=Thresholds(*_only(cause), Count(0, 0), Count(0, 0), ""))
        called = [(_certainty(cause, one.profile, asked), one.cause) for one in labelled if _called(cause, one, asked)]
        found[cause] = _lowest(cause, called, known)
    origin = (
        f"the lowest certainty, {LOWEST:.0%} at least, at which {LEAST_RIGHT:.0%} of what is called so is right, "
        "if hardware is as frequent as the prior says"
    )
    return Thresholds(found["hardware"][0], found["software"][0], found["hardware"][1], found["software"][1], origin)


def _only(cause: Cause) -> tuple[float, float]:
    return (LOWEST, 2.0) if cause == "hardware" else (2.0, LOWEST)


def _called(cause: Cause, one: Labelled, asked: Items) -> bool:
    return judged(one.profile, asked).says == cause


def _certainty(cause: Cause, p: Profile, known: Items) -> float:
    hardware = judged(p, known).probability.value
    return hardware if cause == "hardware" else 1 - hardware


def _lowest(cause: Cause, called: Sequence[tuple[float, Cause]], known: Items) -> tuple[float, Count]:
    prior, totals = known.prior, known.outbreaks
    weight = {
        "hardware": prior.hardware / prior.of / max(totals.get("hardware", 0), 1),
        "software": (prior.of - prior.hardware) / prior.of / max(totals.get("software", 0), 1),
    }
    for at in sorted({LOWEST, *(certainty for certainty, _ in called)}):
        kept = [truth for certainty, truth in called if certainty >= at]
        right = sum(weight[truth] for truth in kept if truth == cause)
        if kept and right >= LEAST_RIGHT * sum(weight[truth] for truth in kept):
            return at, Count(kept.count(cause), len(kept))
    return 1.0, Count(0, 0)
