"""What qemu leaves out of the core dumps that broadstreet/lab/zoo/emulated.py makes, added as a kernel would write it.

NT_SIGINFO, NT_FILE, NT_ARM_PAC_MASK, and the first page of every ELF file whose text begins with its header come from
what the process and `qemu -strace` said; registers and memory stay as they are.
"""

from __future__ import annotations

import io
import re
import resource
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile

from broadstreet.errors import UsageError
from broadstreet.lab.kernel import CannotDump
from broadstreet.lab.order import NotMade
from broadstreet.lab.zoo import emulated
from tests.synth import Core, Fault, Map, Note, Process, Sent, Signal, Thread, core_dump

DEBUGGER = "gdb-multiarch"
LONGEST_RUN_SECONDS = 20
PAGE_BYTES = 4096
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_ARM_PAC_MASK = 1, 3, 6, 0x406
PAC_BITS = 0x7F << 48  # arch/arm64/include/asm/pointer_auth.h, for addresses of 48 bits
REGISTERS = (*(f"x{number}" for number in range(31)), "sp", "pc", "pstate")
CODES = {"SI_TKILL": -6, "SI_USER": 0, "SI_KERNEL": 128}
NUMBERS = {"SIGILL": 4, "SIGTRAP": 5, "SIGIOT": 6, "SIGBUS": 7, "SIGFPE": 8, "SIGSEGV": 11}


class Mapped(NamedTuple):
    """A line of /proc/self/maps. `path` is null where no file is mapped."""

    start: int
    end: int
    offset: int
    path: str | None


class Dumped(NamedTuple):
    """A core dump as qemu wrote it, and what is known beside it."""

    core: bytes
    maps: tuple[Mapped, ...]
    signal: Signal
    processor: str


class Called(NamedTuple):
    """A frame as gdb shows it."""

    pc: int
    name: str | None
    signal_frame: bool


def built(folder: Path, build: emulated.Build) -> Path:
    """The program, compiled in this way."""
    target = folder / f"{Path(build.source).name}.{build.name}"
    try:
        emulated.cross_compile(build, target)
    except UsageError as reason:
        raise CannotDump(str(reason)) from reason
    return target


def dumped(program: Path, processor: str, *words: str) -> Dumped:
    """What is left of the program when it has crashed."""
    _need(emulated.EMULATOR)
    with tempfile.TemporaryDirectory(prefix="run-", dir=program.parent) as name, _core_dumps_allowed():
        found = emulated.dumped(program, processor, Path(name), *words)
        if isinstance(found, NotMade):
            raise CannotDump(f"{program.name} {words}: {found.why}")
        return Dumped(found.core.read_bytes(), tuple(_mapped(found.maps)), _signal(found.told), processor)


def completed(found: Dumped) -> bytes:
    """The same core dump with what the kernel would have written beside it."""
    notes = _notes(found.core)
    more = (
        (Note("LINUX", NT_ARM_PAC_MASK, struct.pack("<QQ", PAC_BITS, PAC_BITS)),)
        if found.processor == emulated.SIGNS
        else ()
    )
    auxv = next(data for kind, data in notes if kind == NT_AUXV)
    return core_dump(
        Core(
            architecture="aarch64",
            signal=found.signal,
            process=_process(next(data for kind, data in notes if kind == NT_PRPSINFO)),
            threads=tuple(_thread(data, more) for kind, data in notes if kind == NT_PRSTATUS),
            mappings=tuple(_mappings(found)),
            auxv=tuple(pair for pair in struct.iter_unpack("<QQ", auxv) if pair[0]),
        )
    )


def backtraces(program: Path, cores: list[Path]) -> list[list[Called]]:
    """What gdb says of each core dump of this program."""
    _need(DEBUGGER)
    lines = ["python", _WALK, "end", f"set sysroot {emulated.SYSROOT}", "set backtrace past-main on", f"file {program}"]
    lines += ["set auto-load libthread-db off"]  # the one here is for this machine's own processes
    for at, core in enumerate(cores):
        lines += [f"core-file {core}", f"python walk({at})"]
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write("\n".join(lines) + "\n")
        script.flush()
        command = [DEBUGGER, "-nx", "-batch", "-x", script.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_RUN_SECONDS)
    found: list[list[Called]] = [[] for _ in cores]
    for line in done.stdout.splitlines():
        if line.startswith("FRAME "):
            _, place, pc, kind, name = line.split(" ", 4)
            found[int(place)].append(Called(int(pc, 16), None if name == "-" else name, kind == "signal"))
    return found


_WALK = """
def walk(at):
    try:
        frame = gdb.newest_frame()
        for _ in range(256):
            if frame is None:
                break
            kind = "signal" if frame.type() == gdb.SIGTRAMP_FRAME else "normal"
            print("FRAME", at, hex(frame.pc()), kind, frame.name() or "-")
            frame = frame.older()
    except gdb.error as reason:
        print("ENDED", at, reason)
"""


def _need(command: str) -> None:
    if shutil.which(command) is None:
        raise CannotDump(f"{command} is not installed")


@contextmanager
def _core_dumps_allowed() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ *(\S*)")


def _mapped(text: str) -> Iterator[Mapped]:
    for start, end, offset, path in _LINE.findall(text):
        yield Mapped(int(start, 16), int(end, 16), int(offset, 16), path if path.startswith("/") else None)


def _signal(told: str) -> Signal:
    words = re.findall(r"--- SIG\w+ \{(.*?)\} ---", told)[-1]
    fields = dict(pair.split("=", 1) for pair in words.split(", "))
    number = NUMBERS[fields["si_signo"]]
    code = CODES[fields["si_code"]] if fields["si_code"] in CODES else int(fields["si_code"])
    if code <= 0:
        return Sent(si_signo=number, si_code=code, si_pid=int(fields["si_pid"]), si_uid=int(fields["si_uid"]))
    if "si_addr" in fields:
        address = fields["si_addr"].replace("NULL", "0")
        return Fault(si_signo=number, si_code=code, si_addr=int(address, 0))
    # print_siginfo of qemu 7.2 shows the union of some SIGBUS as if a process had sent it.
    halves = struct.pack("<ii", int(fields["si_pid"]), int(fields["si_uid"]))
    return Fault(si_signo=number, si_code=code, si_addr=int.from_bytes(halves, "little"))


def _notes(content: bytes) -> list[tuple[int, bytes]]:
    segment = next(ELFFile(io.BytesIO(content)).iter_segments("PT_NOTE"))
    at, stop, found = segment["p_offset"], segment["p_offset"] + segment["p_filesz"], []
    while at + 12 <= stop:
        owner, size, kind = struct.unpack_from("<III", content, at)
        start = at + 12 + (owner + 3) // 4 * 4
        found.append((kind, content[start : start + size]))
        at = start + (size + 3) // 4 * 4
    return found


def _process(data: bytes) -> Process:
    uid, gid, pid, ppid, pgrp, sid = struct.unpack_from("<IIiiii", data, 16)
    name, arguments = (data[low:high].split(b"\0")[0].decode() for low, high in ((40, 56), (56, 136)))
    return Process(pid=pid, ppid=ppid, pgrp=pgrp, sid=sid, uid=uid, gid=gid, fname=name, psargs=arguments, flag=0)


def _thread(data: bytes, more: tuple[Note, ...]) -> Thread:
    registers = dict(zip(REGISTERS, struct.unpack_from("<34Q", data, 112), strict=True))
    return Thread(tid=struct.unpack_from("<i", data, 32)[0], registers=registers, more=more)


def _mappings(found: Dumped) -> Iterator[Map]:
    named = {mapped.start: mapped for mapped in found.maps}
    for load in ELFFile(io.BytesIO(found.core)).iter_segments("PT_LOAD"):
        mapped = named.get(load["p_vaddr"], Mapped(0, 0, 0, None))
        data = load.data() or None
        if data is None and mapped.path is not None and mapped.offset == 0:
            data = Path(mapped.path).read_bytes()[:PAGE_BYTES]
        yield Map(
            start=load["p_vaddr"],
            end=load["p_vaddr"] + load["p_memsz"],
            flags="".join(letter for bit, letter in ((4, "r"), (2, "w"), (1, "x")) if load["p_flags"] & bit),
            data=data,
            path=mapped.path,
            page_offset=mapped.offset // PAGE_BYTES,
        )
