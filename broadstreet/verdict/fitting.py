"""From labelled profiles to what the items are worth: counts, calibration, thresholds. Pure; it makes `items.json`.

The profiles are those of outbreaks that a survey found in simulated fleets, of which the cause is known. The
calibration is isotonic (pool adjacent violators): never falling, no other shape assumed. Each of its knots is a block
of outbreaks, merged until it holds enough of them for its ratio to mean something.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Literal, NamedTuple

from broadstreet.records.weights import Count
from broadstreet.verdict.counted import VERSION, Items, Knot, Prior, Thresholds, checked, ratio
from broadstreet.verdict.items import ITEMS
from broadstreet.verdict.judging import judged, levels, score
from broadstreet.verdict.profile import Profile

Cause = Literal["hardware", "software"]
CAUSES: tuple[Cause, Cause] = ("hardware", "software")

LEAST_IN_BLOCK = 40
"""Outbreaks of a knot: fewer and the calibration follows chance."""
LEAST_RIGHT = 0.99
"""Of all that is called hardware, or software, at the prior: what the goals ask of hardware."""
LOWEST = 0.95
"""No threshold is lower: whoever drains a machine is wrong once in twenty times at most."""


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
        calibration=(),
        thresholds=Thresholds(1.0, 1.0, Count(0, 0), Count(0, 0), ""),
    )
    known = replace(bare, calibration=calibration([(score(one.profile, bare), one.cause) for one in labelled]))
    return checked(replace(known, thresholds=thresholds(labelled, known)))


def counted(labelled: Iterable[Labelled]) -> dict[str, dict[str, tuple[Count, Count]]]:
    """For each item and level: how many hardware and software outbreaks are at it, of those that are at any."""
    found = {item.name: {cause: Counter[str]() for cause in CAUSES} for item in ITEMS}
    for one in labelled:
        for name, level in levels(one.profile).items():
            found[name][one.cause][level] += 1
    return {item.name: {level: _counts(found[item.name], level) for level in item.says} for item in ITEMS}


def _counts(of_item: Mapping[Cause, Counter[str]], level: str) -> tuple[Count, Count]:
    hardware, software = (Count(of_item[cause][level], of_item[cause].total()) for cause in CAUSES)
    return hardware, software


class _Block(NamedTuple):
    scores: float
    hardware: int
    software: int

    @property
    def size(self) -> int:
        return self.hardware + self.software

    def joined(self, other: "_Block") -> "_Block":
        return _Block(self.scores + other.scores, self.hardware + other.hardware, self.software + other.software)


def calibration(scored: Iterable[tuple[float, Cause]]) -> tuple[Knot, ...]:
    """What each score is worth, never falling; one knot at the mean score of each block."""
    totals: Counter[Cause] = Counter()
    at_score: dict[float, Counter[Cause]] = {}
    for value, cause in scored:
        totals[cause] += 1
        at_score.setdefault(round(value, 6), Counter())[cause] += 1
    blocks: list[_Block] = []
    for value, causes in sorted(at_score.items()):
        blocks.append(_Block(value * causes.total(), causes["hardware"], causes["software"]))
        while len(blocks) > 1 and (blocks[-2].size < LEAST_IN_BLOCK or _falls(blocks, totals)):
            blocks[-2:] = [blocks[-2].joined(blocks[-1])]
    while len(blocks) > 1 and (blocks[-1].size < LEAST_IN_BLOCK or _falls(blocks, totals)):
        blocks[-2:] = [blocks[-2].joined(blocks[-1])]
    return tuple(_knot(block, totals) for block in blocks)


def _falls(blocks: Sequence[_Block], totals: Mapping[Cause, int]) -> bool:
    return _worth(blocks[-2], totals) >= _worth(blocks[-1], totals)


def _worth(block: _Block, totals: Mapping[Cause, int]) -> float:
    return log(ratio(*_shares(block, totals)).value)


def _shares(block: _Block, totals: Mapping[Cause, int]) -> tuple[Count, Count]:
    return Count(block.hardware, totals["hardware"]), Count(block.software, totals["software"])


def _knot(block: _Block, totals: Mapping[Cause, int]) -> Knot:
    worth = ratio(*_shares(block, totals))
    return Knot(
        score=block.scores / block.size,
        worth=log(worth.value),
        low=log(worth.low),
        high=log(worth.high),
        hardware=block.hardware,
        software=block.software,
    )


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
