"""One crash that is wanted, and the workshop in which it is made."""

import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.truth import Family

PROGRAMS = "bin"
RUN = ".run-"  # of the folder of one process: it stands in core dumps, and must not tell one cause from another


class Order(NamedTuple):
    """What to make, in words that a file can hold; `name` is that of the core dump, without its ending.

    `seed` fixes the plan: the moment, the place, the bit. `cpu` pins the process.
    """

    family: Family
    mechanism: str
    program: str
    build: str
    variant: str
    name: str
    seed: str | None = None
    cpu: int | None = None

    @property
    def core(self) -> str:
        return f"{self.name}.core"


class NotMade(NamedTuple):
    """An order that left no core dump: in one word for counting, and why."""

    outcome: str
    why: str = ""


class Workshop:
    """A folder in which crashes are made; each program is compiled once, under `bin/` or a folder of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        (self.folder / PROGRAMS).mkdir(parents=True, exist_ok=True)
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()

    def program(self, name: str, build: Callable[[Path], None]) -> Path:
        """The program of this name; `build` writes it where it is not there yet."""
        place = self.folder / PROGRAMS / name
        with self._lock:
            lock = self._locks[name]
        with lock:
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                unfinished = place.with_name(f".{place.name}")
                build(unfinished)
                unfinished.rename(place)
        return place


def compiled(compiler: str, *words: str | Path) -> None:
    """Run a compiler; where there is none, or it refuses, say what to do."""
    if shutil.which(compiler) is None:
        raise UsageError(f"{compiler} is not installed", f"On Debian and Ubuntu: apt-get install {PACKAGES[compiler]}")
    done = subprocess.run([compiler, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{compiler} cannot build {words[-1]}", done.stderr.strip()[-600:] or "It did not say why.")


PACKAGES = {
    "gcc": "gcc libc6-dev",
    "g++": "g++",
    "clang": "clang",
    "clang++": "clang",
    "python3": "python3",
    "Python.h": "python3-dev",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu libc6-dev-arm64-cross",
    "qemu-aarch64": "qemu-user",
}
