"""The notes of a core dump, in the order in which Linux writes them (fs/binfmt_elf.c, write_note_info)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from tests.synth.description import PAGE_BYTES, Architecture, Core, Fault, Map, Note, Process, Signal, Thread

NT_PRSTATUS, NT_PRFPREG, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_SIGINFO, NT_FILE = 0x53494749, 0x46494C45
AT_NULL = 0

# arch/x86/include/asm/user_64.h struct user_regs_struct; arch/arm64/include/uapi/asm/ptrace.h struct user_pt_regs
REGISTER_ORDER: dict[Architecture, tuple[str, ...]] = {
    "x86_64": tuple(
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
        "fs_base gs_base ds es fs gs".split()
    ),
    "aarch64": (*(f"x{n}" for n in range(31)), "sp", "pc", "pstate"),
}

# The selectors of 64-bit user mode (arch/x86/include/asm/segment.h), IF set, and "not in a system call".
RESTING: dict[Architecture, dict[str, int]] = {
    "x86_64": {"cs": 0x33, "ss": 0x2B, "eflags": 0x202, "orig_rax": 2**64 - 1},
    "aarch64": {},
}

# struct user_i387_struct; struct user_fpsimd_state
FLOATING_BYTES: dict[Architecture, int] = {"x86_64": 512, "aarch64": 528}


def registers_of(architecture: Architecture, named: Mapping[str, int]) -> tuple[int, ...]:
    """Every general register in the kernel's order."""
    order = REGISTER_ORDER[architecture]
    unknown = set(named) - set(order)
    if unknown:
        raise ValueError(f"{architecture} has no register {', '.join(sorted(unknown))}")
    full = {**dict.fromkeys(order, 0), **RESTING[architecture], **named}
    return tuple(full[name] for name in order)


def notes(core: Core) -> Iterator[Note]:
    """The notes of the whole core: process-wide ones stand behind the first PRSTATUS."""
    first, *others = core.threads
    yield _prstatus(core, first)
    yield Note("CORE", NT_PRPSINFO, _psinfo(core.process))
    yield Note("CORE", NT_SIGINFO, siginfo(core.signal))
    yield Note("CORE", NT_AUXV, b"".join(struct.pack("<QQ", *pair) for pair in (*core.auxv, (AT_NULL, 0))))
    yield Note("CORE", NT_FILE, _files(core.mappings))
    yield from _other_registers(core, first)
    for thread in others:
        yield _prstatus(core, thread)
        yield from _other_registers(core, thread)


def packed(note: Note, *, align: int = 4) -> bytes:
    """The bytes of a note. Only .note.gnu.property aligns to 8."""
    owner = note.owner.encode() + b"\0"
    header = struct.pack("<III", len(owner), len(note.data), note.type) + owner
    return _padded(_padded(header, align) + note.data, align)


def siginfo(signal: Signal) -> bytes:
    """siginfo_t as NT_SIGINFO and a signal frame hold it (include/uapi/asm-generic/siginfo.h)."""
    head = struct.pack("<iiixxxx", signal.si_signo, 0, signal.si_code)
    if isinstance(signal, Fault):
        body = struct.pack("<QH", signal.si_addr, signal.si_addr_lsb)
    else:
        body = struct.pack("<iI", signal.si_pid, signal.si_uid)
    return (head + body).ljust(128, b"\0")


def _prstatus(core: Core, thread: Thread) -> Note:
    # include/linux/elfcore.h struct elf_prstatus. pr_info has the number only; every thread repeats pr_cursig.
    signo, process = core.signal.si_signo, core.process
    common = struct.pack("<iiihxxQQ", signo, 0, 0, signo, 0, 0)
    common += struct.pack("<iiii", thread.tid, process.ppid, process.pgrp, process.sid) + bytes(4 * 16)
    values = registers_of(core.architecture, thread.registers)
    return Note("CORE", NT_PRSTATUS, common + struct.pack(f"<{len(values)}Qixxxx", *values, 1))


def _other_registers(core: Core, thread: Thread) -> Iterator[Note]:
    yield Note("CORE", NT_PRFPREG, bytes(FLOATING_BYTES[core.architecture]))
    yield from thread.more


def _psinfo(process: Process) -> bytes:
    # include/linux/elfcore.h struct elf_prpsinfo
    state = struct.pack("<bcbbxxxxQ", 0, b"R", 0, 0, process.flag)
    owner = struct.pack("<IIiiii", process.uid, process.gid, process.pid, process.ppid, process.pgrp, process.sid)
    return state + owner + _text(process.fname, 16) + _text(process.psargs, 80)


def _files(mappings: tuple[Map, ...]) -> bytes:
    named = [(mapping, mapping.path) for mapping in mappings if mapping.path is not None]
    head = struct.pack("<QQ", len(named), PAGE_BYTES)
    rows = b"".join(struct.pack("<QQQ", mapping.start, mapping.end, mapping.page_offset) for mapping, _ in named)
    return head + rows + b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for _, path in named)


def _text(text: str, size: int) -> bytes:
    return text.encode("utf-8", "surrogateescape")[: size - 1].ljust(size, b"\0")


def _padded(data: bytes, align: int) -> bytes:
    return data + bytes(-len(data) % align)
