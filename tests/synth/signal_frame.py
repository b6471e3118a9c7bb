"""The frame that Linux pushes on the stack before it calls a signal handler, x86-64.

arch/x86/include/asm/sigframe.h, struct rt_sigframe: the address of the restorer, a ucontext, a siginfo. The
handler is entered with rsp at the frame, which is 8 below a multiple of 16, as after a call. The general registers
are a struct sigcontext at 40 in the ucontext, in an order of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from tests.synth.description import Signal
from tests.synth.notes import RESTING, siginfo

FRAME_BYTES = 440
UCONTEXT_AT = 8
SIGINFO_AT = 312

# `mov $15, %rax; syscall`: gdb and libgcc know the restorer by these bytes.
RESTORER = bytes.fromhex("48c7c00f0000000f05")

# UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
_UC_FLAGS = 7
_ORDER = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip eflags".split()


def signal_frame(
    registers: Mapping[str, int], signal: Signal, *, restorer: int, err: int = 0, trapno: int = 0, cr2: int = 0
) -> bytes:
    """The frame for a handler that interrupted a thread with these registers. It has no floating-point state.

    `err`, `trapno` and `cr2` are what the processor said about a fault: 4 and 14 for a read of an unmapped page.
    """
    unknown = set(registers) - {*_ORDER, "cs", "ss", "fs", "gs"}
    if unknown:
        raise ValueError(f"a signal frame has no {', '.join(sorted(unknown))}")
    known = {**RESTING["x86_64"], **registers}
    frame = struct.pack("<Q", restorer)
    frame += struct.pack("<QQ", _UC_FLAGS, 0) + bytes(24)
    frame += struct.pack("<18Q", *(known.get(name, 0) for name in _ORDER))
    frame += struct.pack("<HHHH", *(known.get(name, 0) for name in ("cs", "gs", "fs", "ss")))
    frame += struct.pack("<QQQQ", err, trapno, 0, cr2)
    return frame.ljust(SIGINFO_AT, b"\0") + siginfo(signal)
