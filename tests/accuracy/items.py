"""Count what the items of a verdict are worth over simulated outbreaks of known cause, and calibrate their sum.

python -m tests.accuracy.items [--output broadstreet/verdict/items.json] [--runs N] [--seed N] [--processes N]
python -m tests.accuracy.items --check     how often the shipped items are right, on the fleets of the campaign
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from broadstreet.population.survey import survey
from broadstreet.verdict.counted import Items, Prior, items
from broadstreet.verdict.fitting import Cause, Labelled, fitted
from broadstreet.verdict.judging import judged
from broadstreet.verdict.profile import Profiles
from tests.accuracy import fitting_fleets
from tests.simulation import outcomes, varied
from tests.simulation.populate import populated

PRIOR = Prior(
    hardware=25_000,
    of=470_000,
    source="Mozilla, 2026: of 470,000 crash reports a week about 25,000 are flagged as bit flips. These are crashes; "
    "nobody has counted outbreaks.",
)
COMMAND = "python -m tests.accuracy.items --output broadstreet/verdict/items.json"
FIRST_SEED, FIRST_SEED_OF_CHECK = 5_000_000, 7_000_000
BINS = (0.0, 0.01, 0.05, 0.15, 0.5, 0.85, 0.95, 0.99, 1.0)


class Job(NamedTuple):
    """One run: the fleets it is of, and which of them."""

    kind: str
    which: str
    seed: int
    check: bool


def jobs(runs: int, first: int, check: bool) -> list[Job]:
    """A quarter of the runs hardware: how sure a verdict may be is bounded by the software that was tried. Of each kind
    as many."""
    manners = tuple(varied.MANNERS) if check else fitting_fleets.MANNERS
    cells = [("hardware", str(k)) for k in fitting_fleets.CRASHES], [("software", manner) for manner in manners]
    return [
        Job(kind, which, first + 1_000 * at + n, check)
        for part, of in zip(cells, (runs // 4, runs - runs // 4), strict=True)
        for at, (kind, which) in enumerate(part)
        for n in range(-(-of // len(part)))
    ]


def labelled(job: Job) -> tuple[Job, tuple[Labelled, ...]]:
    """The outbreaks that a survey finds in one fleet, with their causes; not those of which no cause has most."""
    fleets = varied if job.check else fitting_fleets
    make = (
        partial(fleets.bad_machine, k=int(job.which))
        if job.kind == "hardware"
        else partial(fleets.software, manner=job.which)
    )
    population, truth = populated(make(job.seed), job.seed)
    surveyed = survey(population)
    run, profiles = outcomes.Run(population, truth, surveyed), Profiles(population)
    return job, tuple(
        Labelled(profiles.of(outbreak), mine.says)
        for outbreak in surveyed.outbreaks
        if (mine := outcomes.owner(run, outbreak)) is not None
    )


def campaign(every: Sequence[Job], processes: int) -> Iterator[tuple[Job, tuple[Labelled, ...]]]:
    """All of them, in the order of the jobs."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(labelled, every, chunksize=8)


class Row(NamedTuple):
    """Verdicts whose probability of hardware is within a bin: how many of each truth, and the share at the prior."""

    low: float
    high: float
    hardware: int
    software: int
    right: float


def reliability(found: Sequence[Labelled], known: Items) -> Iterator[Row]:
    """Of outbreaks said to be hardware's with such a probability: how many are, if hardware is as rare as the prior."""
    said = [(judged(one.profile, known).probability.value, one.cause) for one in found]
    for low, high in pairwise(BINS):
        mine = [cause for value, cause in said if low <= value < high]
        weights = {cause: _weight(cause, found, known) for cause in ("hardware", "software")}
        total = sum(weights[cause] for cause in mine)
        right = weights["hardware"] * mine.count("hardware") / total if total else float("nan")
        yield Row(low, high, mine.count("hardware"), mine.count("software"), right)


def _weight(cause: Cause, found: Sequence[Labelled], known: Items) -> float:
    share = known.prior.hardware / known.prior.of
    number = sum(one.cause == cause for one in found)
    return (share if cause == "hardware" else 1 - share) / max(number, 1)


def printed(found: Sequence[tuple[Job, tuple[Labelled, ...]]], known: Items) -> Iterator[str]:
    """What the verdicts on these outbreaks come to."""
    every = [one for _, mine in found for one in mine]
    yield f"{len(found):,} fleets, {len(every):,} outbreaks"
    for kind, which in dict.fromkeys((job.kind, job.which) for job, _ in found):
        runs = [mine for job, mine in found if (job.kind, job.which) == (kind, which)]
        bad = [[judged(one.profile, known).says for one in mine if one.cause == kind] for mine in runs]
        row = {says: sum(says in mine for mine in bad) for says in ("hardware", "software", "undetermined")}
        yield f"  {kind} {which}: {sum(map(bool, bad))} of {len(runs)} found, {row}"
    for row_ in reliability(every, known):
        counts = f"{row_.hardware} hardware, {row_.software} software"
        yield f"  {row_.low:.2f} to {row_.high:.2f}: {counts}, {row_.right:.1%}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="write the items there")
    parser.add_argument("--check", action="store_true", help="count nothing: score the items that ship")
    parser.add_argument("--runs", type=int, default=5_200)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args(arguments)
    first = given.seed or (FIRST_SEED_OF_CHECK if given.check else FIRST_SEED)
    begun = time.monotonic()
    found = list(campaign(jobs(given.runs, first, given.check), given.processes))
    known = items()
    if not given.check:
        name = f"{len(found):,} simulated fleets with crashes of the lab's fitted sets: docs/verdict.md"
        known = fitted(
            [one for _, mine in found for one in mine], PRIOR, name, COMMAND, {"first": first, "runs": given.runs}
        )
    print(*printed(found, known), sep="\n")
    if given.output:
        given.output.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n")
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
