"""Crashes of aarch64 programs that qemu's user-mode emulator runs: real registers and memory, an emulated processor.

qemu writes the core dump itself (linux-user/elfload.c), and less of it than a kernel: no NT_SIGINFO, no NT_FILE, no
NT_ARM_PAC_MASK, and not the first page of an ELF file whose text begins with its header. So these core dumps show how
far a reader comes without them. What a label may be expected to say is what the rest still shows.
"""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import which
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.order import PACKAGES, RUN, NotMade, Order, Workshop, compiled
from broadstreet.lab.process import SAID, ended, kept, signal_in, started
from broadstreet.lab.truth import Truth

EMULATOR = "qemu-aarch64"
SYSROOT = Path("/usr/aarch64-linux-gnu")
PROGRAMS = Path(__file__).parent / "programs" / "emulated"
COMMON_FLAGS = ("-w", "-pthread", "-Wl,--build-id")
STACK_BYTES = 256 << 10  # of the guest; qemu writes all of it
SECONDS = 20.0
MAPS = "maps"  # to which, as descriptor 3, the programs write /proc/self/maps
SIGNS = "max"  # the processor that signs return addresses
NOTE = "as qemu writes it: without siginfo and file names"

# qemu 7.2 dies by the guest's signal and is dumped too: of itself, no more than the registers.
PREPARED = ("sh", "-c", f'echo 0 >/proc/self/coredump_filter; exec "$@" 3>{MAPS}', "sh")


class Build(NamedTuple):
    """How a program is compiled; `processor` is what qemu shows it, `max` one that signs return addresses."""

    name: str
    flags: tuple[str, ...]
    processor: str = "cortex-a72"
    source: str = "crash.c"
    compiler: str = "aarch64-linux-gnu-gcc"


BUILDS = (
    Build("O0-static", ("-O0", "-static")),
    Build("O2-static-nofp", ("-O2", "-static", "-fomit-frame-pointer")),
    Build("O2-dynamic", ("-O2",)),
    Build("O0-dynamic-nofp", ("-O0", "-fomit-frame-pointer")),
    Build("O2-dynamic-pac", ("-O2", "-mbranch-protection=standard"), SIGNS),
    Build("O0-static-pac", ("-O0", "-static-pie", "-mbranch-protection=pac-ret+leaf+bti"), SIGNS),
)
SEPARATE = Build("O2-separate", ("-O2", "-static", "-Wl,-z,separate-code"))  # its first page is in qemu's core dump
BARE = Build("O2-bare", ("-O2", "-static", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"))
THROWS = Build("O1-throws", ("-O1",), source="throws.cc", compiler="aarch64-linux-gnu-g++")


class Case(NamedTuple):
    """One crash: `expected` are the labels that a perfect reader of what qemu writes could give; null: none claimed."""

    name: str
    expected: tuple[str, ...] | None
    note: str = ""


def _alike(expected: str, *names: str) -> tuple[Case, ...]:
    return tuple(Case(name, (expected,)) for name in names)


CASES = (
    *_alike("null_dereference", "null_read", "null_in_leaf", "null_indexed", "null_pair", "null_zeroed"),
    *_alike("null_dereference", "null_atomic", "null_memset"),
    *_alike("call_to_null", "null_call", "null_tail_call"),
    Case("null_return", ("return_to_null",)),
    *_alike("return_to_nonexecutable", "wild_return"),
    *_alike("jump_to_nonexecutable", "wild_call"),
    *_alike("unmapped_access", "wild_write"),
    *_alike("write_to_readonly", "readonly_write"),
    *_alike("deliberate_trap", "undefined", "breakpoint"),
    *_alike("stack_overflow", "overflow"),
    *_alike("abort_other", "aborted"),
    Case("truncated", None, note="a bus error without a code; no file is named"),
    *_alike("bus_error_alignment", "unaligned"),
    *_alike("null_dereference", "handled_raise", "handled_raise_apart", "handled_abort", "handled_abort_apart"),
)
THROWN = (
    Case("uncaught", ("abort_uncaught_exception",)),
    Case("destructor", ("null_dereference",)),
)
SIGNED_ZERO = "a zero that fails authentication is no zero any more, though one stood in the slot"
IN_THREAD = ("null_read", "null_call", "null_return", "aborted")
MAIN, THREAD = "main", "thread"


class Dumped(NamedTuple):
    """A core dump as qemu wrote it, and beside it /proc/self/maps and what `qemu -strace` said."""

    core: Path
    maps: str
    told: str


def obstacle() -> str | None:
    """What is not installed that is needed for any of it; null: nothing."""
    needed = (EMULATOR, *(build.compiler for build in (BUILDS[0], THROWS)))
    return next((f"{name} is not installed" for name in needed if which(name) is None), None)


def orders() -> list[Order]:
    """Every case in every build, and some in a thread."""
    return [
        Order("emulated", case.name, build.source.partition(".")[0], build.name, variant, _name(case, build, variant))
        for case, build, variant in _runs()
    ]


def crash(order: Order, workshop: Workshop) -> Truth | NotMade:
    """Cross-compile one program and let it crash in the emulator."""
    run = {(case.name, build.name, variant): (case, build) for case, build, variant in _runs()}
    found = run.get((order.mechanism, order.build, order.variant))
    if found is None:
        what = f"{order.mechanism} in build {order.build!r} and variant {order.variant!r}"
        raise UsageError(f"no emulated program has {what}", f"The builds are: {', '.join(b.name for b in BUILDS)}")
    case, build = found
    program = workshop.program(f"aarch64/{build.source}.{build.name}", partial(cross_compile, build))
    with tempfile.TemporaryDirectory(prefix=RUN, dir=workshop.folder) as name:
        words = (case.name,) if order.variant == MAIN else (case.name, THREAD)
        outcome = dumped(program, build.processor, Path(name), *words)
        if isinstance(outcome, NotMade):
            return outcome
        taken = signal_in(outcome.core)
        if taken is None:
            return NotMade("no core dump", "qemu wrote none of a thread")
        kept(outcome.core, workshop.folder / order.core)
        return _truth(order, case, build, taken)


def cross_compile(build: Build, to: Path) -> None:
    """Compile a program for aarch64."""
    compiled(build.compiler, *COMMON_FLAGS, *build.flags, PROGRAMS / build.source, "-o", to)


def dumped(program: Path, processor: str, folder: Path, *words: str) -> Dumped | NotMade:
    """Run the program in this folder until it has crashed. Core dumps must be allowed to be written."""
    if which(EMULATOR) is None:
        raise UsageError(f"{EMULATOR} is not installed", f"On Debian and Ubuntu: apt-get install {PACKAGES[EMULATOR]}")
    emulator = (EMULATOR, "-cpu", processor, "-L", SYSROOT, "-s", str(STACK_BYTES), "-seed", "1", "-strace")
    process = started((*PREPARED, *emulator, program, *words), folder)
    if not ended(process, SECONDS):
        return NotMade("survived", f"ran longer than {SECONDS} s")
    told = (folder / SAID).read_text(encoding="utf-8", errors="replace")
    cores = list(folder.glob("qemu_*.core"))
    if len(cores) != 1:
        return NotMade("no core dump", f"qemu left {len(cores)}: {told[-200:]}")
    return Dumped(cores[0], (folder / MAPS).read_text(), told)


def _runs() -> Iterator[tuple[Case, Build, str]]:
    for build in (*BUILDS, SEPARATE, BARE):
        for case in CASES:
            yield case, build, MAIN
        for case in CASES:
            if case.name in IN_THREAD and build in BUILDS:
                yield case, build, THREAD
    for case in THROWN:
        yield case, THROWS, MAIN


def _name(case: Case, build: Build, variant: str) -> str:
    return f"aarch64.{case.name}.{build.name}.{variant}"


def _truth(order: Order, case: Case, build: Build, taken: int) -> Truth:
    signed_zero = case.name == "null_return" and build.processor == SIGNS
    return Truth(
        core=order.core,
        cause="software",
        family="emulated",
        mechanism=case.name,
        program=order.program,
        build=build.name,
        variant=order.variant,
        runtime="C++" if build.source.endswith(".cc") else "C",
        signal=taken,
        expected=("return_to_nonexecutable", "return_to_null") if signed_zero else case.expected,
        note="; ".join(part for part in (NOTE, case.note, SIGNED_ZERO if signed_zero else "") if part),
    )
