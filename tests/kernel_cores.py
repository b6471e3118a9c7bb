"""Core dumps that the running kernel writes: of programs that a test compiles on the spot, or of installed ones."""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from broadstreet.lab.kernel import CannotDump, the_kernel_dumps
from broadstreet.lab.process import ended, started

LONGEST_RUN_SECONDS = 20


def compiled(folder: Path, source: str, *flags: str, compiler: str = "gcc", name: str = "program") -> Path:
    """The program of this C or C++ source."""
    if shutil.which(compiler) is None:
        raise CannotDump(f"{compiler} is not installed")
    if platform.machine() != "x86_64":
        raise CannotDump(f"the programs of these tests are for x86-64, this machine is {platform.machine()}")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / (f"{name}.cc" if compiler.endswith("++") else f"{name}.c")
    file.write_text(source)
    command = [compiler, "-w", "-pthread", "-Wl,--build-id", *flags, str(file), "-o", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotDump(f"{compiler} cannot build {name}: {done.stderr[:300]}")
    return folder / name


def dumped(folder: Path, *command: str) -> Path:
    """The core dump of a program that crashes by itself."""
    with the_kernel_dumps(), tempfile.TemporaryDirectory(prefix="run-", dir=folder) as run:
        process = started(command, Path(run))
        if not ended(process, LONGEST_RUN_SECONDS):
            raise CannotDump(f"{command[0]} did not end within {LONGEST_RUN_SECONDS} s")
        cores = [path for path in Path(run).iterdir() if path.name.startswith("core")]
        if len(cores) != 1:
            raise CannotDump(f"{command[0]} left {len(cores)} core dumps, status {process.returncode}")
        kept = folder / f"{Path(command[0]).name}.{process.pid}.core"
        return cores[0].rename(kept)


def said_by(*command: str, variables: Mapping[str, str] | None = None) -> str:
    """What another tool prints; the test is skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(variables or {})})
    return done.stdout


@contextmanager
def skipped_without() -> Iterator[None]:
    """Inside, a core dump that this machine cannot make skips the test, and says why."""
    try:
        yield
    except CannotDump as reason:
        pytest.skip(str(reason))
