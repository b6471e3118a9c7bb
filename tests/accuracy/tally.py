"""Counts over the runs of a campaign, with 95 % intervals, and the answers to its claims."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import NamedTuple

from scipy.special import betaincinv

from broadstreet.verdict.counted import items
from tests.accuracy.cells import CLAIMS, HARD, SOFT, Cell, Claim
from tests.simulation.outcomes import Scores, Stated


class Share(NamedTuple):
    """`held` of `runs`, with the exact interval of Clopper and Pearson."""

    held: int
    runs: int
    low: float
    high: float


def share(held: int, runs: int) -> Share:
    """The exact 95 % interval."""
    low = float(betaincinv(held, runs - held + 1, 0.025)) if held else 0.0
    high = float(betaincinv(held + 1, runs - held, 0.975)) if held < runs else 1.0
    return Share(held, runs, low, high)


class Answer(NamedTuple):
    """What became of a claim: `figure` as it is printed."""

    claim: Claim
    figure: str
    met: bool


class Tally:
    """What all runs came to. State: the scores of every cell, by metric, with the seed of each."""

    def __init__(self) -> None:
        self.runs = 0
        self.cells: dict[tuple[str, str], Cell] = {}
        self.scores: dict[tuple[str, str], list[tuple[int, Scores]]] = defaultdict(list)
        self.stated: list[tuple[str, Stated]] = []

    def add(self, cell: Cell, seed: int, scores: Scores, said: Sequence[Stated]) -> None:
        """Count one more run."""
        self.runs += 1
        self.cells[cell.group, cell.name] = cell
        self.scores[cell.group, cell.name].append((seed, scores))
        self.stated += [(cell.group, one) for one in said]

    def values(self, group: str, metric: str, names: Sequence[str] = ()) -> list[float]:
        """What was measured in all runs of these cells, where it could be."""
        return [
            float(scores[metric])
            for (of, name), runs in self.scores.items()
            if of == group and (not names or name in names)
            for _, scores in runs
            if metric in scores
        ]

    def failures(self, most: int = 8) -> Iterator[tuple[str, str, str]]:
        """The seeds of the runs that spoil a claim."""
        for claim in CLAIMS:
            if claim.statistic != "share":
                continue
            bad = 0.0 if claim.least is not None else 1.0
            for (group, name), runs in self.scores.items():
                if group == claim.group and (not claim.cells or name in claim.cells):
                    seeds = [seed for seed, scores in runs if float(scores.get(claim.metric, 1 - bad)) == bad]
                    if seeds:
                        more = f" and {len(seeds) - most} more" if len(seeds) > most else ""
                        yield name, group, f"{claim.metric}, {', '.join(map(str, seeds[:most]))}{more}"


def measured(claim: Claim, tally: Tally) -> Answer:
    """The figure of a claim, and whether it is met by the figure itself; its interval stands beside it."""
    values = tally.values(claim.group, claim.metric, claim.cells)
    if claim.statistic == "precision":
        values = [one.truth == "hardware" for of, one in tally.stated if of in (HARD, SOFT) and one.says == "hardware"]
    if claim.statistic == "at the prior":
        known = [one for of, one in tally.stated if of in (HARD, SOFT) and one.truth != "mixed"]
        sure = [one for one in known if 0.85 <= one.hardware < 0.95]
        value = calibrated(sure, known)
        met = value is not None and (claim.least or 0.0) <= value <= (claim.most or 1.0)
        return Answer(claim, "none is stated so" if value is None else f"{value:.1%} of {len(sure)}", met)
    if not values:
        return Answer(claim, "not measured", False)
    if claim.statistic in ("share", "precision"):
        counted = share(sum(value == 1.0 for value in values), len(values))
        figure, value = printed(counted), counted.held / counted.runs
    else:
        value = median(values) if claim.statistic == "median" else mean(values)
        figure = f"{claim.statistic} {value:.2g} of {len(values)} runs"
    met = (claim.least is None or value >= claim.least) and (claim.most is None or value <= claim.most)
    return Answer(claim, figure, met)


def calibrated(some: Sequence[Stated], every: Sequence[Stated]) -> float | None:
    """The share of these that are the hardware's, if of all as many were as the prior says; null of none."""
    weights = _weights(every)
    total = sum(weights[one.truth] for one in some)
    return sum(weights[one.truth] for one in some if one.truth == "hardware") / total if total else None


def brier(every: Sequence[Stated]) -> float:
    """The mean square of stated probability less truth, at the prior."""
    weights = _weights(every)
    off = sum(weights[one.truth] * (one.hardware - (one.truth == "hardware")) ** 2 for one in every)
    return off / sum(weights[one.truth] for one in every)


def _weights(every: Sequence[Stated]) -> dict[str, float]:
    prior = items().prior
    expected = {"hardware": prior.hardware / prior.of, "software": 1 - prior.hardware / prior.of}
    return {truth: part / max(1, sum(one.truth == truth for one in every)) for truth, part in expected.items()}


def printed(counted: Share) -> str:
    """`97.0% (94.2 to 98.7), 291 of 300`."""
    value = counted.held / counted.runs if counted.runs else 0.0
    return f"{value:.1%} ({100 * counted.low:.1f} to {100 * counted.high:.1f}), {counted.held:,} of {counted.runs:,}"
