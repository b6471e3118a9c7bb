"""python -m bench [PART ...] [--cores DIR ...]: measure, print, and write docs/benchmarks.md.

The page is written when every part ran. The exit status is 1 where a figure falls short of what was asked, or
could not be measured.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from bench import (
    accuracy_of_frames,
    all_threads,
    bucket,
    casebook,
    engines,
    grouping,
    population,
    questions,
    reading,
    report,
    scan,
    size,
    start,
    web,
)
from bench.crashes import CannotMake, Workshop, workshop
from bench.part import Part

SHORT = 1


def main() -> int:
    """Run the parts that were named, or all of them."""
    arguments = _arguments()
    try:
        with workshop() as made:
            done, absent = _measured(arguments.parts or list(_parts(made, [])), made, arguments.cores)
    except CannotMake as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return SHORT
    print(report.text(report.asked_table(done)))
    for line in absent:
        print(f"  not measured: {line}")
    if not arguments.parts:
        report.write_document(done, absent, " ".join(["python -m bench", *(f"--cores {c}" for c in arguments.cores)]))
        print(f"\nWritten: {report.DOCUMENT}")
    met = all(one.met for part in done for one in part.asked)
    return 0 if met and not absent else SHORT


def _measured(names: list[str], made: Workshop, cores: list[Path]) -> tuple[list[Part], list[str]]:
    done, absent = [], []
    for name in names:
        try:
            part = _parts(made, cores)[name]()
        except CannotMake as reason:
            absent.append(f"{name}: {reason}")
            continue
        for table in part.tables:
            print(report.text(table), flush=True)
        done.append(part)
    return done, absent


def _parts(made: Workshop, cores: list[Path]) -> dict[str, Callable[[], Part]]:
    return {
        "reading": lambda: reading.measure(made),
        "all-threads": lambda: all_threads.measure(made),
        "size": lambda: size.measure(made),
        "accuracy-of-frames": lambda: accuracy_of_frames.measure(made, cores),
        "scan": lambda: scan.measure(made),
        "engines": engines.measure,
        "casebook": lambda: casebook.measure(made),
        "questions": lambda: questions.measure(made),
        "grouping": lambda: grouping.measure(made),
        "population": lambda: population.measure(made),
        "bucket": lambda: bucket.measure(made),
        "web": lambda: web.measure(made),
        "start": start.measure,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure what reading core dumps costs.")
    names = ("reading", "all-threads", "size", "accuracy-of-frames", "scan", "engines", "casebook", "questions")
    names += ("grouping", "population", "bucket", "web", "start")
    parser.add_argument("parts", nargs="*", choices=[*names, []], metavar="PART", help=", ".join(names))
    parser.add_argument("--cores", action="append", default=[], type=Path, metavar="DIR", help="more, for the frames")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
