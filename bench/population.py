"""From a casebook to its verdicts: crashes with their exposures, time at risk, signs, the share captured, outbreaks.

The casebooks hold 10,000 hosts at a time (27,921 names in 90 days, 64,950 rows of time at risk) and 50 exposures. Each
size is gathered in a process of its own, once, as a command would.
"""

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from bench.cost import environment
from bench.crashes import Workshop
from bench.many import multiplied
from bench.part import Asked, Part, Table
from broadstreet.pipeline.capture import captured
from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.population import population
from broadstreet.population.survey import survey
from broadstreet.store.questions import Questions
from broadstreet.verdict.argument import argued

ROOT = Path(__file__).parents[1]
SIZES = (10_000, 100_000, 300_000, 1_000_000)
ASKED_SECONDS, ASKED_BYTES = 15.0, 2e9
N_LOG_N = 12.0  # ten times as many, by log 1,000,000 / log 100,000
PARTS = ("open", "group", "gather", "capture", "analyse")
CLOCKS = {"s": time.perf_counter, "CPU s": time.process_time}  # the machine may be shared: CPU is what is asked for
ANALYSED = {100_000: 5.0, 1_000_000: 40.0}  # seconds that are asked


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
        ("crashes", "exposures", "signs", "pieces of time", *PARTS, "peak MB"),
        [
            (
                *(f"{one[name]:,}" for name in ("crashes", "exposures", "signs", "pieces")),
                *(f"{one[f'{part} CPU s']:.2f} ({one[f'{part} s']:.2f})" for part in PARTS),
                f"{one['bytes'] / 1e6:,.0f}",
            )
            for one in found.values()
        ],
        ("CPU seconds, and in parentheses those by the clock. Peak MB is that of the whole process.",),
    )
    most, least = found[SIZES[-1]], found[SIZES[1]]
    seconds = most["gather CPU s"] + most["capture CPU s"]
    growth, slower = (most[f"{part} CPU s"] / least[f"{part} CPU s"] for part in ("gather", "analyse"))
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
            Asked("1,000,000 by 100,000 crashes gathered, CPU", f"<= {N_LOG_N}", f"{growth:.1f}", growth <= N_LOG_N),
            *(
                Asked(
                    f"{size:,} crashes analysed",
                    f"under {asked:.0f} s",
                    f"{found[size]['analyse s']:.1f} s",
                    found[size]["analyse s"] < asked,
                )
                for size, asked in ANALYSED.items()
            ),
            Asked("1,000,000 by 100,000 crashes analysed, CPU", f"<= {N_LOG_N}", f"{slower:.1f}", slower <= N_LOG_N),
        ),
    )


def _command(*words: object) -> None:
    _run(sys.executable, "-m", "broadstreet", *(str(word) for word in words))


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, env=environment(), cwd=ROOT).stdout


def _gathered(url: str) -> dict[str, float]:
    moments: list[dict[str, float]] = []

    def mark() -> None:
        moments.append({name: clock() for name, clock in CLOCKS.items()})

    mark()
    with Questions(url) as questions:
        mark()
        grouping = grouped(questions)
        mark()
        crashes = population(questions, grouping)
        mark()
        captured(questions, crashes.start, crashes.end)
        mark()
    argued(crashes, survey(crashes))
    mark()
    spans = zip(PARTS, pairwise(moments), strict=True)
    return {
        **{f"{part} {name}": after[name] - before[name] for part, (before, after) in spans for name in CLOCKS},
        "crashes": len(crashes),
        "exposures": len(crashes.exposures),
        "signs": len(crashes.signs),
        "pieces": 0 if crashes.at_risk is None else len(crashes.at_risk.start),
        "bytes": getrusage(RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    print(json.dumps(_gathered(sys.argv[1])))
