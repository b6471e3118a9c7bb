"""Make the small corpus that the repository ships: real crashes, slimmed, and what reading needs of their binaries.

`make corpus` writes corpus/ anew: core dumps without any word of memory that no rule uses, a manifest of how each was
made and what is true of it, and the binaries by build id, compressed. Needs what the zoo and the injector need.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import zstandard

from broadstreet.pipeline import case_at
from broadstreet.slimming import slim
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.binary_store import add
from tests.crashes.accuracy import STRICT

CORPUS = Path(__file__).parents[2] / "corpus"
WORK = Path("/opt/zoo")  # the path that stands in the core dumps
LEVEL = 19


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
RACES, FAULTS = 4, ("rsp-8", "rsp+8", "rsp-bit", "ret-bit", "reg-bit", "text-bit")
VICTIM = ".python3."


def main() -> None:
    """Make the crashes, choose, slim, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="make the crashes here; what lies there is used")
    work = parser.parse_args().work
    _make(work / "crashes", "tests.crashes.zoo.make")
    _make(work / "race", "tests.crashes.zoo.race")
    _make(work / "faults", "tests.crashes.faults.make", "--kind", "hardware", "--per-mode", "10", "--seed", "1854")
    shutil.rmtree(CORPUS, ignore_errors=True)
    (CORPUS / "cores").mkdir(parents=True)
    chosen = [*_zoo(work / "crashes"), *_races(work / "race"), *_faults(work / "faults")]
    binaries = Binaries()
    manifest = [_kept(folder, fact, binaries) for folder, fact in chosen]
    _keep_binaries([folder / fact["core"] for folder, fact in chosen], binaries)
    (CORPUS / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _make(folder: Path, module: str, *rest: str) -> None:
    if not (folder / "truth.jsonl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", module, str(folder), *rest], check=True)


def _facts(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


def _zoo(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    facts = sorted(_facts(folder), key=lambda fact: fact["core"])
    chosen: list[tuple[Path, dict[str, Any]]] = []
    for begins, ends in ZOO:
        of_program = [fact for fact in facts if fact["program"] == begins]
        if not of_program:
            raise SystemExit(f"the zoo has no {begins}")
        unused = [fact for fact in of_program if (folder, fact) not in chosen]
        matching = [fact for fact in unused if fact["core"].endswith(f"{ends}.core")] or unused
        chosen.append((folder, matching[0]))
    return chosen


def _races(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    return [(folder, fact) for fact in sorted(_facts(folder), key=lambda fact: fact["core"])[:RACES]]


def _faults(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """For each kind of fault the first crash that shows it: the corpus illustrates; docs/accuracy.md counts."""
    facts = [fact for fact in _facts(folder) if VICTIM in fact["core"]]
    binaries = Binaries()
    chosen = []
    for mode in FAULTS:
        of_mode = [fact for fact in facts if fact["mode"] == mode]
        telling = [fact for fact in of_mode if case_at(str(folder / fact["core"]), binaries).mechanism in STRICT]
        chosen += [(folder, fact) for fact in (telling or of_mode)[:1]]
    return chosen


def _kept(folder: Path, fact: dict[str, Any], binaries: Binaries) -> dict[str, Any]:
    name = fact["core"].removesuffix(".core")
    name = f"python3.{fact['mode']}" if "mode" in fact else name
    target = CORPUS / "cores" / f"{name}.core.zst"
    slim(str(folder / fact["core"]), str(target), binaries, pointers_only=True)
    case = case_at(str(target), binaries)
    made = {key: fact[key] for key in ("program", "build", "variant", "mode", "victim", "parameters") if key in fact}
    return {
        "core": target.name,
        "made": made,
        "cause": fact["cause"],
        "expected": fact.get("expected"),
        "mechanism": case.mechanism,
        "holds": [finding.label for finding in case.findings if finding.state == "holds"],
        "case_id": case.case_id,
        "frames": len(case.frames),
    }


def _keep_binaries(cores: list[Path], binaries: Binaries) -> None:
    store = CORPUS / "binaries"
    for core in cores:
        for module in case_at(str(core), binaries).modules:
            if module.found and module.path.startswith("/") and module.build_id:
                list(add(module.path, str(store)))
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    for path in sorted(store.rglob("*")):
        if path.is_file() and path.suffix != ".zst":
            path.with_name(path.name + ".zst").write_bytes(compressor.compress(path.read_bytes()))
            path.unlink()


if __name__ == "__main__":
    main()
