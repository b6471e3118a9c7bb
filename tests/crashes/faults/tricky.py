"""Software that imitates hardware faults, made by hand: python -m tests.crashes.faults.tricky OUT

Each case is a bug whose crash has one mark of a bad CPU or bad memory (a stack pointer off by 8, an address one bit
from a good one, code that differs from its file). They are no sample of real bugs and so stand in no false-alarm rate.
The programs are kept in OUT/binaries: without them nothing can be said about their cores.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.crashes.faults.trial import CannotDump, Truth, ended, keep, signal_of, started, the_kernel_dumps

PROGRAMS = Path(__file__).parent / "programs"
OPTIMISATIONS = ("O0", "O2")
FLAGS = (
    "-g0",
    "-w",
    "-pthread",
    "-fno-stack-protector",
    "-fno-stack-clash-protection",
    "-fcf-protection=none",
    "-Wl,--build-id,--enable-new-dtags,-rpath,$ORIGIN",
)
SECONDS = 4.0

VARIANTS: dict[str, dict[str, int]] = {
    "wrong_stack": {
        "misaligned": 4,
        "unbalanced_push": 3,
        "unbalanced_pop": 2,
        "zero_return": 1,
        "rbp_smashed": 3,
        "coroutine_freed": 4,
        "coroutine_unmapped": 1,
        "coroutine_protected": 2,
        "coroutine_overflow": 2,
        "jump_to_dead_frame": 2,
        "huge_alloca": 4,
    },
    "wrong_address": {
        "index_minus_1": 2,
        "index_power_of_two": 5,
        "high_tag": 5,
        "middle_flag": 5,
        "pointer_cut_to_32_bits": 2,
        "unmapped_neighbour": 4,
        "freed_large_block": 3,
        "moved_block": 2,
        "read_only_page": 2,
        "truncated_file": 2,
        "mprotect_race": 4,
        "munmap_race": 4,
    },
    "wrong_code": {
        "hooked": 2,
        "hooked_in_the_wrong_place": 4,
        "breakpoint_left": 2,
        "branch_turned": 1,
        "closed_library_called": 2,
        "closed_library_returned_to": 1,
        "middle_of_function": 8,
        "flagged_function": 6,
        "data_called": 4,
        "null_called": 4,
    },
}


class Trial(NamedTuple):
    program: str
    case: str
    variant: int
    optimisation: str


def trials() -> Iterator[Trial]:
    for program, cases in VARIANTS.items():
        for case, variants in cases.items():
            for variant in range(variants):
                for optimisation in OPTIMISATIONS:
                    yield Trial(program, case, variant, optimisation)


def build(binaries: Path) -> None:
    """Compile each program at each optimisation, and the library that one of them opens."""
    binaries.mkdir(parents=True)
    _compile("plugin.c", binaries / "plugin.so", "-O1", "-shared", "-fPIC")
    for program in VARIANTS:
        for optimisation in OPTIMISATIONS:
            to = binaries / f"{program}-{optimisation}"
            _compile(f"{program}.c", to, f"-{optimisation}")


def run(out: Path) -> Counter[str]:
    """How many trials crashed, exited or survived, each under 'OUTCOME PROGRAM CASE'."""
    binaries = out / "binaries"
    build(binaries)
    counts: Counter[str] = Counter()
    with the_kernel_dumps():
        for number, trial in enumerate(trials()):
            counts[f"{_run_trial(out, binaries, number, trial)} {trial.program} {trial.case}"] += 1
    return counts


def _compile(source: str, to: Path, *flags: str) -> None:
    subprocess.run(("gcc", *FLAGS, *flags, "-o", str(to), str(PROGRAMS / source)), check=True)


def _run_trial(out: Path, binaries: Path, number: int, trial: Trial) -> str:
    program = binaries / f"{trial.program}-{trial.optimisation}"
    with tempfile.TemporaryDirectory(dir=out, prefix=".trial-") as folder:
        at = Path(folder)
        process = started((str(program), trial.case, str(trial.variant)), at)
        if not ended(process, SECONDS):
            return "survived"
        if not signal_of(process):
            return "exited"
        keep(process, at, out, _truth(number, trial))
        return "crashed"


def _truth(number: int, trial: Trial) -> Truth:
    victim = f"{trial.program}-{trial.optimisation}"
    core = f"{number:04}.{victim}.{trial.case}.core"
    parameters: dict[str, str | int] = {"variant": trial.variant, "optimisation": trial.optimisation}
    return Truth(core, "software", "tricky", trial.case, victim, None, parameters)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a folder that does not exist yet, or is empty")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        parser.error(f"{out} is not empty; name a new folder")
    try:
        counts = run(out.resolve())
    except CannotDump as reason:
        print(reason, file=sys.stderr)
        return 1
    (out / "survivors.json").write_text(json.dumps(counts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for outcome, count in sorted(counts.items()):
        print(outcome, count)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
