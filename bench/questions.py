"""A casebook of a million cases, and what its questions cost.

The cases are those of the sample, each many times with an identity, a time, a host, a process and words of its own, and
they are written as a scan writes them: batch by batch, by the same code. They are then tidied, as an operator would.
"""

import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.cost import environment
from bench.crashes import Workshop
from bench.part import Asked, Part, Table
from broadstreet.pipeline.outcome import examine
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.scanning import stored_cases
from broadstreet.records.case import Case, ThreadFact
from broadstreet.records.frame import Frame
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.specimens import specimens
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.coverage import contents
from broadstreet.store.pages import Wanted, page_of
from broadstreet.store.questions import Questions
from broadstreet.store.tidying import tidy

SAMPLE = Path(__file__).parents[1] / "sample"
CASES, BATCH = 1_000_000, 4000
HOSTS, DAYS = 10_000, 365
WARM = 9
ASKED_MS = 100.0
SEED = 1854
QUESTIONS = {
    "top hosts": "SELECT host, count(*) AS n FROM cases GROUP BY host ORDER BY n DESC, host LIMIT 20",
    "counts by day × mechanism": "SELECT time::DATE AS day, mechanism, count(*) AS n FROM cases GROUP BY ALL",
}


def measure(workshop: Workshop) -> Part:
    """Make the casebook, ask it cold and warm."""
    url = str(workshop.folder / "casebook")
    began = time.monotonic()
    made = _make(url)
    written = time.monotonic() - began
    began = time.monotonic()
    book = open_for_writing(url, alone=True)
    tidy(book, url, None, None, now=True)
    book.close()
    tidied = time.monotonic() - began
    cold = {name: _cold(url, select) for name, select in QUESTIONS.items()}
    rows, asked = [], []
    began = time.monotonic()
    with Questions(url) as questions:
        opened = 1000 * (time.monotonic() - began)
        held = contents(questions)
        for name, ask in _asks(questions).items():
            first, warm = _timed(ask)
            of_all = f"{cold[name]:,.0f}" if name in cold else ""
            rows.append((name, f"{warm:.1f}", f"{first:.1f}", of_all))
            asked.append(
                Asked(f"{name}, {made:,} cases, warm", f"under {ASKED_MS:.0f} ms", f"{warm:.0f} ms", warm < ASKED_MS)
            )
    table = Table(
        f"{made:,} cases, {HOSTS:,} hosts, {DAYS} days",
        ("question", "warm ms", "first ms", "cold, a command of its own, ms"),
        rows,
        (
            f"Opening took {opened:,.0f} ms: the logs, and which readings count. Written in {written:,.0f} s in batches"
            f" of {BATCH:,} ({made / written:,.0f} cases a second by one process, without reading any), tidied in"
            f" {tidied:,.0f} s.",
            "Warm: the median of nine, in one open casebook. Cold: `broadstreet sql` from its start to its end; the"
            " files are in the page cache.",
        ),
    )
    costs = Table(
        "The same casebook on disk, without evidence",
        ("table", "rows", "files", "bytes a case"),
        [(one.name, f"{one.rows:,}", f"{one.files:,}", f"{one.size / made:,.1f}") for one in held.tables],
    )
    each = held.bytes_per_case(with_evidence=False) or 0.0
    asked.append(Asked("bytes a case without evidence", "at most 500", f"{each:,.0f}", each <= 500))
    return Part("questions", (table, costs), tuple(asked))


def _asks(questions: Questions) -> dict[str, Callable[[], object]]:
    middle = page_of(questions, Wanted(until=datetime(2026, 1, 1, tzinfo=UTC)), None, 1).rows[0]["case_id"]

    reading = page_of(questions, Wanted(), middle, 1).readings

    asks: dict[str, Callable[[], object]] = {
        name: lambda select=select: questions.answer(select)
        for name, select in QUESTIONS.items()  # type: ignore[misc]
    }
    return asks | {
        "a keyset page of 100 cases, from the middle": lambda: page_of(questions, Wanted(), middle, 100),
        "one case, whole": lambda: list(stored_cases(questions, reading)),
    }


def _timed(ask: Callable[[], object]) -> tuple[float, float]:
    taken = []
    for _ in range(WARM + 1):
        began = time.perf_counter()
        ask()
        taken.append(1000 * (time.perf_counter() - began))
    return taken[0], statistics.median(taken[1:])


def _cold(url: str, select: str) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "broadstreet", "sql", select, "--casebook", url, "-o", "csv"]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    return 1000 * (time.perf_counter() - began)


def _make(url: str) -> int:
    binaries = BinarySources((str(SAMPLE / "binaries"),)).open()
    originals = [examine(one, binaries).outcome for one in specimens(str(SAMPLE / "cores"))]
    cases = [one for one in originals if isinstance(one, Case)]
    book = open_for_writing(url)
    scan = book.begin(["made"], "bench")
    rng = Random(SEED)
    made = 0
    while made < CASES:
        made += book.add(list(_varied(cases, rng, BATCH)), scan, "none", cases[0].reader_version)
    book.close()
    return made


def _varied(cases: list[Case], rng: Random, count: int) -> Iterator[Examined]:
    """Cases with addresses as randomisation would lay them, and registers of their own."""
    start = datetime(2025, 6, 30, tzinfo=UTC)
    for _ in range(count):
        case = rng.choice(cases)
        stack, code = rng.randrange(1 << 28) << 12, rng.randrange(1 << 28) << 12
        pid = rng.randrange(1 << 22)
        when = start + timedelta(seconds=rng.randrange(DAYS * 86400), microseconds=rng.randrange(1_000_000))
        host = f"host-{int(HOSTS * rng.random() ** 2):05}"  # some crash more
        name = f"/var/lib/cores/{host}/core.{pid}.{secrets.token_hex(4)}"
        place = replace(
            case.circumstances, path=name, host=host, pid=pid, tid=pid, time=when.isoformat(timespec="microseconds")
        )
        sp = (case.sp or 0) + stack
        varied = replace(
            case,
            case_id=f"{rng.getrandbits(128):032x}",
            circumstances=place,
            sp=sp,
            features={**case.features, "sp": sp, "word_at_sp": rng.getrandbits(47)},
            frames=_moved(case.frames, stack, code),
            below_sp=_moved(case.below_sp, stack, code),
            modules=tuple(replace(m, start=m.start + code, end=m.end + code) for m in case.modules),
            registers={
                register: rng.getrandbits(47) if value > 1 << 32 else value
                for register, value in case.registers.items()
            },
            threads=(ThreadFact(pid, case.pc or 0, sp),),
        )
        yield Examined(Specimen(name, case.bytes_present, str(rng.getrandbits(60))), varied)


def _moved(frames: tuple[Frame, ...], stack: int, code: int) -> tuple[Frame, ...]:
    return tuple(
        f._replace(pc=f.pc + (code if f.module else 0), sp=None if f.sp is None else f.sp + stack) for f in frames
    )
