"""A thin layer over ptrace(2), x86-64 Linux: stop a process, read and change it, let it go.

All calls for one process must come from the thread that seized it (ptrace(2), "Description").
PTRACE_SEIZE is used, not PTRACE_ATTACH: it leaves no SIGSTOP behind that a core dump could show.
"""

import ctypes
import os
import signal
from collections.abc import Iterator
from typing import NamedTuple

PTRACE_PEEKDATA = 2
PTRACE_POKEDATA = 5
PTRACE_POKEUSER = 6
PTRACE_CONT = 7
PTRACE_SINGLESTEP = 9
PTRACE_GETREGS = 12
PTRACE_SETREGS = 13
PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_O_EXITKILL = 1 << 20
PTRACE_EVENT_STOP = 128

DEBUG_REGISTERS = 848  # u_debugreg in struct user, arch/x86/include/asm/user_64.h
DR7_EXECUTE_DR0 = 1  # local enable of breakpoint 0; type and length zero: execution

WORD = 8
WORD_MASK = (1 << 64) - 1
NO_SYSCALL = WORD_MASK  # orig_rax after an interrupt or an exception, arch/x86/entry/entry_64.S

# struct user_regs_struct, arch/x86/include/asm/user_64.h, in its order.
REGISTERS = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
    "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
)  # fmt: skip
GENERAL = (
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
)  # fmt: skip

Registers = dict[str, int]

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_libc.ptrace.restype = ctypes.c_long


class Mapping(NamedTuple):
    """One line of /proc/PID/maps."""

    start: int
    end: int
    permissions: str
    name: str


def seize(pid: int) -> None:
    """Begin to trace. The process runs on; it dies if the tracer dies before it lets go."""
    _ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL)


def interrupt(pid: int) -> None:
    """Stop a seized process, and return when it stands. If a signal comes first, the process is let go with it."""
    _ptrace(PTRACE_INTERRUPT, pid)
    status = _stop(pid)
    if status >> 16 != PTRACE_EVENT_STOP:
        detach(pid, os.WSTOPSIG(status))
        raise ProcessLookupError(f"process {pid} took signal {os.WSTOPSIG(status)} before it could be stopped")


def detach(pid: int, signal_number: int = 0) -> None:
    """Let the process run on as if it had never been traced; with a signal, if one is given."""
    _ptrace(PTRACE_DETACH, pid, 0, signal_number)


def go_on(pid: int) -> None:
    """Let a stopped process run until something stops it."""
    _ptrace(PTRACE_CONT, pid)


def break_at(pid: int, address: int | None) -> None:
    """Stop before the instruction at this address, by a debug register: no byte of code is changed. Null: no more."""
    _ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTERS, address or 0)
    _ptrace(PTRACE_POKEUSER, pid, DEBUG_REGISTERS + 7 * 8, 0 if address is None else DR7_EXECUTE_DR0)


def single_step(pid: int) -> None:
    """Execute one instruction."""
    _ptrace(PTRACE_SINGLESTEP, pid)
    stopped_by = wait_for_stop(pid)
    if stopped_by != signal.SIGTRAP:
        raise ProcessLookupError(f"process {pid}: wanted a stop by SIGTRAP after one step, found signal {stopped_by}")


def wait_for_stop(pid: int) -> int:
    """The signal that stopped the process."""
    return os.WSTOPSIG(_stop(pid))


def _stop(pid: int) -> int:
    # An end is left to whoever started the process: waiting for it here would take its exit status away.
    seen = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    if seen is None or seen.si_code in (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED):
        raise ProcessLookupError(f"process {pid} ended while it was traced")
    return os.waitpid(pid, 0)[1]


def registers(pid: int) -> Registers:
    """Those of a stopped process."""
    block = (ctypes.c_uint64 * len(REGISTERS))()
    _ptrace(PTRACE_GETREGS, pid, 0, ctypes.addressof(block))
    return dict(zip(REGISTERS, block, strict=True))


def set_registers(pid: int, values: Registers) -> None:
    """Give a stopped process all of these."""
    block = (ctypes.c_uint64 * len(REGISTERS))(*(values[name] for name in REGISTERS))
    _ptrace(PTRACE_SETREGS, pid, 0, ctypes.addressof(block))


def peek(pid: int, address: int) -> int:
    """The word at an address."""
    ctypes.set_errno(0)
    word: int = _libc.ptrace(PTRACE_PEEKDATA, pid, address, 0)
    if word == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace: no word of process {pid} at {address:#x}")
    return word & WORD_MASK


def poke(pid: int, address: int, word: int) -> None:
    """Write a word, also where the process itself could not (code: the page becomes a private copy)."""
    _ptrace(PTRACE_POKEDATA, pid, address, word)


def memory(pid: int, address: int, size: int) -> bytes:
    """Up to `size` bytes at an address; fewer where the mapping ends, none where nothing is mapped."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
        try:
            return os.pread(file.fileno(), size, address)
        except OSError:
            return b""


def mappings(pid: int) -> list[Mapping]:
    """What is mapped, in the order of addresses."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as lines:
        return list(_mappings(lines))


def _mappings(lines: Iterator[str]) -> Iterator[Mapping]:
    for line in lines:
        fields = line.split(maxsplit=5)
        start, end = (int(part, 16) for part in fields[0].split("-"))
        yield Mapping(start, end, fields[1], fields[5].rstrip("\n") if len(fields) > 5 else "")


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, pid, address, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace request {request:#x} on process {pid}: {os.strerror(error)}")
