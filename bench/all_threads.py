"""Every thread of a core dump, against eu-stack, which always walks every thread.

Two figures of ours: the whole case, which has features and labels of the crashing thread besides, and the frames with
their names alone, which is what eu-stack does.
"""

from bench.cost import ended, spread
from bench.crashes import CannotMake, Workshop
from bench.part import Asked, Part, Table
from bench.peers import EU_STACK, available, command
from bench.reading import warm_costs
from broadstreet.pipeline.reading import BinarySources, case_at, reading_of
from broadstreet.reading.unwinder import Process, walk
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.core_file import OpenCore

CALLS = 24
PEER_RUNS = 5
ASKED_RATIO = 10.0


def measure(workshop: Workshop) -> Part:
    """Measure the three programs with every thread's frames."""
    if not available(EU_STACK):
        raise CannotMake("eu-stack is not here. On Debian and Ubuntu: apt-get install elfutils")
    table = Table(
        "CPU ms per core dump, every thread",
        ("program", "threads", "frames", "case, warm", "frames alone, warm", "us/frame", "eu-stack", "times", "alone"),
        notes=(
            "Times: eu-stack by the whole case; alone: by the frames alone. Ours in one process, eu-stack a process"
            " each, which is the only way it has.",
        ),
    )
    asked = []
    for crashes in workshop.ordinary():
        _, whole = warm_costs(crashes.cores, CALLS, lambda path, binaries: case_at(path, binaries, whole=True))
        _, alone = warm_costs(crashes.cores, CALLS, frames_alone)
        frames = frames_alone(str(crashes.cores[0]), BinarySources().open())
        arguments = command(EU_STACK, crashes.executable, crashes.cores[0])
        theirs = spread([ended(arguments).cpu for _ in range(PEER_RUNS)])
        ratio = theirs.median / whole.median
        table.rows.append(
            (
                crashes.title,
                str(len(frames)),
                f"{sum(frames):,}",
                str(whole),
                str(alone),
                f"{1000 * alone.median / sum(frames):.1f}",
                str(theirs),
                f"{ratio:.1f}",
                f"{theirs.median / alone.median:.1f}",
            )
        )
        asked.append(Asked(f"times eu-stack, {crashes.title}", ">= 10", f"{ratio:.1f}", ratio >= ASKED_RATIO))
    return Part("all-threads", (table,), tuple(asked))


def frames_alone(path: str, binaries: Binaries) -> list[int]:
    """Walk and name every thread's frames, and do nothing else; how many each has."""
    with OpenCore(path) as source:
        reading = reading_of(source, binaries, every_thread=True)
    if reading.state is None:
        return []
    process = Process(reading.state.architecture, reading.space, reading.modules)
    return [len([process.frame(step) for step in walk(process, t.registers)[0]]) for t in reading.threads]
