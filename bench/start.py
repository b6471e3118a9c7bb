"""How soon `--help` and `--version` answer, and what they import."""

import statistics
import subprocess
import sys

from bench.cost import Ended, ended
from bench.part import Asked, Part, Table

RUNS = 20
ASKED_MILLISECONDS = 100.0
HEAVY = ("capstone", "lz4", "numpy", "pyarrow", "rich", "symbolic", "zstandard")
_IMPORTED = f"""
import sys
from broadstreet.surfaces.cli import main
try:
    main()
except SystemExit:
    pass
sys.stderr.write(" ".join(name for name in {HEAVY!r} if name in sys.modules))
"""


def measure() -> Part:
    """Run each option twenty times."""
    table = Table(
        "Start",
        ("command", "wall ms, median of 20", "CPU ms", "heavy modules imported"),
        notes=("Wall time, since that is what was asked; it is shown, and no test depends on it.",),
    )
    asked = []
    for option in ("--help", "--version"):
        runs = [_run(option) for _ in range(RUNS)]
        wall = statistics.median(run.wall for run in runs)
        imported = heavy_modules(option)
        table.rows.append(
            (
                f"broadstreet {option}",
                f"{wall:.0f}",
                f"{statistics.median(run.cpu for run in runs):.0f}",
                ", ".join(imported) or "none",
            )
        )
        asked.append(Asked(f"wall ms, {option}", "<= 100", f"{wall:.0f}", wall <= ASKED_MILLISECONDS))
    bare = [ended([sys.executable, "-c", ""]) for _ in range(RUNS)]
    table.rows.append(
        (
            "python -c ''",
            f"{statistics.median(run.wall for run in bare):.0f}",
            f"{statistics.median(run.cpu for run in bare):.0f}",
            "",
        )
    )
    return Part("start", (table,), tuple(asked))


def heavy_modules(*arguments: str) -> list[str]:
    """Which of the heavy modules a run with these arguments imports."""
    done = subprocess.run([sys.executable, "-c", _IMPORTED, *arguments], capture_output=True, text=True)
    return done.stderr.split()


def _run(option: str) -> Ended:
    return ended([sys.executable, "-m", "broadstreet", option])
