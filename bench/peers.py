"""The debuggers that the figures are compared with, where they are installed."""

import importlib.util
import logging
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bench.cost import environment

GDB, EU_STACK, DRGN = "gdb", "eu-stack", "drgn"
_THREAD = re.compile(r"^TID (\d+):")
_FRAME = re.compile(r"^#\d+\s+0x([0-9a-f]+)")
_ERROR = re.compile(r"^\S*eu-stack: .*\btid (\d+)\b.*: (.*)$")
_DRGN_PROCESS = "import sys; from bench.peers import drgn_frames; print(drgn_frames(sys.argv[1]))"


class PeerThread(NamedTuple):
    """One thread as eu-stack shows it: the pcs, innermost first, and why it stopped where it says so."""

    pcs: tuple[int, ...]
    error: str | None


def available(name: str) -> bool:
    """Whether a peer, or another command, can be run here."""
    if name == DRGN:
        return importlib.util.find_spec("drgn") is not None
    return shutil.which(name) is not None


def command(name: str, executable: Path, core: Path) -> list[str]:
    """The command that makes this peer print a backtrace of a core dump."""
    if name == GDB:
        return ["gdb", "-nx", "-batch", "-ex", "bt", str(executable), str(core)]
    if name == EU_STACK:
        return ["eu-stack", f"--core={core}"]
    return [sys.executable, "-c", _DRGN_PROCESS, str(core)]


def drgn_frames(core: str) -> int:
    """How many frames drgn finds in the crashing thread, in this process, with all that it must load anew."""
    import drgn

    logging.getLogger("drgn").setLevel(logging.ERROR)  # it warns of each binary without debug information
    program = drgn.Program()
    program.set_core_dump(core)
    with suppress(drgn.MissingDebugInfoError):  # distributions ship programs without it; unwind tables were loaded
        program.load_default_debug_info()
    return len(str(program.crashed_thread().stack_trace()).splitlines())


def eu_stack_threads(core: Path) -> dict[int, PeerThread]:
    """Every thread's pcs as eu-stack finds them, by thread id."""
    done = subprocess.run(
        ["eu-stack", f"--core={core}"], capture_output=True, text=True, errors="replace", env=environment()
    )
    pcs: dict[int, list[int]] = {}
    tid = 0
    for line in done.stdout.splitlines():
        if thread := _THREAD.match(line):
            tid = int(thread[1])
            pcs[tid] = []
        elif frame := _FRAME.match(line):
            pcs[tid].append(int(frame[1], 16))
    errors = {int(found[1]): found[2] for found in map(_ERROR.match, done.stderr.splitlines()) if found}
    return {tid: PeerThread(tuple(found), errors.get(tid)) for tid, found in pcs.items()}


def version(name: str) -> str:
    """What a peer, or another command, calls its version."""
    if name == DRGN:
        import drgn

        return f"drgn {drgn.__version__}"
    shown = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
    return shown.splitlines()[0] if shown else name
