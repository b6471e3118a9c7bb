"""One process that may dump a core: its limits, its end, its core. Shared by the injector and the imitators.

The kernel writes the core into the folder of the process if core_pattern is a plain name; a pipe would give it away.
"""

import fcntl
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

OUTCOMES = ("crashed", "survived", "exited", "no place", "too late")
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
LARGEST_DATA_BYTES = 1 << 30  # a corrupted size must not take the machine's memory
MOST_CPU_SECONDS = 20  # ends what a killed campaign leaves behind
LEAST_FREE_BYTES = 4 << 30
ELF_MAGIC = b"\x7fELF"
SAID = "said"


class Truth(NamedTuple):
    """What is known of a core because we made it. `seed` is null where no chance was involved."""

    core: str
    cause: str
    kind: str
    mode: str
    victim: str
    seed: str | None
    parameters: dict[str, str | int]


class CannotDump(Exception):
    """This machine would not write a core where it can be found."""


def started(command: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    """A process in a folder of its own, which will hold its core and, in `said`, its standard error."""
    with (folder / SAID).open("wb") as errors:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=_limits)


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_DATA, (LARGEST_DATA_BYTES, LARGEST_DATA_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))


@contextmanager
def the_kernel_dumps() -> Iterator[None]:
    """Inside, a process that crashes leaves a core in its own folder. Changes core_pattern only if it must."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != resource.RLIM_INFINITY:
        raise CannotDump(f"the hard limit for core files is {hard} bytes; raise it: ulimit -Hc unlimited")
    pattern = CORE_PATTERN.read_text()
    if "|" not in pattern and "/" not in pattern and pattern.strip():
        yield
        return
    with (Path(tempfile.gettempdir()) / "core_pattern.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pattern = CORE_PATTERN.read_text()
        _set_core_pattern("core\n", pattern)
        try:
            yield
        finally:
            _set_core_pattern(pattern, "core")


def _set_core_pattern(wanted: str, found: str) -> None:
    try:
        CORE_PATTERN.write_text(wanted)
    except OSError as reason:
        hint = f"as root: echo {wanted.strip()!r} > {CORE_PATTERN}"
        raise CannotDump(f"core_pattern is {found.strip()!r} and cannot be changed ({reason}); {hint}") from reason


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ended by itself in that time. If not, it is killed. The core is complete on return."""
    handle = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        by_itself = bool(poll.poll(int(seconds * 1000)))
        if not by_itself:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)
    process.wait()
    return by_itself


def signal_of(process: subprocess.Popen[bytes]) -> int:
    """The signal that ended the process; 0 after an ordinary exit."""
    return max(0, -process.returncode)


def keep(process: subprocess.Popen[bytes], folder: Path, out: Path, truth: Truth) -> None:
    """Move the core of a crash out of its folder (a rename keeps its holes) and write its line of truth."""
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise CannotDump(f"{free} bytes free beside {truth.core}; wanted {LEAST_FREE_BYTES}")
    cores = [path for path in folder.iterdir() if path.name.startswith("core")]
    if len(cores) != 1 or _magic(cores[0]) != ELF_MAGIC:
        raise CannotDump(f"{truth.core}: wanted one core in the folder of the process, found {cores}")
    cores[0].rename(out / truth.core)
    line = truth._asdict() | {"signal": signal_of(process), "said": _last_line(folder / SAID)}
    with (out / "truth.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _last_line(errors: Path) -> str:
    lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:200] if lines else ""


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(ELF_MAGIC))
