"""Compile the zoo, crash every program and keep the core dumps with what is true of them.

python -m tests.crashes.zoo.make OUT [--set development|held_out] [--only NAME] [--jobs N]
"""

import argparse
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.crashes.faults.trial import CannotDump, the_kernel_dumps
from tests.crashes.zoo.entries import Catalogue, Program, Run
from tests.crashes.zoo.zoo import SETS

TIME_LIMIT_SECONDS = 10
CANNOT_BE_MADE_HERE = 77  # exit status, see harness.h
COMMON_FLAGS = ("-g0", "-w", "-pthread", "-Wl,--build-id")

NT_PRSTATUS = 1
SIGNAL_OFFSET = 12  # pr_cursig in struct elf_prstatus, include/linux/elfcore.h


def main() -> None:
    arguments = _arguments()
    catalogue = SETS[arguments.set]
    runs = [run for run in catalogue.runs() if arguments.only in (None, run.program.name)]
    if not runs:
        sys.exit(f"no program {arguments.only} in {arguments.set}; see tests/crashes/zoo/zoo.py")
    out = arguments.out.resolve()
    (out / "bin").mkdir(parents=True, exist_ok=True)
    _drop_truth(out, runs)
    try:
        with the_kernel_dumps(), ThreadPoolExecutor(arguments.jobs) as pool:
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            list(pool.map(lambda run: compile_run(catalogue, run, out), _one_per_binary(runs)))
            outcomes = _crash_all(runs, out, pool)
    except CannotDump as reason:
        sys.exit(str(reason))
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))


def _crash_all(runs: list[Run], out: Path, pool: ThreadPoolExecutor) -> Counter[str]:
    outcomes = Counter[str]()
    for run, outcome in zip(runs, pool.map(lambda run: crash(run, out), runs), strict=True):
        outcomes[outcome] += 1
        if outcome == "core":
            _append_truth(out, run)
        else:
            print(f"{run.name}: {outcome}")
    return outcomes


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes.zoo.make", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", choices=sorted(SETS), default="development")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def compile_run(catalogue: Catalogue, run: Run, out: Path) -> None:
    folder = Path(__file__).parent / catalogue.folder
    sources = [folder / source for source in run.program.sources]
    compiler = "g++" if "C++" in run.program.languages else "gcc"
    flags = [*run.build.flags, *COMMON_FLAGS]
    for source in run.program.sources:
        flags += catalogue.source_flags.get(source, ())
    subprocess.run([compiler, *flags, *sources, "-lm", "-o", binary(run, out)], check=True)


def binary(run: Run, out: Path) -> Path:
    return out / "bin" / f"{_stem(run.program)}.{run.build.name}"


def crash(run: Run, out: Path) -> str:
    """Run one program and keep its core. Returns "core", or why there is none."""
    with tempfile.TemporaryDirectory(prefix="zoo-run-", dir=out) as folder:
        status = _status(run, binary(run, out), Path(folder))
        cores = [path for path in Path(folder).iterdir() if path.open("rb").read(4) == b"\x7fELF"]
        if len(cores) != 1:
            return _why_no_core(status, len(cores))
        taken = core_signal(cores[0])
        if taken != run.signal:
            return f"died of signal {taken}, not {run.signal}"
        shutil.move(cores[0], out / f"{run.name}.core")
    return "core"


def core_signal(core: Path) -> int | None:
    """The signal of the first thread of a core dump; null without a thread note."""
    with core.open("rb") as file:
        header = file.read(64)
        (table,) = struct.unpack_from("<Q", header, 32)
        entry_size, entries = struct.unpack_from("<HH", header, 54)
        for entry in range(entries):
            file.seek(table + entry * entry_size)
            kind, offset = struct.unpack("<I4xQ", file.read(16))
            if kind == 4:  # PT_NOTE
                file.seek(offset)
                name_size, _, note_type = struct.unpack("<III", file.read(12))
                file.seek((name_size + 3 & ~3) + SIGNAL_OFFSET, os.SEEK_CUR)
                return int.from_bytes(file.read(2), "little") if note_type == NT_PRSTATUS else None
    return None


def _status(run: Run, executable: Path, folder: Path) -> int | None:
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", **dict(run.program.environment)}
    process = subprocess.Popen(
        [executable, run.program.name, run.variant.name],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(TIME_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None


def _why_no_core(status: int | None, cores: int) -> str:
    if cores:
        return "more than one core"
    if status is None:
        return "ran into the time limit"
    if status == CANNOT_BE_MADE_HERE:
        return "cannot be made on this machine"
    return f"did not dump, status {status}"


def _one_per_binary(runs: list[Run]) -> list[Run]:
    return list({(_stem(run.program), run.build.name): run for run in runs}.values())


def _stem(program: Program) -> str:
    return program.sources[0].partition(".")[0]


def _drop_truth(out: Path, runs: list[Run]) -> None:
    path = out / "truth.jsonl"
    made_again = {run.program.name for run in runs}
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if json.loads(line)["program"] not in made_again]
    path.write_text("".join(line + "\n" for line in kept))
    for name in made_again:
        for core in out.glob(f"{name}.*.core"):
            core.unlink()


def _append_truth(out: Path, run: Run) -> None:
    truth = {
        "core": f"{run.name}.core",
        "program": run.program.name,
        "build": run.build.name,
        "variant": run.variant.name,
        "expected": run.program.expected,
        "context": run.context,
        "context_not": run.context_not,
        "signal": run.signal,
        "cause": "software",
        "note": run.note,
    }
    with (out / "truth.jsonl").open("a") as file:
        file.write(json.dumps(truth) + "\n")


if __name__ == "__main__":
    main()
