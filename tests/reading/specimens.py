"""Synthetic core dumps for the reader: small ones, and ones whose headers and notes are long."""

import struct

from tests import synth

STACK, LIBRARY, PROGRAM = 0x7FFE_0000_0000, 0x7F11_0000_0000, 0x5555_5555_0000
VDSO = 0x7FFF_F7FC_1000
STACK_BYTES = 0x20000
SP = STACK + 0x8000
BUILD_IDS = {"/nowhere/walker": bytes(range(20)), "/nowhere/libwalk.so": bytes(range(20, 40))}
FAULT = synth.Fault(si_signo=11, si_code=1, si_addr=0x10)
REGISTERS = {"rip": LIBRARY + 0x1010, "rsp": SP, "rbp": SP + 0x100, "fs_base": STACK + 0x100}


def stack(*words: int, bytes_at_sp: bytes = b"") -> bytes:
    """The whole stack with these words, or bytes, from the stack pointer on."""
    content = bytes_at_sp or struct.pack(f"<{len(words)}Q", *words)
    return (bytes(SP - STACK) + content).ljust(STACK_BYTES, b"\0")


def module(path: str, start: int) -> tuple[synth.Map, ...]:
    """A mapped file of three pages: headers, code, data; only the first page lies in the core dump."""
    page = bytearray(synth.module_page("x86_64", BUILD_IDS.get(path, path.encode().ljust(20, b"\0")[-20:])))
    struct.pack_into("<Q", page, 64 + 40, 0x3000)  # p_memsz: it is mapped three pages long
    return (
        synth.Map(start=start, end=start + 0x1000, flags="r", data=bytes(page), path=path),
        synth.Map(start=start + 0x1000, end=start + 0x2000, flags="rx", path=path, page_offset=1),
        synth.Map(start=start + 0x2000, end=start + 0x3000, flags="rw", path=path, page_offset=2, data=bytes(4096)),
    )


def core(*more: synth.Map, threads: int = 1, **changes: object) -> synth.Core:
    """A crash in a library that the program called."""
    words = stack(LIBRARY + 0x1100, PROGRAM + 0x1200)
    page = synth.module_page("x86_64", bytes(20), linux_version=(6, 18, 44))
    fields = {
        "architecture": "x86_64",
        "signal": FAULT,
        "process": synth.Process(pid=4711, fname="walker", psargs="./walker --secret "),
        "threads": tuple(
            synth.Thread(tid=4711 + number, registers=REGISTERS, more=(synth.Note("LINUX", 0x202, bytes(2432)),))
            for number in range(threads)
        ),
        "mappings": (
            *module("/nowhere/walker", PROGRAM),
            *module("/nowhere/libwalk.so", LIBRARY),
            synth.Map(start=STACK, end=STACK + STACK_BYTES, flags="rw", data=words),
            synth.Map(start=VDSO, end=VDSO + 0x2000, flags="rx", data=page.ljust(0x2000, b"\0")),
            *more,
        ),
        "auxv": ((6, 4096), (9, PROGRAM + 0x1040), (33, VDSO)),
    }
    return synth.Core(**{**fields, **changes})  # type: ignore[arg-type]


def many(count: int) -> tuple[synth.Map, ...]:
    """So many mappings without a file and without bytes, below everything else."""
    return tuple(
        synth.Map(start=0x10_0000 + 0x2000 * at, end=0x10_1000 + 0x2000 * at, flags="r") for at in range(count)
    )


def notes_segment(data: bytes) -> tuple[int, int]:
    """Where the notes begin and end."""
    offset, size = struct.unpack_from("<Q", data, 64 + 8)[0], struct.unpack_from("<Q", data, 64 + 32)[0]
    return offset, offset + size


def note_ends(data: bytes) -> list[int]:
    """The offset behind each note, and that of the first."""
    at, end = notes_segment(data)
    ends = [at]
    while at < end:
        name_size, size, _ = struct.unpack_from("<III", data, at)
        at += 12 + (name_size + 3 & ~3) + (size + 3 & ~3)
        ends.append(at)
    return ends
