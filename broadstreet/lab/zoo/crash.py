"""One program of the zoo: compile it, let it crash, keep the core dump with what is true of it.

A program whose first source is a script is run by python3, and its C sources are built as an extension module.
"""

import signal
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from shutil import which

from broadstreet.errors import UsageError
from broadstreet.lab.order import PACKAGES, PROGRAMS, RUN, NotMade, Order, Workshop, compiled
from broadstreet.lab.process import core_dumps, ended, kept, said, signal_in, started
from broadstreet.lab.truth import Truth
from broadstreet.lab.zoo.entries import Catalogue, Run
from broadstreet.lab.zoo.zoo import SETS

SECONDS = 10.0
CANNOT_BE_MADE_HERE = 77  # exit status, see programs/harness.h
COMMON_FLAGS = ("-g0", "-w", "-pthread", "-Wl,--build-id")
FOLDER = Path(__file__).parent
COMPILERS = {"gcc": ("gcc", "g++"), "clang": ("clang", "clang++")}  # for C, and for C++
PYTHON = "/usr/bin/python3"


def orders(name: str) -> list[Order]:
    """Every crash of a set of the zoo, but for those that cannot be made for want of a second compiler or of Python."""
    catalogue = SETS[name]
    return [
        Order(catalogue.family, run.program.name, _stem(run), run.build.name, run.variant.name, run.name)
        for run in catalogue.runs()
        if _missing(run) is None
    ]


def left_out(name: str) -> dict[str, int]:
    """What this machine lacks for the others, and how many they are."""
    counts: dict[str, int] = {}
    for missing in map(_missing, SETS[name].runs()):
        if missing is not None:
            counts[missing] = counts.get(missing, 0) + 1
    return counts


def crash(order: Order, workshop: Workshop) -> Truth | NotMade:
    """Compile and run one program. Its core dump is kept if it died of the signal that it should die of."""
    catalogue, run = _run(order.mechanism, order.build, order.variant)
    missing = _missing(run)
    if missing is not None:
        raise UsageError(
            f"{order.name}: no {missing} here", f"On Debian and Ubuntu: apt-get install {PACKAGES[missing]}"
        )
    words, variables = (_script if _is_script(run) else _program)(catalogue, run, workshop)
    with tempfile.TemporaryDirectory(prefix=RUN, dir=workshop.folder) as name:
        folder = Path(name)
        process = started((*words, run.program.name, run.variant.name), folder, variables, order.cpu)
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


def _is_script(run: Run) -> bool:
    return run.program.languages[0] == "Python"


def _missing(run: Run) -> str | None:
    if not _is_script(run):
        c, cpp = COMPILERS[run.build.compiler]
        # gcc is needed for anything: without it the first order says so.
        return None if c == "gcc" or which(cpp) else cpp
    if which(PYTHON) is None:
        return "python3"
    return "Python.h" if len(run.program.sources) > 1 and _headers() is None else None


Command = tuple[tuple[str | Path, ...], Mapping[str, str]]


def _program(catalogue: Catalogue, run: Run, workshop: Workshop) -> Command:
    for source, library in catalogue.libraries:
        workshop.program(library, partial(_compile_library, catalogue, source))
    program = workshop.program(f"{_stem(run)}.{run.build.name}", lambda to: _compile(catalogue, run, to))
    return (program,), dict(run.program.environment)


def _script(catalogue: Catalogue, run: Run, workshop: Workshop) -> Command:
    script, *extensions = run.program.sources
    for source in extensions:
        workshop.program(f"{source.partition('.')[0]}.so", partial(_compile_extension, catalogue, source))
    return (PYTHON, FOLDER / catalogue.folder / script), {"PYTHONPATH": str(workshop.folder / PROGRAMS)}


@cache
def _headers() -> Path | None:
    words = (PYTHON, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])")
    folder = Path(subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip())
    return folder if (folder / "Python.h").exists() else None


def _compile_extension(catalogue: Catalogue, source: str, to: Path) -> None:
    place = FOLDER / catalogue.folder / source
    compiled("gcc", *COMMON_FLAGS, "-O2", "-shared", "-fPIC", f"-I{_headers()}", place, "-o", to)


def _compile(catalogue: Catalogue, run: Run, to: Path) -> None:
    sources = [FOLDER / catalogue.folder / source for source in run.program.sources]
    flags = [*run.build.flags, *COMMON_FLAGS]
    for source in run.program.sources:
        flags += catalogue.source_flags.get(source, ())
    compiler = COMPILERS[run.build.compiler]["C++" in run.program.languages]
    compiled(compiler, *flags, *sources, "-lm", "-o", to)


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
