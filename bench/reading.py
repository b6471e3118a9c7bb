"""The crashing thread in one process: CPU per core dump with frames, names, all features and labels.

Warm means that the binaries were parsed and their unwind rows were found before, by earlier crashes of the same
program. Two figures: core dumps read again, which flatters whatever is kept by address, and core dumps at first sight,
each with its own addresses, which is what a scan sees. A debugger starts anew for each core dump, which is
how a script would call it; drgn, a library, is measured in one process too, where it must load its debug information
for each program anew.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from bench.cost import Spread, cpu_here, ended, spread
from bench.crashes import Crashes, Workshop
from bench.part import Asked, Part, Table
from bench.peers import DRGN, EU_STACK, GDB, available, command, drgn_frames
from broadstreet.pipeline.reading import BinarySources, case_at
from broadstreet.sources.binaries import Binaries

WARM_CALLS = 300
PEER_RUNS = 7
PROCESS_RUNS = 5
ASKED_MILLISECONDS = 1.0
ASKED_RATIOS = {GDB: 150.0, f"{DRGN}, in process": 80.0}
COMMANDS = (GDB, EU_STACK, DRGN)
Read = Callable[[str, Binaries], object]


def measure(workshop: Workshop) -> Part:
    """Measure the three programs that the issue names."""
    costs = Table(
        "CPU ms per core dump, the crashing thread",
        ("program", "frames", "warm, read again", "warm, first sight", "first of all", "a process each"),
        notes=(
            f"Read again: median (least-greatest) of {WARM_CALLS} readings of the same core dumps in turn. First sight:"
            " of the second half of the core dumps of a program, each read once. First of all: nothing parsed yet. A"
            " process each: `broadstreet read CORE`, median.",
        ),
    )
    peers = Table(
        "The same core dumps in other tools",
        ("program", "tool", "CPU ms", "times ours, read again", "first sight"),
        notes=(
            f"Median (least-greatest) of {PEER_RUNS}. gdb and drgn give file, line and inlined frames where debug"
            " information is installed; eu-stack has no mode for the crashing thread alone and walks all of them.",
        ),
    )
    asked = []
    for crashes in workshop.ordinary():
        warm, sight, row = _ours(crashes)
        costs.rows.append(row)
        for which, ours in (("read again", warm), ("first sight", sight)):
            what = f"ms of CPU, {which}, {crashes.title}"
            asked.append(Asked(what, "<= 1", f"{ours.median:.2f}", ours.median <= ASKED_MILLISECONDS))
        for name, theirs in _theirs(crashes):
            ratio, strict = theirs.median / warm.median, theirs.median / sight.median
            peers.rows.append((crashes.title, name, str(theirs), f"{ratio:,.0f}", f"{strict:,.0f}"))
            if name in ASKED_RATIOS:
                least = ASKED_RATIOS[name]
                what = f"times {name}, {crashes.title}"
                asked.append(Asked(what, f">= {least:.0f}", f"{ratio:,.0f}", ratio >= least))
    absent = [name for name in COMMANDS if not available(name)]
    if absent:
        peers.rows.append(("all", ", ".join(absent), "not installed", "", ""))
    return Part("reading", (costs, peers), tuple(asked))


def warm_costs(cores: Iterable[Path], calls: int, read: Read) -> tuple[list[float], Spread]:
    """CPU of the first sight of each core dump, in order, and then of many calls over all of them in turn."""
    binaries = BinarySources().open()
    paths = [str(core) for core in cores]

    def cost(path: str) -> float:
        return cpu_here(lambda: read(path, binaries))

    first = [cost(path) for path in paths]
    return first, spread([cost(path) for path in islice(cycle(paths), calls)])


def _ours(crashes: Crashes) -> tuple[Spread, Spread, tuple[str, ...]]:
    first, warm = warm_costs(crashes.cores, WARM_CALLS, case_at)
    frames = len(case_at(str(crashes.cores[0]), BinarySources().open()).frames)
    process = _processes([sys.executable, "-m", "broadstreet", "read", str(crashes.cores[0])], PROCESS_RUNS)
    sight = spread(first[len(first) // 2 :])
    return (
        warm,
        sight,
        (crashes.title, str(frames), str(warm), str(sight), f"{first[0]:.1f}", f"{process.median:.0f}"),
    )


def _theirs(crashes: Crashes) -> Iterable[tuple[str, Spread]]:
    for name in COMMANDS:
        if available(name):
            yield name, _processes(command(name, crashes.executable, crashes.cores[0]), PEER_RUNS)
    if available(DRGN):
        paths = [str(core) for core in islice(cycle(crashes.cores), PEER_RUNS + 1)]
        costs = [cpu_here(partial(drgn_frames, path)) for path in paths]
        yield f"{DRGN}, in process", spread(costs[1:])


def _processes(arguments: list[str], runs: int) -> Spread:
    ended(arguments)  # fills the page cache
    return spread([ended(arguments).cpu for _ in range(runs)])
