"""Every thread of a core dump, against eu-stack, which always walks every thread."""

from bench.cost import ended, spread
from bench.crashes import CannotMake, Workshop
from bench.part import Asked, Part, Table
from bench.peers import EU_STACK, available, command
from bench.reading import warm_costs
from broadstreet.pipeline import BinarySources, case_at

CALLS = 24
PEER_RUNS = 5
ASKED_RATIO = 10.0


def measure(workshop: Workshop) -> Part:
    """Measure the three programs with every thread's frames."""
    if not available(EU_STACK):
        raise CannotMake("eu-stack is not here. On Debian and Ubuntu: apt-get install elfutils")
    table = Table(
        "CPU ms per core dump, every thread",
        ("program", "threads", "frames", "ours, warm", "us per frame", "eu-stack", "times ours", "eu-stack's memory"),
        notes=(
            "Ours in one process, and with features and labels of the crashing thread; eu-stack a process each,"
            " which is the only way it has.",
        ),
    )
    asked = []
    for crashes in workshop.ordinary():
        _, ours = warm_costs(crashes.cores, CALLS, lambda path, binaries: case_at(path, binaries, whole=True))
        case = case_at(str(crashes.cores[0]), BinarySources().open(), whole=True)
        frames = sum(len(thread.frames) for thread in case.threads)
        arguments = command(EU_STACK, crashes.executable, crashes.cores[0])
        runs = [ended(arguments) for _ in range(PEER_RUNS)]
        theirs = spread([run.cpu for run in runs])
        ratio = theirs.median / ours.median
        table.rows.append(
            (
                crashes.title,
                str(len(case.threads)),
                f"{frames:,}",
                str(ours),
                f"{1000 * ours.median / frames:.1f}",
                str(theirs),
                f"{ratio:.1f}",
                f"{max(run.peak_bytes for run in runs) / 1e6:,.0f} MB",
            )
        )
        asked.append(Asked(f"times eu-stack, {crashes.title}", ">= 10", f"{ratio:.1f}", ratio >= ASKED_RATIO))
    return Part("all-threads", (table,), tuple(asked))
