"""The frame that Linux pushes on the stack before it calls a signal handler, aarch64.

arch/arm64/kernel/signal.c, struct rt_sigframe: a siginfo, then a ucontext, whose sigcontext is 16-aligned: 176 in. The
handler is entered with sp at the frame. Behind the registers stand records in 4096 bytes, that of FPSIMD first
(setup_sigframe_layout); a record with the fault's syndrome may follow; one of type 0 ends them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from tests.synth.description import Signal
from tests.synth.notes import registers_of, siginfo

ARM_FRAME_BYTES = 4688
SIGCONTEXT_AT = 128 + 176
RECORDS_AT = SIGCONTEXT_AT + 288
FPSIMD_MAGIC, FPSIMD_BYTES = 0x46508001, 528
ESR_MAGIC, ESR_BYTES = 0x45535201, 16

# `mov x8, #139; svc #0`: gdb and libgcc know the vdso's __kernel_rt_sigreturn by these bytes.
ARM_SIGRETURN = bytes.fromhex("681180d2010000d4")


def arm_signal_frame(
    registers: Mapping[str, int], signal: Signal | None, *, fault_address: int = 0, esr: int | None = None
) -> bytes:
    """The frame for a handler that interrupted a thread with these registers; `signal` None: without SA_SIGINFO."""
    frame = siginfo(signal) if signal is not None else bytes(128)
    frame = frame.ljust(SIGCONTEXT_AT, b"\0") + struct.pack("<Q", fault_address)
    frame += struct.pack("<34Q", *registers_of("aarch64", registers))
    frame = frame.ljust(RECORDS_AT, b"\0") + struct.pack("<II", FPSIMD_MAGIC, FPSIMD_BYTES).ljust(FPSIMD_BYTES, b"\0")
    if esr is not None:
        frame += struct.pack("<IIQ", ESR_MAGIC, ESR_BYTES, esr)
    return frame.ljust(ARM_FRAME_BYTES, b"\0")
