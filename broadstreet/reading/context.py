"""The registers at the crash itself, where a handler stood between it and the core dump.

A handler that calls `abort` or re-raises on top of itself leaves its signal frame alive: the walk passes it. A handler
that resets the signal, raises it (blocked, so it stays pending) and returns leaves a dead frame: the kernel restores
the original registers, delivers the pending signal, and the note says SI_TKILL from the process itself. Then the
registers in the note are right but the fault address is gone; the dead frame below the stack pointer or on the
alternate stack still holds it. It is found by its saved (sp, pc) pair, which must equal that of the note.
"""

import struct
from dataclasses import dataclass
from typing import Literal

from broadstreet.formats import linux_core as linux
from broadstreet.formats.architecture import Architecture
from broadstreet.formats.linux_core import SIGINFO
from broadstreet.reading.address_space import AddressSpace

Context = Literal["notes", "signal_frame", "recovered"]
SEARCH_BYTES = 1 << 20
BELOW_SP_BYTES = 64 << 10
SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SIGSYS, SIGABRT = 7, 8, 4, 11, 5, 31, 6
SIGXCPU, SIGXFSZ = 24, 25
FAULTS = (SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS)
MOST_CANDIDATES = 64
_X86_SEGMENTS = 192  # cs, gs, fs, ss of a 64-bit process, from the sp on entry to the handler
_X86_SELECTORS = struct.pack("<4H", 0x33, 0, 0, 0x2B)
_ARM_RECORDS = 592  # the first reserved record, FPSIMD
_ARM_MAGIC = struct.pack("<I", 0x46508001)


@dataclass(frozen=True)
class SignalFrame:
    """A saved context: where it lies, and the registers it holds.

    The kernel writes the siginfo only for a handler that was installed with SA_SIGINFO, so it may be null. The trap
    number and the address are those of the thread's last fault, which need not be this signal's.
    """

    address: int
    registers: dict[str, int]
    siginfo: linux.SigInfo | None
    siginfo_bytes: bytes
    error: int | None
    trap: int | None
    fault: int | None

    @property
    def of_fault(self) -> bool:
        """Whether its siginfo says that the signal was a fault that the kernel raised."""
        return self.siginfo is not None and self.siginfo.signal in FAULTS and self.siginfo.code > 0


def signal_frame(architecture: Architecture, space: AddressSpace, address: int) -> SignalFrame | None:
    """The frame whose handler was entered with the stack pointer at this address; null if it is none."""
    data = space.read(address, architecture.signal_frame_bytes)
    if data is None:
        return None
    return _decoded(architecture, data, address)


def live_frames(architecture: Architecture, space: AddressSpace, sp: int, end: int) -> list[SignalFrame]:
    """Signal frames above a stack pointer, found by the segment selectors that the kernel saves."""
    magic, offset = _signature(architecture)
    found: list[SignalFrame] = []
    for start, stop, data in space.windows():
        if not start <= sp < stop:
            continue
        at = data.find(magic, sp - start)
        while at >= 0 and len(found) < MOST_CANDIDATES and start + at < end:
            frame = signal_frame(architecture, space, start + at - offset)
            if frame is not None:
                found.append(frame)
            at = data.find(magic, at + 1)
        break
    return found


def dead_frames(architecture: Architecture, space: AddressSpace, sp: int, pc: int) -> list[SignalFrame]:
    """The dead signal frames that saved this (sp, pc), in any window, the nearest to the stack pointer first."""
    pair = struct.pack("<QQ", sp, pc)
    offset = architecture.signal_frame_registers[architecture.sp]
    frames = []
    for start, _stop, data in space.windows():
        at = data.find(pair)
        tries = 0
        while at >= 0 and tries < MOST_CANDIDATES:
            frame = signal_frame(architecture, space, start + at - offset)
            if frame is not None:
                frames.append(frame)
            at = data.find(pair, at + 8)
            tries += 1
    return sorted(frames, key=lambda frame: abs(sp - frame.address))


def search_ranges(space: AddressSpace, sp: int) -> list[tuple[int, int, int]]:
    """Where a dead frame may lie, 1 MiB in all: below the stack pointer, then small writable mappings."""
    left = SEARCH_BYTES
    ranges = []
    stack = space.mapping(sp)
    if stack is not None:
        low = max(stack.start, sp - BELOW_SP_BYTES)
        ranges += space.file_ranges(low, sp - low)
        left -= sum(size for _, size, _ in ranges)
    others = [m for m in space.mappings if m.writable and m.file_size and m is not stack]
    for mapping in sorted(others, key=lambda m: m.file_size):
        for offset, size, address in space.file_ranges(mapping.start, mapping.file_size):
            if left <= 0:
                return ranges
            ranges.append((offset, min(left, size), address))
            left -= size
    return ranges


def _signature(architecture: Architecture) -> tuple[bytes, int]:
    return (_X86_SELECTORS, _X86_SEGMENTS) if architecture.link is None else (_ARM_MAGIC, _ARM_RECORDS)


def _decoded(architecture: Architecture, data: bytes, address: int) -> SignalFrame | None:
    magic, offset = _signature(architecture)
    if data[offset : offset + len(magic)] != magic and offset + len(magic) <= len(data):
        return None

    def word(at: int) -> int:
        return int.from_bytes(data[at : at + 8], "little")

    info = data[architecture.signal_frame_siginfo : architecture.signal_frame_siginfo + SIGINFO.size]
    siginfo = SIGINFO.read(info) if SIGINFO.fits(info) else None
    if siginfo is not None and not (1 <= siginfo.signal <= 64 and -64 <= siginfo.code <= 128):
        siginfo = None  # not written: whatever lay there before
    registers = {name: word(at) for name, at in architecture.signal_frame_registers.items()}
    extras = {name: word(at) for name, at in architecture.signal_frame_extras.items()}
    return SignalFrame(address, registers, siginfo, info, extras.get("err"), extras.get("trapno"), extras.get("cr2"))
