"""The same distinct specimens read by one process, by two, and by a Dask cluster of two on this machine.

Each engine runs in turn, several times over, and its best run counts: other work on the machine only ever slows it.
Evidence is made, as a scan into a casebook does.
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.part import Asked, Part, Table
from bench.specimens import make
from broadstreet.pipeline.engines import Dask, Engine, Local, examined
from broadstreet.pipeline.examination import Examination
from broadstreet.pipeline.reading import BinarySources
from broadstreet.records.case import Case
from broadstreet.sources.specimens import specimens

COUNT, SEED, ROUNDS = 4_000, 1, 3
ENGINES: tuple[tuple[str, Engine], ...] = (
    ("local, 1 worker", Local(1)),
    ("local, 2 workers", Local(2)),
    ("dask, 2 workers", Dask(None, 2)),
)
BINARIES = Path(__file__).parent.parent / "sample" / "binaries"
ASKED_GAIN, ASKED_SHARE = 1.7, 0.75


class Run(NamedTuple):
    """One pass: specimens per second after the first answer, the seconds until it, and all of them."""

    rate: float
    first_seconds: float
    seconds: float


def measure() -> Part:
    """Measure each engine."""
    folder = Path(tempfile.mkdtemp(prefix="broadstreet-bench-"))
    try:
        make(folder, COUNT, SEED)
        runs: dict[str, list[Run]] = {name: [] for name, _ in ENGINES}
        for _ in range(ROUNDS):
            for name, engine in ENGINES:
                runs[name].append(_run(folder, engine))
    finally:
        shutil.rmtree(folder)
    best = {name: max(found) for name, found in runs.items()}
    one, two, dask = (best[name].rate for name, _ in ENGINES)
    rows = [
        (name, f"{run.rate:,.0f}", f"{run.first_seconds:.2f}", f"{run.seconds:.1f}", f"{min(runs[name]).rate:,.0f}")
        for name, run in best.items()
    ]
    table = Table(
        f"Engines: {COUNT:,} distinct specimens, read with their evidence",
        ("engine", "specimens/s", "s to the first answer", "s in all", "specimens/s, worst run"),
        rows,
        (f"Best of {ROUNDS} runs in turn, wall time. Specimens per second count from the first answer on.",),
    )
    asked = (
        Asked("two workers by one", f">= {ASKED_GAIN}", f"{two / one:.2f}", two / one >= ASKED_GAIN),
        Asked("Dask by two workers", f">= {ASKED_SHARE}", f"{dask / two:.2f}", dask / two >= ASKED_SHARE),
    )
    return Part("engines", (table,), asked)


def _run(folder: Path, engine: Engine) -> Run:
    examination = Examination(BinarySources((str(BINARIES),)), "pointers")
    started = time.monotonic()
    first, count = 0.0, 0
    for one in examined(specimens(str(folder)), examination, engine):
        if not count:
            first = time.monotonic()
        count += isinstance(one.outcome, Case) and one.evidence is not None
    ended = time.monotonic()
    if count != COUNT:
        raise RuntimeError(f"{count:,} of {COUNT:,} specimens gave a case with evidence")
    return Run(count / (ended - first), first - started, ended - started)
