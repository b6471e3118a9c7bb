"""Cut four core dumps at every page and damage them 200,000 times; nothing but a case or a refusal may come of it.

python -m tests.fuzz.campaign [--mutations N] [--seed N] [--only SPECIMEN:NUMBER]

Each trial has 2 s of CPU and 200 MB. Exit status 1 when one raised anything else or went over.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import NamedTuple

from broadstreet.lab.kernel import CannotDump
from broadstreet.sources.binaries import Binaries
from tests.fuzz.mutation import Rope, mutant
from tests.fuzz.specimens import Specimen, cplusplus, python, specimen, synthetic, synthetic_aarch64
from tests.fuzz.trial import LARGEST_BYTES, Verdict, measured, outcome

PAGE = 4096
BATCH = 500
WORKERS = 2
WHOLE_SHARE = 0.25  # of the trials that read every thread
MOST_SHOWN = 40


class Batch(NamedTuple):
    """Trials of one specimen: cuts at these pages, or mutants with these numbers."""

    kind: str
    name: str
    seed: int
    first: int
    end: int


@dataclass
class Tally:
    """What a batch, or all of them, came to. The extremes are (value, trial)."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")
    cpu_seconds: float = 0.0

    def add(self, trial: str, verdict: Verdict) -> None:
        """Count one trial."""
        self.outcomes["failure" if verdict.failed else verdict.outcome] += 1
        if verdict.failed:
            self.failures.append(f"{trial}: {verdict.outcome}")
        self.slowest = max(self.slowest, (verdict.cpu_seconds, trial))
        self.largest = max(self.largest, (verdict.grown_bytes, trial))
        self.cpu_seconds += verdict.cpu_seconds

    def join(self, other: "Tally") -> None:
        """Count what another counted."""
        self.outcomes += other.outcomes
        self.failures += other.failures
        self.slowest, self.largest = max(self.slowest, other.slowest), max(self.largest, other.largest)
        self.cpu_seconds += other.cpu_seconds


def main(arguments: list[str]) -> int:
    """Run the campaign; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.campaign", description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="SPECIMEN:NUMBER", help="do one mutant again, and let its exception fly")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        paths = _made(Path(folder))
        if options.only:
            name, number = options.only.split(":")
            original = specimen(name, paths[name].read_bytes())
            rope, whole = _drawn(original, options.seed, int(number))
            print(outcome(rope, Binaries(), whole))
            return 0
        return _campaign(paths, options.mutations, options.seed)


def _made(folder: Path) -> dict[str, Path]:
    made = [synthetic(), synthetic_aarch64()]
    for make in (cplusplus, python):
        try:
            made.append(make(folder))
        except CannotDump as reason:
            print(f"left out, {make.__name__}: {reason}")
    paths = {}
    for one in made:
        paths[one.name] = folder / f"{one.name}.specimen"
        paths[one.name].write_bytes(one.data)
        print(f"{one.name}: {len(one.data):,} bytes, {one.head_bytes:,} of headers and notes")
    return paths


def _campaign(paths: dict[str, Path], mutations: int, seed: int) -> int:
    tallies = {"cut": Tally(), "mutant": Tally()}
    started = time.monotonic()
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), initializer=_start, initargs=(paths,)) as pool:
        pending = [pool.submit(_tallied, batch) for batch in _batches(paths, mutations, seed)]
        for done, future in enumerate(as_completed(pending), 1):
            kind, tally = future.result()
            tallies[kind].join(tally)
            if done % 40 == 0:
                print(f"{done} of {len(pending)} batches, {time.monotonic() - started:.0f} s", file=sys.stderr)
    for kind, tally in tallies.items():
        _print(kind, tally)
    print(f"seed {seed}, {time.monotonic() - started:.0f} s on {WORKERS} processes")
    return 1 if any(tally.failures for tally in tallies.values()) else 0


def _batches(paths: dict[str, Path], mutations: int, seed: int) -> Iterator[Batch]:
    for name, path in paths.items():
        pages = -(-path.stat().st_size // PAGE)
        yield from (Batch("cut", name, seed, at, min(at + BATCH, pages)) for at in range(0, pages, BATCH))
    share = -(-mutations // len(paths))
    for name in paths:
        yield from (Batch("mutant", name, seed, at, min(at + BATCH, share)) for at in range(0, share, BATCH))


_specimens: dict[str, Specimen] = {}
_binaries = Binaries()


def _start(paths: dict[str, Path]) -> None:
    for name, path in paths.items():
        _specimens[name] = specimen(name, path.read_bytes())
        for whole in (False, True):
            outcome(Rope([memoryview(_specimens[name].data)]), _binaries, whole)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * PAGE + LARGEST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _tallied(batch: Batch) -> tuple[str, Tally]:
    tally = Tally()
    original = _specimens[batch.name]
    for number in range(batch.first, batch.end):
        if batch.kind == "cut":
            rope, whole = Rope([memoryview(original.data)[: number * PAGE]]), bool(number % 4 == 0)
        else:
            rope, whole = _drawn(original, batch.seed, number)
        tally.add(f"{batch.kind} {batch.name}:{number}", measured(rope, _binaries, whole))
    return batch.kind, tally


def _drawn(original: Specimen, seed: int, number: int) -> tuple[Rope, bool]:
    whole = Random(f"whole {seed} {number}").random() < WHOLE_SHARE
    return mutant(original, seed, number), whole


def _print(kind: str, tally: Tally) -> None:
    total = tally.outcomes.total()
    refused = sum(count for name, count in tally.outcomes.items() if name.startswith("unreadable"))
    print(f"{kind}: {total:,} trials, {refused:,} unreadable, {len(tally.failures):,} failures")
    print(f"  {1000 * tally.cpu_seconds / max(1, total):.2f} ms of CPU each", end="")
    print(f", slowest {tally.slowest[0]:.2f} s ({tally.slowest[1]})", end="")
    print(f", largest {tally.largest[0] / (1 << 20):.1f} MB ({tally.largest[1]})")
    print("  " + ", ".join(f"{name} {count:,}" for name, count in tally.outcomes.most_common(12)))
    for failure in tally.failures[:MOST_SHOWN]:
        print(f"  FAILED {failure}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
