"""From a casebook to a population: crashes with their exposures, time at risk, signs, the share captured.

The casebooks hold 10,000 hosts at a time (27,921 names in 90 days, 64,950 rows of time at risk) and 50 exposures. Each
size is gathered in a process of its own, once, as a command would.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from bench.cost import environment
from bench.crashes import Workshop
from bench.many import multiplied
from bench.part import Asked, Part, Table
from broadstreet.pipeline.capture import captured
from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.population import population
from broadstreet.store.questions import Questions

ROOT = Path(__file__).parents[1]
SIZES = (10_000, 100_000, 300_000, 1_000_000)
ASKED_SECONDS, ASKED_BYTES = 15.0, 2e9
N_LOG_N = 12.0  # ten times as many, by log 1,000,000 / log 100,000
PARTS = ("open", "group", "gather", "capture")


def measure(workshop: Workshop) -> Part:
    """Gather casebooks of four sizes."""
    sample = workshop.folder / "sample"
    _command("scan", ROOT / "sample" / "cores", "--binaries", ROOT / "sample" / "binaries", "--casebook", sample)
    _command("fleet", "add", ROOT / "sample" / "fleet", "--casebook", sample)
    found = {}
    for size in SIZES:
        url = workshop.folder / f"casebook of {size}"
        multiplied(str(sample), url, size)
        found[size] = json.loads(_run(sys.executable, "-m", "bench.population", str(url)))
    table = Table(
        "A population of 10,000 hosts",
        ("crashes", "exposures", "signs", "pieces of time", *(f"{part} s" for part in PARTS), "peak MB"),
        [
            (
                *(f"{one[name]:,}" for name in ("crashes", "exposures", "signs", "pieces")),
                *(f"{one[part]:.2f}" for part in PARTS),
                f"{one['bytes'] / 1e6:,.0f}",
            )
            for one in found.values()
        ],
        ("Peak MB is that of the whole process, with the grouping.",),
    )
    most, least = found[SIZES[-1]], found[SIZES[1]]
    seconds = most["gather"] + most["capture"]
    growth = most["gather"] / least["gather"]
    return Part(
        "population",
        (table,),
        (
            Asked(
                "1,000,000 crashes gathered",
                f"under {ASKED_SECONDS:.0f} s",
                f"{seconds:.1f} s",
                seconds < ASKED_SECONDS,
            ),
            Asked(
                "1,000,000 crashes gathered, memory",
                f"under {ASKED_BYTES / 1e9:.0f} GB",
                f"{most['bytes'] / 1e9:.2f} GB",
                most["bytes"] < ASKED_BYTES,
            ),
            Asked(
                "1,000,000 by 100,000 crashes gathered, seconds", f"<= {N_LOG_N}", f"{growth:.1f}", growth <= N_LOG_N
            ),
        ),
    )


def _command(*words: object) -> None:
    _run(sys.executable, "-m", "broadstreet", *(str(word) for word in words))


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, env=environment(), cwd=ROOT).stdout


def _gathered(url: str) -> dict[str, float]:
    moments = [time.perf_counter()]
    with Questions(url) as questions:
        moments.append(time.perf_counter())
        grouping = grouped(questions)
        moments.append(time.perf_counter())
        crashes = population(questions, grouping)
        moments.append(time.perf_counter())
        captured(questions, crashes.start, crashes.end)
        moments.append(time.perf_counter())
    return {
        **{part: after - before for part, before, after in zip(PARTS, moments, moments[1:], strict=False)},
        "crashes": len(crashes),
        "exposures": len(crashes.exposures),
        "signs": len(crashes.signs),
        "pieces": 0 if crashes.at_risk is None else len(crashes.at_risk.start),
        "bytes": getrusage(RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    print(json.dumps(_gathered(sys.argv[1])))
