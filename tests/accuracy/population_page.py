"""The campaign as a page: what is claimed and what came of it, every cell, and how far stated probabilities hold."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import mean, median

from tests.accuracy.cells import CELLS, HARD, SOFT
from tests.accuracy.tally import Answer, Tally, brier, calibrated, printed, share
from tests.simulation.outcomes import Stated

HEAD = """# Accuracy of the population

Every figure here is made again by `{command}`: {runs:,} simulated fleets of
which the truth is known, made by `tests/simulation`, which shares no code with the fleets that
`broadstreet lab make` makes. The signs of the crashes are real: each simulated crash shows what a real lab crash
shows (`tests/simulation/crashes.parquet`). Bad hardware is drawn from faults injected into bash, mawk
and ingest, which were not used to fit; software from bugs that were held out, from imitators of bad
hardware, and from heaps that were corrupted on purpose.

Intervals are of 95 %, exact. A share says how many runs of how many.

## What is claimed

| asked | found | met |
| --- | --- | --- |
"""

NOTES = {
    "Nothing to find": "10,000 hosts; three bugs of 100, 300 and 1,000 crashes. Accused: an outbreak whose cohort is"
    " anything but the tenant that is really hot.",
    "One bad host": "One of 10,000 physical hosts behind 8 machines each, whose crashes look like the others of its"
    " syndrome. Named otherwise: only one of its machines, or its rack.",
    "The right level": "Of a CPU: both machine and CPU are named.",
    "Two causes": "Apart: the rest is an outbreak of its own.",
    "One cause": "20 to 400 crashes of one cause in one syndrome.",
    "SKU or workload": "A workload crashes ten times as often and runs to 80 % on one SKU.",
    "Uptime": "Machines reboot 20 times a year and are replaced 6 times.",
    "Since when": "Alarms: a CUSUM of daily counts, tuned to five times the usual rate.",
    "Versions": "A version is rolled out; from then on crashes are ten times as frequent with it.",
    "Bad hardware": "A machine with a fault among bugs that hit everybody: bare or behind 4 machines, of one kind of"
    " fault or of all.",
    "Software": "3 to 80 crashes of one bug, among others.",
    "The founding story": "Small: the bad host. Large: the race in a library build, or the release.",
}
BINS = (0.0, 0.01, 0.05, 0.15, 0.5, 0.85, 0.95, 0.99, 1.01)
STATED = """
## What is stated, and how often it is right

Outbreaks of *Bad hardware* and *Software*. Half of those fleets have bad hardware, far more than real ones: so each
outbreak counts as much as its truth would at the prior that the verdicts start from.
"""


def page(answers: Sequence[Answer], tally: Tally, seed: int, quick: bool) -> str:
    """All of it, in Markdown."""
    command = f"python -m tests.accuracy.population --seed {seed}" + (" --quick" if quick else "")
    lines = [HEAD.format(command=command, runs=tally.runs).rstrip("\n")]
    for answer in answers:
        says = f"{answer.claim.group}: {answer.claim.says}"
        lines.append(f"| {says} | {answer.figure} | {'yes' if answer.met else '**no**'} |")
    for group in dict.fromkeys(cell.group for cell in CELLS):
        lines += _group(group, tally)
    lines += _stated([one for of, one in tally.stated if of in (HARD, SOFT)])
    return "\n".join(lines) + "\n"


def _group(group: str, tally: Tally) -> Iterator[str]:
    rows = [(name, runs) for (of, name), runs in tally.scores.items() if of == group]
    if not rows:
        return
    metrics = list(dict.fromkeys(metric for _, runs in rows for _, scores in runs for metric in scores))
    yield f"\n## {group}\n\n{NOTES[group]}\n"
    yield "| scenario | runs | " + " | ".join(metrics) + " |"
    yield "| --- | ---: |" + " --- |" * len(metrics)
    for name, runs in rows:
        values = ([scores[metric] for _, scores in runs if metric in scores] for metric in metrics)
        yield f"| {name} | {len(runs)} | " + " | ".join(map(_figure, values)) + " |"


def _figure(values: Sequence[float]) -> str:
    if not values:
        return ""
    if not all(isinstance(value, bool) for value in values):
        return f"{median(values):.2g} (mean {mean(values):.2g}, most {max(values):.2g})"
    counted = share(int(sum(values)), len(values))
    return f"{counted.held} of {counted.runs} ({100 * counted.low:.1f} to {100 * counted.high:.1f} %)"


def _stated(said: Sequence[Stated]) -> Iterator[str]:
    known = [one for one in said if one.truth != "mixed"]
    if not known:
        return
    yield STATED
    yield "| stated probability of hardware | outbreaks that are | that are not | hardware, at the prior |"
    yield "| --- | ---: | ---: | ---: |"
    for low, high in pairwise(BINS):
        mine = [one for one in known if low <= one.hardware < high]
        bad = sum(one.truth == "hardware" for one in mine)
        at_prior = calibrated(mine, known)
        yield f"| {low:.0%} to {min(high, 1.0):.0%} | {bad:,} | {len(mine) - bad:,} | {_percent(at_prior)} |"
    yield f"\nBrier score at the prior, over {len(known):,} outbreaks: {brier(known):.4f}.\n"
    yield "| says | right | of those whose certainty is |\n| --- | --- | --- |"
    for says in ("hardware", "software"):
        for low, high in ((0.0, 0.95), (0.95, 0.99), (0.99, 1.01)):
            told = [one for one in known if one.says == says and low <= one.certainty < high]
            if told:
                right = printed(share(sum(one.truth == says for one in told), len(told)))
                yield f"| {says} | {right} | {low:.0%} to {min(high, 1.0):.0%} |"
    cannot = sum(one.says == "undetermined" for one in known)
    yield f"\nOf {len(known):,} outbreaks {cannot:,} are left undetermined."


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
