"""Notes that the Linux kernel writes into an ELF core dump.

The kernel writes the thread that took the signal first. Offsets are from `pahole` on the structures named below.
"""

import struct
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple

from broadstreet.formats.layout import At, Layout

NT_PRSTATUS, NT_PRPSINFO, NT_AUXV = 1, 3, 6
NT_SIGINFO, NT_FILE = 0x53494749, 0x46494C45
NT_ARM_TLS = 0x401
AT_NULL, AT_PHDR, AT_PHNUM, AT_ENTRY, AT_PLATFORM, AT_EXECFN, AT_SYSINFO_EHDR = 0, 3, 5, 9, 15, 31, 33
PF_FORKNOEXEC = 0x40  # include/linux/sched.h: forked, and never called exec
PSARGS = slice(56, 136)


class PrStatusX86(NamedTuple):
    """One thread of an x86-64 process."""

    cursig: Annotated[int, At(12, "H")]
    tid: Annotated[int, At(32, "i")]
    registers: Annotated[tuple[int, ...], At(112, "27Q")]


class PrStatusArm(NamedTuple):
    """One thread of an aarch64 process."""

    cursig: Annotated[int, At(12, "H")]
    tid: Annotated[int, At(32, "i")]
    registers: Annotated[tuple[int, ...], At(112, "34Q")]


class PrPsInfo(NamedTuple):
    """The process. `flag` are the kernel's task flags of the thread that dumped."""

    flag: Annotated[int, At(8, "Q")]
    uid: Annotated[int, At(16, "I")]
    pid: Annotated[int, At(24, "i")]
    fname: Annotated[bytes, At(40, "16s")]
    psargs: Annotated[bytes, At(56, "80s")]


class SigInfo(NamedTuple):
    """What the kernel says of the signal; which fields of the union mean anything depends on the signal and code."""

    signal: Annotated[int, At(0, "i")]
    code: Annotated[int, At(8, "i")]
    address: Annotated[int, At(16, "Q")]


class SigInfoSender(NamedTuple):
    """The union's view for a signal that a process sent."""

    pid: Annotated[int, At(16, "i")]
    uid: Annotated[int, At(20, "I")]


class SigInfoSyscall(NamedTuple):
    """The union's view for SIGSYS."""

    call_address: Annotated[int, At(16, "Q")]
    number: Annotated[int, At(24, "i")]
    audit_architecture: Annotated[int, At(28, "I")]


PRSTATUS: dict[str, Layout[Any]] = {
    "x86_64": Layout(PrStatusX86, size=336, source="include/linux/elfcore.h, struct elf_prstatus"),
    "aarch64": Layout(PrStatusArm, size=392, source="include/linux/elfcore.h, struct elf_prstatus"),
}
PRPSINFO = Layout(PrPsInfo, size=136, source="include/linux/elfcore.h, struct elf_prpsinfo")
SIGINFO = Layout(SigInfo, size=128, source="include/uapi/asm-generic/siginfo.h")
SIGINFO_SENDER = Layout(SigInfoSender, size=128, source="include/uapi/asm-generic/siginfo.h, _kill and _rt")
SIGINFO_SYSCALL = Layout(SigInfoSyscall, size=128, source="include/uapi/asm-generic/siginfo.h, _sigsys")


class MappedFile(NamedTuple):
    """One entry of NT_FILE; the offset is in bytes."""

    start: int
    end: int
    offset: int
    path: str


def auxiliary_vector(data: bytes) -> dict[int, int]:
    """The auxiliary vector by type, up to AT_NULL."""
    vector: dict[int, int] = {}
    for kind, value in struct.iter_unpack("<QQ", data[: len(data) // 16 * 16]):
        if kind == AT_NULL:
            break
        vector[kind] = value
    return vector


def mapped_files(data: bytes) -> list[MappedFile]:
    """NT_FILE: which file is mapped where. Entries that the note does not hold whole are left out."""
    if len(data) < 16:
        return []
    count, page_size = struct.unpack_from("<QQ", data)
    count = min(count, (len(data) - 16) // 24)
    names = data[16 + 24 * count :].decode("utf-8", "backslashreplace").split("\0")
    places = struct.iter_unpack("<QQQ", data[16 : 16 + 24 * count])
    return [
        MappedFile(start, end, (page * page_size) & (1 << 64) - 1, name)
        for (start, end, page), name in zip(places, names, strict=False)
    ]


def case_id(prstatus: bytes, siginfo: bytes, auxv: bytes, prpsinfo: bytes) -> str:
    """The identity of a crash: equal for a core dump, its slim form, and a cut that keeps the notes.

    Arguments in prpsinfo are left out, for a slim core dump blanks them. A missing note is empty.
    """
    digest = blake2b(digest_size=16, person=b"broadstreet-case")
    for part in (prstatus, siginfo, auxv, prpsinfo[: PSARGS.start]):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
