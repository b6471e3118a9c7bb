"""Core dumps of aarch64 programs that qemu's user-mode emulator ran: real registers, real memory, an emulated processor.

qemu writes the core dump itself (linux-user/elfload.c) and leaves out NT_SIGINFO, NT_FILE, NT_ARM_PAC_MASK, and the
first page of every ELF file whose text begins with its header. `completed` adds these four from what the process
itself and `qemu -strace` said, as the kernel would have written them; nothing else is changed.
"""

from __future__ import annotations

import io
import re
import resource
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile

from tests.synth import Core, Fault, Map, Note, Process, Sent, Signal, Thread, core_dump

COMPILER, EMULATOR, DEBUGGER = "aarch64-linux-gnu-gcc", "qemu-aarch64", "gdb-multiarch"
SYSROOT = Path("/usr/aarch64-linux-gnu")
PROGRAM = Path(__file__).parent / "programs" / "crash.c"
STACK_BYTES = 256 << 10  # of the guest; qemu writes all of it
LONGEST_RUN_SECONDS = 10
MAPS_DESCRIPTOR = 3
PAGE_BYTES = 4096
NT_PRSTATUS, NT_PRPSINFO, NT_AUXV, NT_ARM_PAC_MASK = 1, 3, 6, 0x406
PAC_BITS = 0x7F << 48  # arch/arm64/include/asm/pointer_auth.h: bits 54 to 48 with 48-bit addresses
REGISTERS = (*(f"x{number}" for number in range(31)), "sp", "pc", "pstate")
CODES = {"SI_TKILL": -6, "SI_USER": 0, "SI_KERNEL": 128}
NUMBERS = {"SIGILL": 4, "SIGTRAP": 5, "SIGIOT": 6, "SIGABRT": 6, "SIGBUS": 7, "SIGFPE": 8, "SIGSEGV": 11}


class CannotEmulate(Exception):
    """Something that a test needs is not installed, or did not work."""


class Build(NamedTuple):
    """How the program is compiled. `processor` is what qemu shows it."""

    name: str
    flags: tuple[str, ...]
    processor: str = "cortex-a72"


BUILDS = (
    Build("O0-static", ("-O0", "-static")),
    Build("O2-static-nofp", ("-O2", "-static", "-fomit-frame-pointer")),
    Build("O2-dynamic", ("-O2", "-Wl,-z,separate-code")),
    Build("O0-dynamic-nofp", ("-O0", "-fomit-frame-pointer")),
    Build("O2-dynamic-pac", ("-O2", "-mbranch-protection=standard"), "max"),
    Build("O0-static-pac", ("-O0", "-static-pie", "-mbranch-protection=pac-ret+leaf+bti"), "max"),
)


class Mapped(NamedTuple):
    """A line of /proc/self/maps. `path` is null where no file is mapped."""

    start: int
    end: int
    flags: str
    offset: int
    path: str | None


class Dumped(NamedTuple):
    """A core dump as qemu wrote it, and what is known beside it."""

    core: bytes
    maps: tuple[Mapped, ...]
    signal: Signal
    processor: str


class Called(NamedTuple):
    """A frame as gdb shows it; `kind` is "normal" or "signal"."""

    pc: int
    name: str | None
    kind: str


def built(folder: Path, build: Build) -> Path:
    """The program, compiled in this way."""
    _need(COMPILER)
    target = folder / f"crash.{build.name}"
    command = [COMPILER, "-w", "-pthread", "-Wl,--build-id", *build.flags, str(PROGRAM), "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotEmulate(f"{COMPILER} cannot build {build.name}: {done.stderr[:300]}")
    return target


def dumped(program: Path, case: str, *words: str, processor: str) -> Dumped:
    """Run the program until it crashes."""
    _need(EMULATOR)
    with tempfile.TemporaryDirectory(prefix="run-", dir=program.parent) as name:
        folder = Path(name)
        said, maps = folder / "said", folder / "maps"
        command = [EMULATOR, "-cpu", processor, "-L", str(SYSROOT), "-s", str(STACK_BYTES), "-strace", str(program)]
        with said.open("wb") as errors, maps.open("wb") as places:
            subprocess.run(
                ["sh", "-c", f'exec "$@" {MAPS_DESCRIPTOR}>&0', "sh", *command, case, *words],
                cwd=folder, stdin=places, stdout=subprocess.DEVNULL, stderr=errors, check=False,
                timeout=LONGEST_RUN_SECONDS, preexec_fn=_limits,
            )  # fmt: skip
        cores = list(folder.glob("qemu_*.core"))
        if len(cores) != 1:
            raise CannotEmulate(f"qemu left {len(cores)} core dumps of {program.name} {case}: {said.read_text()[-300:]}")
        signal = _signal(said.read_text())
        return Dumped(cores[0].read_bytes(), tuple(_mapped(maps.read_text())), signal, processor)


def completed(found: Dumped) -> bytes:
    """The same core dump with what the kernel would have written beside it."""
    elf = ELFFile(io.BytesIO(found.core))
    process = _process(found)
    more = (Note("LINUX", NT_ARM_PAC_MASK, struct.pack("<QQ", PAC_BITS, PAC_BITS)),) if found.processor == "max" else ()
    threads = tuple(
        Thread(tid=struct.unpack_from("<i", data, 32)[0], registers=dict(zip(REGISTERS, values, strict=True)), more=more)
        for kind, data in _notes(found.core)
        if kind == NT_PRSTATUS
        for values in [struct.unpack_from("<34Q", data, 112)]
    )
    named = {mapped.start: mapped for mapped in found.maps if mapped.path is not None}
    mappings = []
    for load in elf.iter_segments("PT_LOAD"):
        start = load["p_vaddr"]
        mapped = named.get(start)
        data = load.data() or None
        if mapped is not None and mapped.path is not None and data is None and mapped.offset == 0:
            data = Path(mapped.path).read_bytes()[:PAGE_BYTES]
        flags = "".join(letter for bit, letter in ((4, "r"), (2, "w"), (1, "x")) if load["p_flags"] & bit)
        mappings.append(
            Map(
                start=start,
                end=start + load["p_memsz"],
                flags=flags,
                data=data,
                path=mapped.path if mapped else None,
                page_offset=mapped.offset // PAGE_BYTES if mapped else 0,
            )
        )
    auxv = next(data for kind, data in _notes(found.core) if kind == NT_AUXV)
    pairs = [pair for pair in struct.iter_unpack("<QQ", auxv[: len(auxv) // 16 * 16]) if pair[0]]
    return core_dump(
        Core(
            architecture="aarch64",
            signal=found.signal,
            process=process,
            threads=threads,
            mappings=tuple(mappings),
            auxv=tuple(pairs),
        )
    )


def backtraces(program: Path, cores: list[Path]) -> list[list[Called]]:
    """What gdb says of each core dump of this program."""
    _need(DEBUGGER)
    commands = ["set pagination off", "set backtrace past-main on", f"set sysroot {SYSROOT}"]
    commands += ["set auto-load libthread-db off"]  # the one here is for this machine's own processes
    commands += [f"file {program}"]
    for core in cores:
        commands += [f"core-file {core}", f"python walk({str(core)!r})"]
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(f"python\n{_WALK}\nend\n" + "\n".join(commands) + "\n")
        script.flush()
        command = [DEBUGGER, "-nx", "-batch", "-x", script.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_RUN_SECONDS)
    found: dict[str, list[Called]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("FRAME "):
            _, core_name, pc, kind, name = line.split(" ", 4)
            found.setdefault(core_name, []).append(Called(int(pc, 16), name if name != "-" else None, kind))
    return [found.get(str(core), []) for core in cores]


# gdb's frame.pc() strips pointer authentication as its backtrace does.
_WALK = """
def walk(core):
    try:
        frame = gdb.newest_frame()
        for _ in range(256):
            kind = "signal" if frame.type() == gdb.SIGTRAMP_FRAME else "normal"
            print("FRAME", core, hex(frame.pc()), kind, frame.name() or "-")
            frame = frame.older()
            if frame is None:
                break
    except gdb.error as reason:
        print("ENDED", core, reason)
"""


def _need(command: str) -> None:
    if shutil.which(command) is None:
        raise CannotEmulate(f"{command} is not installed")


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
    # qemu 7.2 dies by the guest's signal and is dumped too: of it, nothing but its registers.
    with open("/proc/self/coredump_filter", "w") as pages:
        pages.write("0")


_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(\S*)")


def _mapped(text: str) -> list[Mapped]:
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            start, end, flags, offset, path = match.groups()
            named = path if path.startswith("/") else None
            found.append(Mapped(int(start, 16), int(end, 16), flags, int(offset, 16), named))
    return found


def _signal(said: str) -> Signal:
    words = re.findall(r"--- SIG\w+ \{(.*?)\} ---", said)[-1]
    fields = dict(pair.split("=", 1) for pair in words.split(", "))
    number = NUMBERS[fields["si_signo"]]
    code = CODES[fields["si_code"]] if fields["si_code"] in CODES else int(fields["si_code"])
    if code <= 0:
        return Sent(si_signo=number, si_code=code, si_pid=int(fields["si_pid"]), si_uid=int(fields["si_uid"]))
    if "si_addr" in fields:
        address = fields["si_addr"]
        return Fault(si_signo=number, si_code=code, si_addr=0 if address == "NULL" else int(address, 16))
    # print_siginfo of qemu 7.2 shows the union of SIGBUS as if a process had sent it.
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


def _process(found: Dumped) -> Process:
    data = next(data for kind, data in _notes(found.core) if kind == NT_PRPSINFO)
    uid, gid, pid, ppid, pgrp, sid = struct.unpack_from("<IIiiii", data, 16)
    name, arguments = (data[low:high].split(b"\0")[0].decode() for low, high in ((40, 56), (56, 136)))
    return Process(pid=pid, ppid=ppid, pgrp=pgrp, sid=sid, uid=uid, gid=gid, fname=name, psargs=arguments, flag=0)
