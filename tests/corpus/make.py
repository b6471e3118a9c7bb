"""Make the small corpus that the repository ships: real crashes, slimmed, and what reading needs of their binaries.

`make corpus` writes corpus/ anew: core dumps without any word of memory that no rule uses, a manifest of how each was
made and what is true of it, and the binaries by build id, compressed. Needs what the zoo and the injector need.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from broadstreet.lab import sets
from broadstreet.lab.portable import keep_binaries
from broadstreet.lab.score.judged import scanned
from broadstreet.lab.truth import Truth, truths
from broadstreet.pipeline.reading import case_at
from broadstreet.pipeline.slimming import slim
from broadstreet.records.weights import STRICT
from broadstreet.sources.binaries import Binaries

CORPUS = Path(__file__).parents[2] / "corpus"
WORK = Path("/opt/zoo")  # the path that stands in the core dumps

ZOO = (
    ("return_zero_slot", ".plain"),
    ("return_zero_overrun", ".plain"),
    ("call_null", ".plain"),
    ("jump_null_tail", ".plain"),
    ("call_null_member", ".raised_same"),
    ("return_heap", ".plain"),
    ("return_text", ".plain"),
    ("call_data", ".plain"),
    ("call_noncanonical", ".plain"),
    ("misaligned_low_return", ".plain"),
    ("misaligned_high_call", ".plain"),
    ("unaligned_caller", ".plain"),
    ("wild_push_unmapped", ".plain"),
    ("overflow_recursion", ".plain"),
    ("coroutine_overflow", ".plain"),
    ("null_read", ".plain"),
    ("null_read", ".raised_alternate"),
    ("unmapped_read", ".aborted"),
    ("unmapped_read", ".in_handler"),
    ("call_data", ".forked"),
    ("noncanonical_rbp", ".plain"),
    ("use_after_free_reused", ".plain"),
    ("poison_list", ".plain"),
    ("unmapped_read", ".thread"),
    ("readonly_protected", ".plain"),
    ("illegal_byte", ".plain"),
    ("trap_builtin", ".plain"),
    ("truncated_read", ".plain"),
    ("limit_cpu", ".plain"),
    ("syscall_killed", ".plain"),
    ("divide_zero", ".plain"),
    ("alignment_load", ".plain"),
    ("assertion", ".plain"),
    ("fortify_memcpy", ".plain"),
    ("smashed_text", ".plain"),
    ("double_free_cache", ".plain"),
    ("heap_free_middle", ".plain"),
    ("uncaught_noexcept", ".plain"),
    ("abort_deep", ".plain"),
    ("sent_segv", ".plain"),
    ("unwinding_null", ".plain"),
    ("caught_then_null", ".plain"),
)
RACES, FAULTS = 4, ("rsp-8", "rsp+8", "rsp-bit", "ret-bit", "reg-bit", "text-bit", "wrongres")
SHOWN_BY = {"wrongres": ("wrong_result",)}
VICTIM, SEED, PER_KIND = "python3", 1854, 4


def main() -> None:
    """Make the crashes, choose, slim, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="make the crashes here; what lies there is used")
    work = parser.parse_args().work
    for name in ("bugs", "race", "faults"):
        _make(work / name, name)
    for part in ("cores", "binaries"):
        shutil.rmtree(CORPUS / part, ignore_errors=True)
    (CORPUS / "cores").mkdir(parents=True)
    chosen = [*_zoo(work / "bugs"), *_races(work / "race"), *_faults(work / "faults")]
    binaries = Binaries()
    manifest = [_kept(folder, fact, binaries) for folder, fact in chosen]
    keep_binaries(scanned(CORPUS / "cores", ()), CORPUS / "binaries")
    (CORPUS / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _make(folder: Path, name: str) -> None:
    if not (folder / "truth.jsonl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        sets.make(sets.SETS[name](sets.Asked(PER_KIND, SEED, (VICTIM,))), folder)


def _zoo(folder: Path) -> list[tuple[Path, Truth]]:
    made = sorted(truths(folder), key=lambda truth: truth.core)
    chosen: list[tuple[Path, Truth]] = []
    for begins, ends in ZOO:
        of_program = [truth for truth in made if truth.mechanism == begins]
        if not of_program:
            raise SystemExit(f"the zoo has no {begins}")
        unused = [truth for truth in of_program if (folder, truth) not in chosen]
        matching = [truth for truth in unused if truth.core.endswith(f"{ends}.core")] or unused
        chosen.append((folder, matching[0]))
    return chosen


def _races(folder: Path) -> list[tuple[Path, Truth]]:
    return [(folder, truth) for truth in sorted(truths(folder), key=lambda truth: truth.core)[:RACES]]


def _faults(folder: Path) -> list[tuple[Path, Truth]]:
    """For each kind of fault the first crash that shows it: the corpus illustrates; docs/accuracy.md counts."""
    binaries = Binaries()
    chosen = []
    for kind in FAULTS:
        of_kind = [truth for truth in truths(folder) if truth.mechanism == kind]
        wanted = SHOWN_BY.get(kind, STRICT)
        telling = [truth for truth in of_kind if case_at(str(folder / truth.core), binaries).mechanism in wanted]
        chosen += [(folder, truth) for truth in (telling or of_kind)[:1]]
    return chosen


def _kept(folder: Path, truth: Truth, binaries: Binaries) -> dict[str, Any]:
    injected = truth.family == "fault"
    name = f"{truth.program}.{truth.mechanism}" if injected else truth.core.removesuffix(".core")
    target = CORPUS / "cores" / f"{name}.core.zst"
    slim(str(folder / truth.core), str(target), binaries, pointers_only=True)
    case = case_at(str(target), binaries)
    return {
        "core": target.name,
        "made": _how(truth, injected),
        "cause": truth.cause,
        "expected": truth.expected,
        "mechanism": case.mechanism,
        "holds": [finding.label for finding in case.findings if finding.state == "holds"],
        "case_id": case.case_id,
        "frames": len(case.frames),
    }


def _how(truth: Truth, injected: bool) -> dict[str, Any]:
    if injected:
        return {"mode": truth.mechanism, "victim": truth.program, "parameters": truth.hit}
    name = "race" if truth.family == "race" else truth.mechanism
    return {"program": name, "build": truth.build, "variant": truth.variant}


if __name__ == "__main__":
    main()
