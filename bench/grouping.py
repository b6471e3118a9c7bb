"""A million cases in 290,000 distinct traces, put into syndromes from nothing, and again when all is known.

The traces are those of the sample, as if of many programs, each with its own function names; each crash takes one of
the program's traces or a mutation of it: a frame more, a frame less, another frame. Bugs are as frequent as Zipf has
it. They are written into the tables of a casebook directly: what is measured is what `grouped` costs, not scanning.
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from bench.cost import environment
from bench.crashes import Workshop
from bench.part import Asked, Part, Table
from broadstreet.pipeline.outcome import examine
from broadstreet.pipeline.reading import BinarySources
from broadstreet.records.case import Case
from broadstreet.records.columns import SPECIMENS, STORED_CASES, TRACES
from broadstreet.sources.specimens import specimens
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.rows import Rows, add_case
from broadstreet.store.schema import schema
from broadstreet.store.table import append

SAMPLE = Path(__file__).parents[1] / "sample"
CASES, PROGRAMS, SEED = 1_000_000, 400, 1854
ZIPF = 1.1
MUTATED = 0.36  # of the crashes
ASKED_SECONDS, ASKED_BYTES = 90, 2_000_000_000
PARALLEL = ("parts", "modules", "module_paths", "build_ids", "offsets", "pcs", "sp_offsets", "functions")
LISTS = (*PARALLEL, "function_offsets", "trusts", "kinds")
RUN = """
import resource, sys, time
from broadstreet.pipeline.grouping import grouped
from broadstreet.store import syndromes
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
began = time.monotonic()
with Questions(sys.argv[1]) as questions:
    grouping, seen = grouped(questions), syndromes.version_of_assignments(questions)
took = time.monotonic() - began
book = open_for_writing(sys.argv[1])
if grouping.new.num_rows:
    syndromes.keep_upon(book, seen, grouping.new, grouping.merged, "traces")
book.close()
kept = time.monotonic() - began - took
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(took, kept, most, len(grouping.case_ids), len(grouping.traces), len(grouping.syndromes), grouping.new.num_rows)
"""


def measure(workshop: Workshop) -> Part:
    """Make the casebook, group it, and group it again."""
    url = str(workshop.folder / "casebook of traces")
    make(url, CASES, PROGRAMS, SEED)
    first, again = _run(url), _run(url)
    rows = [
        (
            name,
            f"{run[3]:,.0f}",
            f"{run[4]:,.0f}",
            f"{run[5]:,.0f}",
            f"{run[0]:.0f}",
            f"{run[1]:.0f}",
            f"{run[2] / 1e6:,.0f}",
        )
        for name, run in (("nothing known", first), ("all known", again))
    ]
    table = Table(
        "`grouped`, one process",
        ("casebook", "cases", "distinct traces", "syndromes", "s", "to keep, s", "memory, MB"),
        rows,
        ("Memory is the most that the process had resident, keeping included.",),
    )
    return Part(
        "grouping",
        (table,),
        (
            Asked(f"{CASES:,} cases grouped", f"< {ASKED_SECONDS} s", f"{first[0]:.0f} s", first[0] < ASKED_SECONDS),
            Asked("memory", "< 2 GB", f"{first[2] / 1e9:.2f} GB", first[2] < ASKED_BYTES),
        ),
    )


def make(url: str, cases: int, programs: int, seed: int) -> int:
    """A casebook of crashes with nothing but a time, a host and a trace; how many distinct traces it has."""
    chance = Random(seed)
    bugs = _bugs(programs)
    chance.shuffle(bugs)
    weights = 1.0 / np.arange(1, len(bugs) + 1) ** ZIPF
    chosen = np.random.default_rng(seed).choice(len(bugs), cases, p=weights / weights.sum())
    numbers: dict[tuple[tuple[Any, ...], ...], int] = {}
    trace = [numbers.setdefault(_variant(bugs[bug], chance), len(numbers)) for bug in chosen.tolist()]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    book = open_for_writing(url)
    append(book.table(TRACES), TRACES, _trace_rows(list(numbers)))
    step = timedelta(days=365) / cases
    readings = pa.array(range(cases), pa.int64())
    told = {
        "reading": readings,
        "case_id": pa.array([f"{chance.getrandbits(128):032x}" for _ in range(cases)]),
        "time": pa.array([start + at * step for at in range(cases)], pa.timestamp("us", "UTC")),
        "trace_id": pa.array([f"{number:032x}" for number in trace]),
        "host": pa.array([f"host-{int(10_000 * chance.random() ** 2):05}" for _ in range(cases)]),
        "mechanism": pa.array(["unmapped_access"] * cases),
        "labels": pa.array([[]] * cases, pa.map_(pa.string(), pa.string())),
    }
    append(book.table(STORED_CASES), STORED_CASES, _whole(told, STORED_CASES, cases))
    seen = {"reading": readings, "specimen_id": told["case_id"], "generation": pa.array([0] * cases, pa.int64())}
    append(book.table(SPECIMENS), SPECIMENS, _whole(seen, SPECIMENS, cases))
    book.commit("scan", "made")
    book.close()
    return len(numbers)


def _bugs(programs: int) -> list[tuple[tuple[Any, ...], ...]]:
    """The sample's traces as frames, each a tuple of what the table has of it, in every program."""
    binaries = BinarySources((str(SAMPLE / "binaries"),)).open()
    rows = Rows()
    for reading, one in enumerate(specimens(str(SAMPLE / "cores"))):
        case = examine(one, binaries).outcome
        if isinstance(case, Case):
            add_case(rows, case, reading, None)
    told = rows.tables[TRACES.name]
    traces = [tuple(zip(*(told[name][at] for name in LISTS), strict=True)) for at in range(len(told["trace_id"]))]
    return [tuple(_own(frame, program) for frame in trace) for trace in traces for program in range(programs)]


def _own(frame: tuple[Any, ...], program: int) -> tuple[Any, ...]:
    at = LISTS.index("functions")
    path = frame[LISTS.index("module_paths")]
    if frame[at] is None or path is None or "/lib/" in path or frame[at] in ("main", "_start"):
        return frame
    return (*frame[:at], f"{frame[at]}_{program}", *frame[at + 1 :])


def _variant(bug: tuple[tuple[Any, ...], ...], chance: Random) -> tuple[tuple[Any, ...], ...]:
    if chance.random() > MUTATED or len(bug) < 3:
        return bug
    at = chance.randrange(1, len(bug))
    name = LISTS.index("functions")
    other = (*bug[at][:name], f"_ZL4help{chance.randrange(2000)}v", *bug[at][name + 1 :])
    kind = chance.randrange(3)
    if kind == 0:
        return (*bug[:at], other, *bug[at:])
    if kind == 1:
        return (*bug[:at], *bug[at + 1 :])
    return (*bug[:at], other, *bug[at + 1 :])


def _trace_rows(traces: Sequence[tuple[tuple[Any, ...], ...]]) -> pa.Table:
    columns = {name: [[frame[at] for frame in trace] for trace in traces] for at, name in enumerate(LISTS)}
    columns |= {"trace_id": [f"{number:032x}" for number in range(len(traces))], "frames": ["" for _ in traces]}
    return pa.table({one.name: pa.array(columns[one.name], one.type) for one in schema(TRACES)})


def _whole(told: dict[str, pa.Array], table: Any, rows: int) -> pa.Table:
    return pa.table({one.name: told.get(one.name, pa.nulls(rows, one.type)) for one in schema(table)})


def _run(url: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", RUN, url], check=True, capture_output=True, env=environment())
    return [float(figure) for figure in done.stdout.split()]
