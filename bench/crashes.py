"""Programs made on the spot, and the core dumps of their crashes, in a folder that is removed afterwards."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
ELF_MAGIC = b"\x7fELF"
TIME_LIMIT_SECONDS = 120
FREE_BYTES = 8 << 30  # the cores of a whole run take about 5 GB
DEEP_CORES, THREAD_CORES, NUMPY_CORES = 40, 12, 24
SMALL_HEAP, LARGE_HEAP = "10", "2048"  # megabytes
THREADS = "500"


class CannotMake(Exception):
    """This machine lacks what a part needs."""


@dataclass(frozen=True)
class Crashes:
    """One program and the core dumps of several runs of it, each with its own addresses."""

    title: str
    executable: Path
    cores: tuple[Path, ...]


class Workshop:
    """Makes each set of crashes when it is first asked for, and keeps it for the other parts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, Crashes] = {}

    def deep(self) -> Crashes:
        """C++, thirty frames deep in a shared library, 10 MB of heap."""
        return self._once("C++, 30 frames, 10 MB", "deep", [SMALL_HEAP], DEEP_CORES)

    def deep_large(self) -> Crashes:
        """The same with 2 GB of heap."""
        return self._once("C++, 30 frames, 2 GB", "deep", [LARGE_HEAP], 1)

    def threads(self) -> Crashes:
        """C, 500 threads."""
        return self._once("C, 501 threads", "threads", [THREADS], THREAD_CORES)

    def numpy(self) -> Crashes:
        """python3 with numpy and ctypes, and the threads of both."""
        title = "python3 with numpy"
        if title not in self._made:
            python = python_with_numpy()
            command = [str(python), str(PROGRAMS / "numpy_crash.py")]
            cores = tuple(crash(command, self.folder / f"numpy{index}") for index in range(NUMPY_CORES))
            self._made[title] = Crashes(title, python.resolve(), cores)
        return self._made[title]

    def ordinary(self) -> list[Crashes]:
        """The three programs that the issue names."""
        return [self.deep(), self.numpy(), self.threads()]

    def _once(self, title: str, name: str, arguments: list[str], count: int) -> Crashes:
        if title not in self._made:
            executable = compiled(self.folder, name)
            folders = [self.folder / f"{name}-{arguments[0]}-{index}" for index in range(count)]
            cores = tuple(crash([str(executable), *arguments], folder) for folder in folders)
            self._made[title] = Crashes(title, executable, cores)
        return self._made[title]


@contextmanager
def workshop() -> Iterator[Workshop]:
    """A workshop in a folder of its own. Raises CannotMake where no core dump would be left behind."""
    pattern = CORE_PATTERN.read_text().strip()
    if not pattern or "|" in pattern or "/" in pattern:
        raise CannotMake(
            f"core_pattern is {pattern!r}, so a core dump would not stay in the folder of its program.\n"
            "  While measuring: echo core | sudo tee /proc/sys/kernel/core_pattern"
        )
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != resource.RLIM_INFINITY:
        raise CannotMake(f"the hard limit for core dumps is {hard} bytes; as root: ulimit -Hc unlimited")
    if shutil.disk_usage(tempfile.gettempdir()).free < FREE_BYTES:
        raise CannotMake(f"less than {FREE_BYTES >> 30} GiB are free in {tempfile.gettempdir()}; set TMPDIR")
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="broadstreet-bench-") as folder:
        yield Workshop(Path(folder))


def compiled(folder: Path, name: str) -> Path:
    """The program of this name, compiled once."""
    out = folder / name
    if out.exists():
        return out
    if name == "deep":
        library = folder / "libdeep.so"
        compile_program([str(PROGRAMS / "deep_library.cc"), "-fPIC", "-shared"], library)
        linked = [str(PROGRAMS / "deep.cc"), f"-L{folder}", "-ldeep", f"-Wl,-rpath,{folder}"]
        return compile_program(linked, out)
    return compile_program([str(PROGRAMS / f"{name}.c"), "-pthread"], out)


def compile_program(arguments: Sequence[str], out: Path, optimise: str = "-O2") -> Path:
    """Compile C or C++; the compiler is named in the message where it is missing."""
    compiler = "g++" if arguments[0].endswith(".cc") else "gcc"
    if shutil.which(compiler) is None:
        raise CannotMake(f"{compiler} is not here. On Debian and Ubuntu: apt-get install {compiler}")
    subprocess.run([compiler, optimise, "-w", "-Wl,--build-id", *arguments, "-o", str(out)], check=True)
    return out


def crash(command: Sequence[str], folder: Path) -> Path:
    """Run a command in a new folder and return the core dump that it left there."""
    folder.mkdir()
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, timeout=TIME_LIMIT_SECONDS)
    return core_in(folder, command[0])


def core_in(folder: Path, what: str) -> Path:
    """The one core dump in a folder."""
    cores = [path for path in folder.iterdir() if path.open("rb").read(4) == ELF_MAGIC]
    if len(cores) != 1:
        raise CannotMake(f"{what} left {len(cores)} core dumps, not one")
    return cores[0]


def python_with_numpy() -> Path:
    """A python3 that can import numpy: ours, else Debian's."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        if os.path.exists(candidate):
            command = [candidate, "-c", "import numpy"]
            if subprocess.run(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL).returncode == 0:
                return Path(candidate)
    raise CannotMake("no python3 with numpy is here: .venv/bin/pip install -e '.[bench]'")
