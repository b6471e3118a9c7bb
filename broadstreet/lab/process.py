"""One process that may dump a core: its limits, its end, its core dump."""

import os
import select
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from broadstreet.formats import elf
from broadstreet.lab import guard
from broadstreet.lab.kernel import CannotDump

LARGEST_DATA_BYTES = 1 << 30  # a corrupted size must not take the machine's memory
MOST_CPU_SECONDS = 20  # ends what a killed lab leaves behind
# Limits hold before the first instruction; without a fork of this many-threaded process between.
LIMITED = (
    "/bin/sh",
    "-c",
    f'ulimit -d {LARGEST_DATA_BYTES >> 10}; ulimit -t {MOST_CPU_SECONDS}; exec "$@"',
    "sh",
)
LEAST_FREE_BYTES = 2 << 30
SAID = "said"
LONGEST_WORD = 200

NT_PRSTATUS = 1
SIGNAL_OFFSET = 12  # pr_cursig in struct elf_prstatus, include/linux/elfcore.h


def started(
    command: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    cpu: int | None = None,
    told: int = subprocess.DEVNULL,
    heard: int = subprocess.DEVNULL,
) -> subprocess.Popen[str]:
    """A process in a folder of its own, which will hold its core dump and, in `said`, its standard error.

    It runs on one CPU if one is named. `told` is its standard input, `heard` its standard output.
    """
    with (folder / SAID).open("wb") as errors, _on(cpu):
        process = subprocess.Popen(
            [*LIMITED, *map(str, command)],
            cwd=folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **(environment or {})},
            stdin=told,
            stdout=heard,
            stderr=errors,
            start_new_session=True,
            text=True,
        )
    guard.watch(process.pid)
    return process


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Inside, the process runs; whatever happens there, it has ended afterwards."""
    try:
        yield process
    finally:
        if process.returncode is None:
            ended(process, 0)
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


@contextmanager
def _on(cpu: int | None) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    try:
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})  # of this thread, and so of what it starts
        yield
    finally:
        os.sched_setaffinity(0, before)


def ended(process: subprocess.Popen[str], seconds: float) -> bool:
    """Whether the process ended by itself in that time. If not, it is killed. Its core dump is complete on return."""
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
    kill_what_is_left(process)
    guard.forget(process.pid)
    return by_itself


def kill_what_is_left(process: subprocess.Popen[str]) -> None:
    """End the children that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)  # its session has its number
    except (ProcessLookupError, PermissionError):
        return


def signal_of(process: subprocess.Popen[str]) -> int:
    """The signal that ended the process; 0 after an ordinary exit."""
    return max(0, -(process.returncode or 0))


def core_dumps(folder: Path) -> list[Path]:
    """What the kernel wrote into the folder of a process, under whatever name."""
    return [path for path in folder.iterdir() if path.is_file() and _is_core_dump(path)]


def enough_room(folder: Path) -> None:
    """Refuse to make more where the disk is nearly full."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE_BYTES:
        raise CannotDump(
            f"{free >> 20} MiB are free in {there}, wanted {LEAST_FREE_BYTES >> 20}",
            "Make room, or give another --output.",
        )


def kept(core: Path, place: Path) -> None:
    """Move a core dump out of the folder of its process; a rename keeps its holes."""
    enough_room(place.parent)
    core.rename(place)


def said(folder: Path) -> str:
    """The last line that the process wrote on its standard error."""
    lines = (folder / SAID).read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1][:LONGEST_WORD] if lines else ""


def signal_in(core: Path) -> int | None:
    """The signal of the first thread of a core dump; null without a thread's note."""
    with core.open("rb") as file:
        header = file.read(64)
        (table,) = struct.unpack_from("<Q", header, 32)
        entry_size, entries = struct.unpack_from("<HH", header, 54)
        for entry in range(entries):
            file.seek(table + entry * entry_size)
            kind, offset = struct.unpack("<I4xQ", file.read(16))
            if kind == elf.PT_NOTE:
                file.seek(offset)
                name_size, _, note_type = struct.unpack("<III", file.read(12))
                file.seek(((name_size + 3) & ~3) + SIGNAL_OFFSET, os.SEEK_CUR)
                return int.from_bytes(file.read(2), "little") if note_type == NT_PRSTATUS else None
    return None


def _is_core_dump(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == elf.MAGIC and len(head) == 18 and head[16] == elf.ET_CORE
