"""Counts over the runs of a campaign, with 95 % intervals, and the answers to its claims."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean, median
from typing import NamedTuple

from scipy.special import betaincinv

from tests.accuracy.cells import CLAIMS, Cell, Claim
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
    if not values:
        return Answer(claim, "not measured", False)
    if claim.statistic == "share":
        counted = share(sum(value == 1.0 for value in values), len(values))
        figure, value = printed(counted), counted.held / counted.runs
    else:
        value = median(values) if claim.statistic == "median" else mean(values)
        figure = f"{claim.statistic} {value:.2g} of {len(values)} runs"
    met = (claim.least is None or value >= claim.least) and (claim.most is None or value <= claim.most)
    return Answer(claim, figure, met)


def printed(counted: Share) -> str:
    """`97.0% (94.2 to 98.7), 291 of 300`."""
    value = counted.held / counted.runs if counted.runs else 0.0
    return f"{value:.1%} ({100 * counted.low:.1f} to {100 * counted.high:.1f}), {counted.held:,} of {counted.runs:,}"
