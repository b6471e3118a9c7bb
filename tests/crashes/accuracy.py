"""Score the labels against real crashes with known causes, and write docs/accuracy.md.

`python -m tests.crashes.accuracy` makes every set anew in a temporary folder (some forty minutes on two CPUs);
`--keep DIR` keeps the core dumps there, and uses sets that already lie there. The rules were written on the development
sets; the held-out sets were scored once, after the rules were frozen.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from broadstreet.pipeline import case_at
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries

STRICT = frozenset(("misaligned_stack", "wild_stack_pointer", "one_bit_off", "wrong_result", "code_mismatch"))
UNLABELLED = "unlabelled"
DOCUMENT = Path(__file__).parents[2] / "docs" / "accuracy.md"
ZOO, RACE = "tests.crashes.zoo.make", "tests.crashes.zoo.race"
FAULTS, TRICKY = "tests.crashes.faults.make", "tests.crashes.faults.tricky"


class Set(NamedTuple):
    """A set of crashes: its name, what makes it, and what it is for."""

    name: str
    command: tuple[str, ...]
    held_out: bool


SETS = (
    Set("zoo-development", (ZOO, "--set", "development"), False),
    Set("zoo-held-out", (ZOO, "--set", "held_out"), True),
    Set("race", (RACE,), False),
    Set("faults-development", (FAULTS, "--kind", "hardware", "--per-mode", "25", "--seed", "1"), False),
    Set("faults-held-out", (FAULTS, "--kind", "hardware", "--per-mode", "12", "--seed", "4242"), True),
    Set("models-development", (FAULTS, "--kind", "software", "--per-mode", "20", "--seed", "2"), False),
    Set("models-held-out", (FAULTS, "--kind", "software", "--per-mode", "10", "--seed", "4243"), True),
    Set("imitators", (TRICKY,), False),
)


@dataclass
class Score:
    """Counts over one set."""

    cores: int = 0
    right: int = 0
    not_judged: int = 0
    wrong: list[str] = field(default_factory=list)
    strict: int = 0
    software_strict: list[str] = field(default_factory=list)
    modes: dict[str, list[int]] = field(default_factory=dict)
    context: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Make the sets, score them, write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="keep the core dumps here, and use what is there")
    parser.add_argument("--only", nargs="*", choices=[one.name for one in SETS])
    parser.add_argument("--print", action="store_true", help="print instead of writing docs/accuracy.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.keep or Path(temporary)
        chosen = [one for one in SETS if not arguments.only or one.name in arguments.only]
        scores = {one.name: _scored(one, root / one.name) for one in chosen}
    text = "\n".join(_document(scores)) + "\n"
    if arguments.print or arguments.only:
        sys.stdout.write(text)
    else:
        DOCUMENT.write_text(text)


def _scored(one: Set, folder: Path) -> Score:
    truth = folder / "truth.jsonl"
    if not truth.exists():
        module, *rest = one.command
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", module, str(folder), *rest], check=True)
    binaries = Binaries()
    score = Score()
    for line in truth.read_text().splitlines():
        fact = json.loads(line)
        _count(score, fact, case_at(str(folder / fact["core"]), binaries))
    return score


def _count(score: Score, fact: dict[str, Any], case: Case) -> None:
    score.cores += 1
    holds = {finding.label for finding in case.findings if finding.state == "holds"}
    strict = bool(holds & STRICT)
    score.strict += strict
    if "mode" in fact:
        counts = score.modes.setdefault(fact["mode"], [0, 0])
        counts[0] += 1
        counts[1] += strict
        if strict and fact["cause"] == "software":
            score.software_strict.append(f"{fact['core']}: {', '.join(sorted(holds & STRICT))}")
        return
    expected = set(fact["expected"])
    if case.mechanism == "not_judged":
        score.not_judged += 1
    elif case.mechanism in expected or (case.mechanism == "unclassified" and UNLABELLED in expected):
        score.right += 1
    else:
        score.wrong.append(f"{fact['core']}: {case.mechanism}, and not {' or '.join(fact['expected'])}")
    if strict and not expected & STRICT:
        score.software_strict.append(f"{fact['core']}: {', '.join(sorted(holds & STRICT))}")
    _count_context(score, fact, {finding.label: finding.state for finding in case.findings})


def _count_context(score: Score, fact: dict[str, Any], states: dict[str, str]) -> None:
    for label in fact["context"]:
        score.context[f"{label}, {states[label].replace('_', ' ')} where true"] += 1
    for label in fact["context_not"]:
        if states[label] == "holds":
            score.context[f"{label}, holds where false"] += 1


def _document(scores: dict[str, Score]) -> Iterator[str]:
    yield "# Accuracy"
    yield ""
    yield "Every figure here is made again by `make accuracy`. Real crashes on a real kernel, labelled without knowing"
    yield f"what made them. This run: {platform.system()} {platform.release()}, {platform.machine()}."
    yield ""
    yield "The rules were written on the development sets, then frozen, then the held-out sets were scored once. **That"
    yield "one score is in [decisions/0002](decisions/0002-the-frozen-score.md).** What follows is the score of the"
    yield "rules as they are now, after what the held-out sets showed was mended: for them it is no longer blind."
    yield ""
    yield "## Mechanisms: programs that crash by a known mechanism"
    yield ""
    yield "Asked: at least 95 % judged, none wrong."
    yield ""
    yield "| set | crashes | judged | right | wrong |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, score in scores.items():
        if not score.modes and score.cores:
            judged = score.cores - score.not_judged
            share = f"{judged} ({judged / score.cores:.1%})"
            yield f"| {name} | {score.cores} | {share} | {score.right} | {len(score.wrong)} |"
    yield ""
    for name, score in scores.items():
        for line in score.wrong:
            yield f"- wrong in {name}: `{line}`"
    yield ""
    yield from _contexts(scores)
    yield from _strict(scores)


def _contexts(scores: dict[str, Score]) -> Iterator[str]:
    yield "## Context findings"
    yield ""
    yield "| set | finding | crashes |"
    yield "| --- | --- | ---: |"
    for name, score in scores.items():
        for text, count in sorted(score.context.items()):
            yield f"| {name} | {text} | {count} |"
    yield ""


def _strict(scores: dict[str, Score]) -> Iterator[str]:
    yield "## Strict hardware findings"
    yield ""
    yield "misaligned_stack, wild_stack_pointer, one_bit_off or code_mismatch holds. Faults are injected by ptrace into"
    yield "unmodified python3, perl and sqlite3; software models corrupt memory in the same programs as bugs do;"
    yield "imitators are bugs made to look like hardware, most undecidable from one core dump, and not in the rate."
    yield "Asked: at least 75 % averaged over fault kinds, at most 0.5 % of software bugs."
    yield ""
    for name, score in scores.items():
        if not score.modes:
            continue
        rates = {mode: found / total for mode, (total, found) in score.modes.items()}
        mean = sum(rates.values()) / len(rates)
        yield f"### {name}: {score.strict} of {score.cores}, {mean:.1%} averaged over kinds"
        yield ""
        yield "| kind | crashes | strict finding | share |"
        yield "| --- | ---: | ---: | ---: |"
        for mode, (total, found) in sorted(score.modes.items()):
            yield f"| {mode} | {total} | {found} | {found / total:.0%} |"
        yield ""
    yield from _false_findings(scores)


def _false_findings(scores: dict[str, Score]) -> Iterator[str]:
    yield "### Software bugs with a strict hardware finding"
    yield ""
    for held_out in (False, True):
        names = [s.name for s in SETS if s.held_out is held_out and s.name.startswith(("zoo", "models", "race"))]
        counted = [scores[name] for name in names if name in scores]
        total = sum(score.cores for score in counted)
        false = [line for score in counted for line in score.software_strict]
        if total:
            kind = "held out" if held_out else "development"
            yield f"{kind}: {len(false)} of {total} ({len(false) / total:.2%}). Zoo programs that move the stack"
            yield "pointer by themselves to imitate a bad CPU expect the finding, and are no false ones."
            yield ""
            for line in false:
                yield f"- `{line}`"
            yield ""


if __name__ == "__main__":
    main()
