"""`broadstreet` as processes of their own, each the head of a process group that can be killed as one."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
LONGEST_SECONDS = 60


def started(
    *arguments: object, batch: int | None = None, out: int = subprocess.PIPE, **environment: str
) -> "subprocess.Popen[bytes]":
    """The command, running; with a batch size that is not its own, or as it is."""
    program = ["broadstreet"] if batch is None else ["tests.store.chaos.command", str(batch)]
    return subprocess.Popen(
        [sys.executable, "-m", *program, *map(str, arguments)],
        cwd=ROOT,
        env=_environment(environment),
        stdout=out,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(process: "subprocess.Popen[bytes]") -> "subprocess.CompletedProcess[bytes]":
    """What it wrote, when it has ended."""
    out, err = process.communicate(timeout=LONGEST_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def run(*arguments: object, batch: int | None = None, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """The command, run to its end."""
    return ended(started(*arguments, batch=batch, **environment))


def scan(
    cores: Path, casebook: object, *more: object, batch: int | None = None, **environment: str
) -> "subprocess.CompletedProcess[bytes]":
    """A scan into a casebook with two workers, run to its end."""
    return run(*scan_of(cores, casebook), *more, batch=batch, **environment)


def scan_of(cores: Path, casebook: object) -> tuple[object, ...]:
    """The arguments of a scan into a casebook with two workers."""
    return ("scan", cores, "--casebook", casebook, "-o", "ndjson", "--workers", 2, "--progress", "none")


def workers(process: int) -> list[int]:
    """The workers of a scan that runs, by their process ids."""
    return [pid for pid in _group(process) if b"spawn_main" in _command(pid)]


def left_over(process: int, seconds: float = 10) -> list[bytes]:
    """The commands of its process group that still run, after waiting for them to end."""
    deadline = time.monotonic() + seconds
    while (left := _group(process)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [_command(pid) for pid in left]


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("BROADSTREET_", "COV_"))}
    return {**own, **more}


def _group(leader: int) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, _, group = Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state != "Z":
            found.append(int(name))
    return found


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return b""
