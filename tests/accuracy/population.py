"""Simulate some thousands of fleets, survey each, argue the verdicts, and hold what was said against what is true.

python -m tests.accuracy.population [--document PATH] [--quick] [--group NAME] [--seed N] [--processes N]

Exit status 1 where a claim is not met.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from broadstreet.population.survey import survey
from broadstreet.verdict.argument import argued
from tests.accuracy.cells import CELLS, CLAIMS
from tests.accuracy.population_page import page
from tests.accuracy.tally import Tally, measured
from tests.simulation.outcomes import Run, Scores, Stated, stated
from tests.simulation.populate import populated

FIRST_SEED = 60_260_000  # others than those that rules were tried on, but for one: docs/decisions/0007


class Done(NamedTuple):
    """What one run came to. `cell` is its place in `CELLS`."""

    cell: int
    seed: int
    scores: Scores
    stated: tuple[Stated, ...]


def done(cell: int, seed: int) -> Done:
    """Make one scenario and score what is said of it."""
    declared = CELLS[cell]
    population, truth = populated(declared.scenario(seed), seed)
    surveyed = survey(population) if declared.survey else None
    verdicts = argued(population, surveyed) if surveyed and declared.verdicts else ()
    run = Run(population, truth, surveyed, verdicts)
    return Done(cell, seed, declared.score(run), tuple(stated(run)))


def campaign(cells: Sequence[int], quick: bool, first_seed: int, processes: int) -> Tally:
    """All runs of these cells, in as many processes."""
    tally = Tally()
    jobs = [(at, first_seed + n) for at in cells for n in range(CELLS[at].quick if quick else CELLS[at].runs)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for one in pool.map(done, *zip(*jobs, strict=True), chunksize=4):
            tally.add(CELLS[one.cell], one.seed, one.scores, one.stated)
    return tally


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--document", type=Path, help="write the page there")
    parser.add_argument("--quick", action="store_true", help="a sixtieth of the runs")
    parser.add_argument("--group", action="append", help="only this group of scenarios; repeatable")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first run of each scenario")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args(arguments)
    cells = [at for at, cell in enumerate(CELLS) if not given.group or cell.group in given.group]
    begun = time.monotonic()
    tally = campaign(cells, given.quick, given.seed, given.processes)
    answers = [measured(claim, tally) for claim in CLAIMS if any(CELLS[at].group == claim.group for at in cells)]
    text = page(answers, tally, given.seed, given.quick)
    if given.document:
        given.document.write_text(text)
    else:
        print(text)
    for name, group, seeds in tally.failures():
        print(f"{group}, {name}: {seeds}", file=sys.stderr)
    print(f"{tally.runs:,} runs in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return int(not all(answer.met for answer in answers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
