"""One program of the zoo: compile it, let it crash, keep the core dump with what is true of it."""

import signal
import subprocess
import tempfile
from functools import cache, partial
from pathlib import Path

from broadstreet.errors import UsageError
from broadstreet.lab.order import NotMade, Order, Workshop, compiled
from broadstreet.lab.process import core_dumps, ended, kept, said, signal_in, started
from broadstreet.lab.truth import Truth
from broadstreet.lab.zoo.entries import Catalogue, Run
from broadstreet.lab.zoo.zoo import SETS

SECONDS = 10.0
CANNOT_BE_MADE_HERE = 77  # exit status, see programs/harness.h
COMMON_FLAGS = ("-g0", "-w", "-pthread", "-Wl,--build-id")
FOLDER = Path(__file__).parent


def orders(name: str) -> list[Order]:
    """Every crash of a set of the zoo."""
    catalogue = SETS[name]
    return [
        Order(catalogue.family, run.program.name, _stem(run), run.build.name, run.variant.name, run.name)
        for run in catalogue.runs()
    ]


def crash(order: Order, workshop: Workshop) -> Truth | NotMade:
    """Compile and run one program. Its core dump is kept if it died of the signal that it should die of."""
    catalogue, run = _run(order.mechanism, order.build, order.variant)
    for source, library in catalogue.libraries:
        workshop.program(library, partial(_compile_library, catalogue, source))
    program = workshop.program(f"{_stem(run)}.{run.build.name}", lambda to: _compile(catalogue, run, to))
    with tempfile.TemporaryDirectory(prefix=".run-", dir=workshop.folder) as name:
        folder = Path(name)
        words = (program, run.program.name, run.variant.name)
        process = started(words, folder, dict(run.program.environment), order.cpu)
        by_itself = ended(process, SECONDS)
        cores = core_dumps(folder)
        if not by_itself or len(cores) != 1:
            return _why(process, by_itself, len(cores))
        taken = signal_in(cores[0])
        if taken is None or run.signal not in (None, taken):
            return NotMade("other signal", f"died of signal {taken}, not {run.signal}")
        kept(cores[0], workshop.folder / order.core)
        return _truth(catalogue, run, order, taken, said(folder))


def _truth(catalogue: Catalogue, run: Run, order: Order, taken: int, last_line: str) -> Truth:
    claimed = run.program.expected is not None
    return Truth(
        core=order.core,
        cause="software",
        family=catalogue.family,
        mechanism=run.program.name,
        program=_stem(run),
        build=run.build.name,
        variant=run.variant.name,
        runtime=run.program.languages[0],
        signal=taken,
        expected=run.program.expected,
        context=run.context if claimed else (),
        context_not=run.context_not if claimed else (),
        said=last_line,
        note=run.note,
    )


@cache
def _runs() -> dict[tuple[str, str, str], tuple[Catalogue, Run]]:
    return {
        (run.program.name, run.build.name, run.variant.name): (catalogue, run)
        for catalogue in SETS.values()
        for run in catalogue.runs()
    }


def _run(program: str, build: str, variant: str) -> tuple[Catalogue, Run]:
    found = _runs().get((program, build, variant))
    if found is None:
        builds = sorted({f"{key[1]} {key[2]}" for key in _runs() if key[0] == program})
        hint = f"It is there as: {', '.join(builds)}" if builds else "broadstreet lab list names them all"
        raise UsageError(f"the zoo has no {program} in build {build!r} and variant {variant!r}", hint)
    return found


def _compile(catalogue: Catalogue, run: Run, to: Path) -> None:
    sources = [FOLDER / catalogue.folder / source for source in run.program.sources]
    flags = [*run.build.flags, *COMMON_FLAGS]
    for source in run.program.sources:
        flags += catalogue.source_flags.get(source, ())
    compiled("g++" if "C++" in run.program.languages else "gcc", *flags, *sources, "-lm", "-o", to)


def _compile_library(catalogue: Catalogue, source: str, to: Path) -> None:
    compiled("gcc", *COMMON_FLAGS, "-O1", "-shared", "-fPIC", FOLDER / catalogue.folder / source, "-o", to)


def _why(process: subprocess.Popen[str], by_itself: bool, cores: int) -> NotMade:
    if cores > 1:
        return NotMade("more than one core dump")
    if not by_itself:
        return NotMade("survived", f"ran longer than {SECONDS} s")
    if process.returncode == CANNOT_BE_MADE_HERE:
        return NotMade("cannot be made here", "this processor or kernel does not refuse it")
    return NotMade(
        "no core dump",
        f"status {signal.Signals(-process.returncode).name if process.returncode < 0 else process.returncode}",
    )


def _stem(run: Run) -> str:
    return run.program.sources[0].partition(".")[0]
