"""`broadstreet scan` over ten thousand core dumps, each of a real crash of its own.

One small C program in twelve builds (position-independent or not, with and without frame pointers, optimised or not,
stripped) crashes in twelve ways, up to forty calls deep. So the cores are distinct and the programs are few, which is
what a fleet shows: binaries are parsed once per worker, core dumps are read once.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from random import Random

from bench.cost import environment
from bench.crashes import PROGRAMS, CannotMake, Workshop, compile_program, core_in
from bench.part import Asked, Part, Table

CORES, FEW = 10_000, 2_000
KINDS, DEEPEST = 12, 40
SEED = 1854
AT_ONCE = 2
SAMPLE_SECONDS = 0.05
BUILDS = tuple(product(("-O0", "-O2"), ("-pie", "-no-pie"), ("-fno-omit-frame-pointer", "-fomit-frame-pointer", "-s")))
ASKED_RATE, ASKED_BYTES, FLAT, BUSY = 300.0, 300e6, 1.1, 0.9  # FLAT, BUSY: what counts as flat, and as all


@dataclass
class Scanned:
    """What one scan used. Waited is the time in which a worker was ready to run and other work held the CPU."""

    status: int
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    parent_cpu_seconds: float = 0.0
    parent_bytes: int = 0
    workers: dict[int, int] = field(default_factory=dict)
    anonymous: dict[int, int] = field(default_factory=dict)
    waited: dict[int, float] = field(default_factory=dict)

    @property
    def worker_bytes(self) -> int:
        """The peak of the largest worker, with the files that it maps."""
        return max(self.workers.values(), default=self.parent_bytes)

    @property
    def worker_anonymous_bytes(self) -> int:
        """The same without mapped files, which all workers share."""
        return max(self.anonymous.values(), default=0)

    @property
    def cpus_wanted(self) -> float:
        """How many CPUs it used or was ready to use, on average: at least all means that none idled for its sake."""
        return (self.cpu_seconds + sum(self.waited.values())) / self.wall_seconds


def measure(workshop: Workshop) -> Part:
    """Make the cores, then scan a fifth of them and all of them."""
    folder = workshop.folder / "scanned"
    began = time.monotonic()
    few, rest = _make(workshop.folder, folder)
    made = time.monotonic() - began
    parquet = workshop.folder / "cases.parquet"
    runs = [
        ("ndjson", FEW, scanned([few], "ndjson", None)),
        ("ndjson", CORES, scanned([few, rest], "ndjson", None)),
        ("parquet", CORES, scanned([few, rest], "parquet", parquet)),
    ]
    distinct, judged, read = _written(parquet)
    cpus = len(os.sched_getaffinity(0))
    table = Table(
        f"`broadstreet scan`, {cpus} CPUs, {cpus} workers",
        (
            "output",
            "cores",
            "cores/s per CPU used",
            "CPU s",
            "of it the parent",
            "wall s",
            "CPUs wanted",
            "largest worker",
            "of it its own",
            "parent",
        ),
        [_row(form, count, run) for form, count, run in runs],
        (
            f"{CORES:,} crashes made in {made:.0f} s; {distinct:,} distinct case ids,"
            f" {100 * judged / max(1, distinct):.1f} % with a mechanism, {read / max(1, distinct):,.0f} bytes read"
            f" of each. {len(BUILDS)} builds of one program, {KINDS} ways to crash, seed {SEED}.",
            "CPU seconds are those of the command and all of its workers, from start to end. CPUs wanted:"
            " that time, and the time in which a process was ready and the CPU was held by another, by wall time. Its"
            " own: anonymous memory, without mapped binaries, which workers share.",
        ),
    )
    return Part("scan", (table,), _asked(runs, distinct, cpus))


def scanned(places: list[Path], form: str, output: Path | None, options: Sequence[str] = ()) -> Scanned:
    """Run one scan and watch it and its workers."""
    command = [sys.executable, "-m", "broadstreet", "scan", "-o", form, *map(str, places), *options]
    if output is not None:
        command += ["--output", str(output)]
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment())
    seen = Scanned(-1)
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        _sample(process.pid, seen)
        time.sleep(SAMPLE_SECONDS)
    process.returncode = seen.status = os.waitstatus_to_exitcode(status)
    seen.wall_seconds = time.monotonic() - began
    seen.cpu_seconds = used.ru_utime + used.ru_stime
    if seen.status != 0:
        raise CannotMake(f"{' '.join(command[:6])} ended with status {seen.status}")
    return seen


def _sample(pid: int, seen: Scanned) -> None:
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split()):
                peak, anonymous = _memory(child)
                seen.workers[child] = max(peak, seen.workers.get(child, 0))
                seen.anonymous[child] = max(anonymous, seen.anonymous.get(child, 0))
                seen.waited[child] = _waited(child)
        seen.waited[pid] = _waited(pid)
        seen.parent_bytes = max(_memory(pid)[0], seen.parent_bytes)
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        seen.parent_cpu_seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return  # it ended between two looks


def _memory(pid: int) -> tuple[int, int]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {name: value for name, _, value in (line.partition(":") for line in lines)}
    peak, anonymous = (int(values.get(name, "0 kB").split()[0]) * 1024 for name in ("VmHWM", "RssAnon"))
    return peak, anonymous


def _waited(pid: int) -> float:
    # Documentation/scheduler/sched-stats.rst: time running, time waiting on a run queue, in ns
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def _row(form: str, count: int, run: Scanned) -> tuple[str, ...]:
    megabytes = [f"{n / 1e6:.0f} MB" for n in (run.worker_bytes, run.worker_anonymous_bytes, run.parent_bytes)]
    seconds = [f"{s:.1f}" for s in (run.cpu_seconds, run.parent_cpu_seconds, run.wall_seconds)]
    rate = f"{count / run.cpu_seconds:,.0f}"
    return (form, f"{count:,}", rate, *seconds, f"{run.cpus_wanted:.2f}", *megabytes)


def _asked(runs: list[tuple[str, int, Scanned]], distinct: int, cpus: int) -> tuple[Asked, ...]:
    (_, _, few), (_, _, many), (_, _, parquet) = runs
    asked = [Asked("distinct cases", f"{CORES:,}", f"{distinct:,}", distinct == CORES)]
    for form, run in (("ndjson", many), ("parquet", parquet)):
        rate = CORES / run.cpu_seconds
        asked.append(Asked(f"cores per second per CPU, {form}", ">= 300", f"{rate:,.0f}", rate >= ASKED_RATE))
    most = max(run.worker_bytes for _, _, run in runs)
    asked.append(Asked("largest worker", "< 300 MB", f"{most / 1e6:.0f} MB", most < ASKED_BYTES))
    growth = many.worker_anonymous_bytes / max(1, few.worker_anonymous_bytes)
    asked.append(Asked(f"a worker's own memory, {CORES:,} by {FEW:,}", "flat", f"{growth:.2f}", growth <= FLAT))
    asked.append(Asked("CPUs wanted", f"all {cpus}", f"{many.cpus_wanted:.2f}", many.cpus_wanted >= BUSY * cpus))
    return tuple(asked)


def _written(parquet: Path) -> tuple[int, int, int]:
    from pyarrow import parquet as format_parquet

    table = format_parquet.read_table(parquet, columns=["case_id", "mechanism", "bytes_read"]).to_pydict()
    judged = sum(mechanism not in ("not_judged", "unclassified") for mechanism in table["mechanism"])
    return len(set(table["case_id"])), judged, sum(table["bytes_read"])


def _make(workplace: Path, folder: Path) -> tuple[Path, Path]:
    few, rest = folder / "few", folder / "rest"
    few.mkdir(parents=True)
    rest.mkdir()
    programs = _programs(workplace)
    random = Random(SEED)
    waiting: list[tuple[int, Path, Path]] = []
    for index in range(CORES):
        place = folder / f"run-{index}"
        program, kind, depth = random.choice(programs), random.randrange(KINDS), random.randrange(DEEPEST)
        pid = _spawned([str(program), str(place), str(kind), str(depth), str(index + 1)])
        waiting.append((pid, place, (few if index < FEW else rest) / f"core-{index:05}"))
        if len(waiting) == AT_ONCE or index == CORES - 1:
            for one in waiting:
                _collect(*one)
            waiting.clear()
    return few, rest


def _programs(workplace: Path) -> list[Path]:
    programs = []
    for index, (optimise, pie, extra) in enumerate(BUILDS):
        flags = [str(PROGRAMS / "small.c"), pie, "-fPIE" if pie == "-pie" else "-fno-pie", extra]
        programs.append(compile_program(flags, workplace / f"small-{index}", optimise))
    return programs


def _spawned(command: list[str]) -> int:
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, "/dev/null", os.O_RDWR, 0) for descriptor in range(3)]
    return os.posix_spawn(command[0], command, dict(environment()), file_actions=quiet)


def _collect(pid: int, place: Path, core: Path) -> None:
    os.waitpid(pid, 0)
    core_in(place, "small").rename(core)
    place.rmdir()
