"""How well syndromes find again which crashes of the lab have one cause, with a top-frames signature as the control.

    python -m tests.accuracy.grouping FOLDER [FOLDER ...]     score; each folder has core dumps and `truth.jsonl`
    python -m tests.accuracy.grouping --fit FOLDER ...        and write the calibration from these folders
    python -m tests.accuracy.grouping --seed FOLDER ...       write the few bugs that the tests score

The cause of a crash is the bug that was planted in a program. Two bugs can leave one and the same stack (a function
that was called last of all is gone from it; one helper is wrong for two reasons): nothing that reads stacks can tell
such crashes apart, and the founding story demands that it does not try. So all figures are given twice: for all
crashes, and without those whose exact trace another bug left too. Builds without any function name cannot be told to
be the same code as those with names; they are scored apart too.
"""

import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from broadstreet.cases import calibration
from broadstreet.cases.alignment import similarity, weighed
from broadstreet.cases.assignment import assigned
from broadstreet.cases.calibration import Block, pooled
from broadstreet.cases.frame_rules import own_rules
from broadstreet.cases.relevance import Population, relevant
from broadstreet.cases.trace_key import keyed
from broadstreet.statistics.agreement import adjusted_rand, pairwise
from broadstreet.store import syndromes as store
from broadstreet.store.questions import Questions

STRIPPED = ("stripped", "cfnone")  # builds of the lab whose functions have no names or no unwind table
TOP = 3  # frames of the control
ORDERS, SEED = 10, 1854
CHUNKS = 5  # parts in which the crashes arrive, when the order is tried
FEW, SEVERAL = Path(__file__).with_name("traces_of_the_lab.json"), 5
STEP, LEAST = 0.05, 0.05  # of similarity, where pairs are counted
Cause = tuple[str, str]
Frames = tuple[str, ...]


class Crash(NamedTuple):
    """One crash of the lab: its exact trace, its frames, what caused it and how it was built."""

    trace: str
    frames: Frames
    cause: Cause
    build: str


class Score(NamedTuple):
    """Pairs of one way of grouping."""

    way: str
    precision: float
    recall: float
    groups: int


def crashes(folder: Path) -> list[Crash]:
    """The crashes of a folder that have a trusted frame, read by `broadstreet scan`."""
    truth = {}
    for line in (folder / "truth.jsonl").read_text("utf-8").splitlines():
        told = json.loads(line)
        truth[told["core"]] = told
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "broadstreet", "scan", str(folder), "--casebook", work, "-o", "ndjson"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with Questions(work) as questions:
            rows = store.traces(questions)
            keys = keyed(rows)
            code = dict(zip(rows["trace_id"].to_pylist(), keys.codes.tolist(), strict=True))
            cases = questions.answer("SELECT path, trace_id FROM current_cases ORDER BY path").to_pylist()
    found = []
    for case in cases:
        told = truth[case["path"].removeprefix(f"{folder.resolve()}/")]
        at = code[case["trace_id"]]
        if at >= 0:
            cause = (told["mechanism"], told["program"])
            found.append(Crash(keys.keys[at], keys.frames[at], cause, told.get("build", "")))
    return found


def syndromes(given: Sequence[Crash]) -> list[str]:
    """The syndrome of each crash, in the order given."""
    traces = {one.trace: one.frames for one in given}
    decided, _ = assigned(list(traces.items()), {}, own_rules(), calibration.calibration())
    of = {one.trace: one.syndrome for one in decided}
    return [of[one.trace] for one in given]


def arriving(given: Sequence[Crash], chunks: int) -> list[str]:
    """The same, where they arrive in parts and what was decided stays."""
    traces: dict[str, Frames] = {}
    before: dict[str, str] = {}
    into: dict[str, str] = {}
    size = -(-len(given) // chunks)
    for start in range(0, len(given), size):
        traces |= {one.trace: one.frames for one in given[start : start + size] if one.trace not in traces}
        decided, merges = assigned(list(traces.items()), before, own_rules(), calibration.calibration(), into)
        before |= {one.trace: one.syndrome for one in decided}
        into |= {one.syndrome: one.into for one in merges}
    return [store.called(before[one.trace], into) for one in given]


def unmistakable(given: Sequence[Crash]) -> list[bool]:
    """Whether no other bug left the exact trace of a crash."""
    causes = defaultdict(set)
    for one in given:
        causes[one.trace].add(one.cause)
    return [len(causes[one.trace]) == 1 for one in given]


WAYS: dict[str, Callable[[Sequence[Crash]], Sequence[object]]] = {
    "syndromes": syndromes,
    f"top {TOP} frames": lambda given: ["|".join(one.frames[:TOP]) for one in given],
    "top frame": lambda given: [one.frames[0] for one in given],
    "equal telling frames": lambda given: [repr(relevant(one.frames, own_rules())) for one in given],
    "equal exact trace": lambda given: [one.trace for one in given],
}


def scores(given: Sequence[Crash], keep: Sequence[bool]) -> Iterator[Score]:
    """Each way of grouping all crashes, scored over those to keep."""
    truth = [repr(one.cause) for one, kept in zip(given, keep, strict=True) if kept]
    for way, grouped in WAYS.items():
        found = [str(group) for group, kept in zip(grouped(given), keep, strict=True) if kept]
        pairs = pairwise(found, truth)
        yield Score(way, pairs.precision or 0.0, pairs.recall or 0.0, len(set(found)))


def agreement(given: Sequence[Crash], orders: int, seed: int, chunks: int = CHUNKS) -> tuple[float, float]:
    """The least and the mean adjusted Rand index of pairs of arrival orders."""
    chance = random.Random(seed)
    found = []
    for _ in range(orders):
        order = list(range(len(given)))
        chance.shuffle(order)
        labels = [""] * len(given)
        for at, label in zip(order, arriving([given[at] for at in order], chunks), strict=True):
            labels[at] = label
        found.append(labels)
    indices = [adjusted_rand(one, other) for at, one in enumerate(found) for other in found[:at]]
    return min(indices), sum(indices) / len(indices)


def fitted(given: Sequence[Crash]) -> tuple[Block, ...]:
    """How often pairs of distinct traces have one cause, by their similarity."""
    kept = {one.trace: one for one, sure in zip(given, unmistakable(given), strict=True) if sure}
    stacks: dict[object, set[Cause]] = defaultdict(set)
    for one in kept.values():
        stacks[relevant(one.frames, own_rules())].add(one.cause)
    population = Population([relevant(one.frames, own_rules()) for one in given])
    sure = [(weighed(stack, population), next(iter(causes))) for stack, causes in stacks.items() if len(causes) == 1]
    pairs, same = defaultdict(int), defaultdict(int)
    for at, (one, cause) in enumerate(sure):
        for other, another in sure[:at]:
            near = similarity(one, other)
            if near >= LEAST:
                step = min(int(near / STEP), round(1 / STEP) - 1)
                pairs[step] += 1
                same[step] += cause == another
    return pooled([Block(step * STEP, (step + 1) * STEP, same[step], pairs[step]) for step in sorted(pairs)])


def few() -> list[Crash]:
    """The crashes of one bug of SEVERAL in the lab's sets, which stand in a file."""
    told = json.loads(FEW.read_text("utf-8"))
    return [Crash(one[0], tuple(one[1]), (one[2], one[3]), one[4]) for one in told]


def main(arguments: list[str]) -> None:
    """Score, and fit where that is asked for."""
    folders = [Path(name) for name in arguments if not name.startswith("--")]
    sets = {folder.name: crashes(folder) for folder in folders}
    if "--seed" in arguments:
        causes = sorted({one.cause for given in sets.values() for one in given})[::SEVERAL]
        chosen = [one for given in sets.values() for one in given if one.cause in causes and _named(one)]
        FEW.write_text(json.dumps([[one.trace, one.frames, *one.cause, one.build] for one in chosen], indent=0) + "\n")
        return
    if "--fit" in arguments:
        _write(fitted([one for given in sets.values() for one in given if _named(one)]))
    for name, given in sets.items():
        for whose, chosen in (("with names", [one for one in given if _named(one)]), ("all builds", given)):
            for which, keep in (("all", [True] * len(chosen)), ("unmistakable", unmistakable(chosen))):
                print(f"\n{name}, {whose}, {which}: {sum(keep)} crashes, {len({one.cause for one in chosen})} bugs\n")
                print("| way | precision | recall | groups |\n| --- | --- | --- | --- |")
                for one in scores(chosen, keep):
                    print(f"| {one.way} | {one.precision:.3f} | {one.recall:.3f} | {one.groups} |")
        found = pairwise(*zip(*_of_one_build(given), strict=True))
        print(f"\npairs of one build alone: precision {found.precision:.3f}, recall {found.recall:.3f}")
        for parts in (1, CHUNKS):
            least, mean = agreement(given, ORDERS, SEED, parts)
            print(f"{ORDERS} arrival orders, {parts} parts: adjusted Rand index at least {least:.3f}, mean {mean:.3f}")


def _of_one_build(given: Sequence[Crash]) -> list[tuple[str, str]]:
    """Of each unmistakable crash its syndrome and its cause, each together with its build."""
    found = zip(given, syndromes(given), unmistakable(given), strict=True)
    return [(f"{own} {one.build}", f"{one.cause} {one.build}") for one, own, sure in found if sure]


def _named(crash: Crash) -> bool:
    return not any(one in crash.build for one in STRIPPED)


def _write(blocks: Sequence[Block]) -> None:
    told = {
        "version": 1,
        "of": "pairs of distinct traces of the lab's development set of bugs, by similarity",
        "command": "python -m tests.accuracy.grouping --fit",
        "blocks": [{"from": round(b.low, 2), "to": round(b.high, 2), "same": b.same, "pairs": b.pairs} for b in blocks],
    }
    Path(calibration.__file__).with_name(calibration.FILE).write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
