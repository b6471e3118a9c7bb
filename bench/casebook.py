"""`broadstreet scan --casebook` over a hundred thousand distinct slim core dumps: rate, memory, what the store costs.

The command is run as a user runs it, with evidence kept. A tenth of the specimens is scanned first, for memory: what is
flat does not grow tenfold. Then all are scanned again, when nothing is new.
"""

import os
import time
from pathlib import Path

from bench.crashes import Workshop
from bench.part import Asked, Part, Table
from bench.scan import FLAT, Scanned, scanned
from bench.specimens import make
from broadstreet.store.coverage import contents
from broadstreet.store.questions import Questions

COUNT, FEW, SEED = 100_000, 10_000, 1
BINARIES = Path(__file__).parents[1] / "sample" / "binaries"
ASKED_RATE, ASKED_BYTES, ASKED_WITH_EVIDENCE = 600, 500, 4000


def measure(workshop: Workshop) -> Part:
    """Make the specimens, scan a tenth and all of them, each into a casebook of its own, and then all again."""
    folder, url = workshop.folder / "distinct", workshop.folder / "casebook of 100,000"
    few, few_url = workshop.folder / "few", workshop.folder / "casebook of 10,000"
    began = time.monotonic()
    make(few, FEW, SEED + 1)
    make(folder, COUNT, SEED)
    made = time.monotonic() - began
    small = _scan(few, few_url, True)
    plain = _scan(folder, None, False)
    whole = _scan(folder, url, True)
    again = _scan(folder, url, True)
    runs = (
        (f"{FEW:,}, into a casebook", FEW, small),
        (f"{COUNT:,}, without a casebook", COUNT, plain),
        (f"{COUNT:,}, into a casebook", COUNT, whole),
        (f"{COUNT:,}, all known", COUNT, again),
    )
    table = Table(
        f"`scan --casebook`, {len(os.sched_getaffinity(0))} CPUs",
        ("specimens", "a second", "wall s", "CPU s", "of it the parent", "parent, MB", "largest worker, MB"),
        [_row(name, count, run) for name, count, run in runs],
        (
            f"Specimens made in {made:.0f} s. The parent lists, unpacks what workers send, makes rows of it, writes the"
            " tables and prints ndjson, to nowhere.",
        ),
    )
    with Questions(str(url)) as questions:
        held = contents(questions)
    sizes = Table(
        "What a case costs on disk, before tidying",
        ("table", "rows", "files", "bytes a case"),
        [(one.name, f"{one.rows:,}", f"{one.files:,}", f"{one.size / held.cases:,.1f}") for one in held.tables],
    )
    without, everything = held.bytes_per_case(False) or 0.0, held.bytes_per_case(True) or 0.0
    rate = COUNT / whole.wall_seconds
    share = (whole.parent_cpu_seconds - plain.parent_cpu_seconds) / whole.cpu_seconds
    growth = whole.parent_bytes / small.parent_bytes
    asked = (
        Asked("specimens a second, end to end", f">= {ASKED_RATE}", f"{rate:,.0f}", rate >= ASKED_RATE),
        Asked("memory of the parent, 100,000 by 10,000", f"<= {FLAT}", f"{growth:.2f}", growth <= FLAT),
        Asked("the store's share of CPU", "printed", f"{100 * share:.0f} %", True),
        Asked("cases of specimens", "all", f"{held.cases:,} of {COUNT:,}", held.cases == COUNT),
        Asked("bytes a case without evidence", f"<= {ASKED_BYTES}", f"{without:,.0f}", without <= ASKED_BYTES),
        Asked(
            "bytes a case with evidence",
            f"<= {ASKED_WITH_EVIDENCE:,}",
            f"{everything:,.0f}",
            everything <= ASKED_WITH_EVIDENCE,
        ),
    )
    return Part("casebook", (table, sizes), asked)


def _scan(folder: Path, url: Path | None, evidence: bool) -> Scanned:
    into = [] if url is None else ["--casebook", str(url), "--keep", "pointers" if evidence else "none"]
    return scanned([folder], "ndjson", None, ["--binaries", str(BINARIES), *into])


def _row(name: str, count: int, run: Scanned) -> tuple[str, ...]:
    return (
        name,
        f"{count / run.wall_seconds:,.0f}",
        f"{run.wall_seconds:.0f}",
        f"{run.cpu_seconds:.0f}",
        f"{run.parent_cpu_seconds:.0f}",
        f"{run.parent_bytes / 1e6:.0f}",
        f"{max(run.workers.values(), default=0) / 1e6:.0f}",
    )
