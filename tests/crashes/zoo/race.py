"""Make true specimens of the 18-year-old race in GNU libunwind (issue 927).

python -m tests.crashes.zoo.race OUT

`_Ux86_64_setcontext` loads rsp and only then reads the target rip from a context that now lies below the stack. A
signal between the two instructions lets the kernel and the handler write over it. Left to chance this takes hours;
here ptrace stops the thread between them, with a hardware breakpoint, so that no byte of code is ever changed, and
delivers the signal there. What follows is the bug itself: nothing else in the process is touched.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crashes.faults import ptrace
from tests.crashes.faults.trial import CannotDump, the_kernel_dumps
from tests.crashes.zoo.make import COMMON_FLAGS, core_signal

LOAD_RSP = bytes.fromhex("488ba7a0000000")  # mov 0xa0(%rdi),%rsp
LOAD_TARGET = bytes.fromhex("488b8fa8000000")  # mov 0xa8(%rdi),%rcx, which follows it
LIBRARY = "libunwind.so.8"

PTRACE_POKEUSER = 6
DEBUG_REGISTERS = 848  # u_debugreg in struct user, arch/x86/include/asm/user_64.h
DR7_EXECUTE_DR0 = 1  # local enable of breakpoint 0; type and length zero: execution

TIME_LIMIT_SECONDS = 10


@dataclass(frozen=True)
class Specimen:
    build: str
    flags: tuple[str, ...]
    kind: str
    depth: int
    clean_up: int  # the signal comes at this clean-up, counted from the throw
    thread: bool = False

    @property
    def name(self) -> str:
        place = "thread" if self.thread else "main"
        return f"race.{self.build}.{self.kind}-{self.depth}-{self.clean_up}-{place}"


SPECIMENS = (
    Specimen("O0", ("-O0",), "number", 0, 0),
    Specimen("O0", ("-O0",), "pressure", 2, 1),
    Specimen("O0", ("-O0",), "memory", 6, 0, thread=True),
    Specimen("O1", ("-O1",), "pressure", 1, 0),
    Specimen("O1", ("-O1",), "number", 4, 3),
    Specimen("O2", ("-O2",), "pressure", 0, 0),
    Specimen("O2", ("-O2",), "pressure", 12, 5),
    Specimen("O2", ("-O2",), "memory", 3, 2),
    Specimen("O2", ("-O2",), "number", 2, 0, thread=True),
    Specimen("O2-fp", ("-O2", "-fno-omit-frame-pointer"), "pressure", 3, 1),
    Specimen("O3-nopie", ("-O3", "-no-pie", "-fno-pie"), "pressure", 5, 4),
    Specimen("O3-nopie", ("-O3", "-no-pie", "-fno-pie"), "memory", 1, 1, thread=True),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes.zoo.race", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out.resolve()
    (out / "bin").mkdir(parents=True, exist_ok=True)
    made = []
    try:
        with the_kernel_dumps():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            for specimen in SPECIMENS:
                outcome = make(specimen, out)
                if outcome == "core":
                    made.append(specimen)
                else:
                    print(f"{specimen.name}: {outcome}")
    except CannotDump as reason:
        sys.exit(str(reason))
    (out / "truth.jsonl").write_text("".join(json.dumps(_truth(specimen)) + "\n" for specimen in made))
    print(f"{len(made)} core of {len(SPECIMENS)}")


def make(specimen: Specimen, out: Path) -> str:
    """Compile and crash one specimen. Returns "core", or why there is none."""
    program = _compile(specimen, out)
    with tempfile.TemporaryDirectory(prefix="race-run-", dir=out) as folder:
        with _started(program, specimen, Path(folder)) as process:
            try:
                _strike(process, specimen)
            except ProcessLookupError as reason:
                return str(reason)
            process.wait(TIME_LIMIT_SECONDS)
        cores = [path for path in Path(folder).iterdir() if path.name.startswith("core")]
        if len(cores) != 1:
            return f"did not dump, status {process.returncode}"
        if core_signal(cores[0]) != signal.SIGSEGV:
            return f"died of signal {core_signal(cores[0])}"
        shutil.move(cores[0], out / f"{specimen.name}.core")
    return "core"


def _compile(specimen: Specimen, out: Path) -> Path:
    program = out / "bin" / f"race.{specimen.build}"
    source = Path(__file__).parent / "programs" / "race.cc"
    # Before libstdc++ and libgcc_s in the search order, so that its _Unwind_RaiseException wins.
    library = ("-Wl,--no-as-needed", "-lunwind")
    done = subprocess.run(["g++", *specimen.flags, *COMMON_FLAGS, source, *library, "-o", program], check=False)
    if done.returncode:
        sys.exit("cannot link with GNU libunwind; on Debian: apt-get install libunwind-dev")
    return program


@contextlib.contextmanager
def _started(program: Path, specimen: Specimen, folder: Path) -> Iterator[subprocess.Popen[str]]:
    words = [str(program), specimen.kind, str(specimen.depth), *(["thread"] if specimen.thread else [])]
    process = subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _strike(process: subprocess.Popen[str], specimen: Specimen) -> None:
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    thread = int(max(os.listdir(f"/proc/{process.pid}/task"), key=int))
    window = _window(process.pid)
    ptrace.seize(thread)
    ptrace.interrupt(thread)
    _break_at(thread, window)
    process.stdin.write("go\n")
    process.stdin.flush()
    for _ in range(specimen.clean_up + 1):
        ptrace.go_on(thread)
        stopped_by = ptrace.wait_for_stop(thread)
        at = ptrace.registers(thread)["rip"]
        if stopped_by != signal.SIGTRAP or at != window:
            raise ProcessLookupError(f"wanted a stop at {window:#x}, found signal {stopped_by} at {at:#x}")
    _break_at(thread, None)
    _ptrace(ptrace.PTRACE_DETACH, thread, 0, signal.SIGUSR2)


def _window(pid: int) -> int:
    """The address between the two instructions in the process."""
    code = [mapping for mapping in ptrace.mappings(pid) if LIBRARY in mapping.name and "x" in mapping.permissions]
    for mapping in code:
        found = ptrace.memory(pid, mapping.start, mapping.end - mapping.start).find(LOAD_RSP + LOAD_TARGET)
        if found >= 0:
            return mapping.start + found + len(LOAD_RSP)
    sys.exit(f"{LIBRARY} of process {pid} does not load rsp before the target, or is not used: nothing to strike")


def _break_at(thread: int, address: int | None) -> None:
    _ptrace(PTRACE_POKEUSER, thread, DEBUG_REGISTERS, address or 0)
    _ptrace(PTRACE_POKEUSER, thread, DEBUG_REGISTERS + 7 * 8, 0 if address is None else DR7_EXECUTE_DR0)


def _ptrace(request: int, thread: int, address: int, data: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, thread, address, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace request {request} on thread {thread}: {os.strerror(error)}")


def _truth(specimen: Specimen) -> dict[str, object]:
    return {
        "core": f"{specimen.name}.core",
        "program": "race",
        "build": specimen.build,
        "variant": specimen.name.rpartition(".")[2],
        "expected": ["return_to_null"],
        "context": ["unwinding_exception"],
        "context_not": ["in_signal_handler", "re_raised", "forked_child"],
        "signal": int(signal.SIGSEGV),
        "cause": "software",
        "note": "GNU libunwind issue 927: SIGUSR2 between the loads of rsp and rip in _Ux86_64_setcontext",
    }


if __name__ == "__main__":
    main()
