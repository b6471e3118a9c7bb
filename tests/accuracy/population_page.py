"""The campaign as a page: what is claimed and what came of it, every cell, and how far stated probabilities hold."""

from collections.abc import Iterator, Sequence
from statistics import mean, median

from tests.accuracy.cells import CELLS, HARD, SOFT
from tests.accuracy.tally import Answer, Tally, printed, share
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
BUCKETS = ((0.5, 0.7), (0.7, 0.85), (0.85, 0.95), (0.95, 0.99), (0.99, 1.01))


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
    yield f"\n## {group}\n\n{NOTES[group]}\n\n| scenario | runs | what | how often |\n| --- | ---: | --- | --- |"
    for name, runs in rows:
        metrics = dict.fromkeys(metric for _, scores in runs for metric in scores)
        for metric in metrics:
            values = [scores[metric] for _, scores in runs if metric in scores]
            yield f"| {name} | {len(runs)} | {metric} | {_figure(values)} |"


def _figure(values: Sequence[float]) -> str:
    if all(isinstance(value, bool) for value in values):
        return printed(share(sum(values), len(values)))  # type: ignore[arg-type]
    return f"median {median(values):.2g}, mean {mean(values):.2g}, most {max(values):.2g}"


def _stated(said: Sequence[Stated]) -> Iterator[str]:
    told = [one for one in said if one.says in ("hardware", "software") and one.truth != "mixed"]
    if not told:
        return
    yield "\n## What is stated, and how often it is right\n\nOf the verdicts on bad hardware and on software.\n"
    yield "| says | stated | verdicts | right |\n| --- | --- | ---: | --- |"
    for says in ("hardware", "software"):
        for low, high in BUCKETS:
            mine = [one for one in told if one.says == says and low <= one.certainty < high]
            if mine:
                right = printed(share(sum(one.truth == says for one in mine), len(mine)))
                yield f"| {says} | {low:.0%} to {min(high, 1.0):.0%} | {len(mine):,} | {right} |"
    called = [one for one in told if one.says == "hardware"]
    brier = mean((one.hardware - (one.truth == "hardware")) ** 2 for one in said if one.truth != "mixed")
    precision = printed(share(sum(one.truth == "hardware" for one in called), len(called))) if called else "none"
    yield f"\nOf all that is called hardware, right: {precision}."
    yield f"Brier score of the probability of hardware, over {len(said):,} verdicts: {brier:.4f}."
