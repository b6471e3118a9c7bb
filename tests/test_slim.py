"""Slim core dumps: the same case from much less, of cores that the kernel wrote and of synthetic ones."""

import io
import os
import re
import shutil
import struct
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner
from elftools.elf.elffile import ELFFile

from broadstreet.errors import UnreadableSpecimen, UsageError
from broadstreet.pipeline import slim_form, slimming
from broadstreet.pipeline.reading import BinarySources, case_at, reading_of
from broadstreet.pipeline.slimming import slim
from broadstreet.reading.address_space import Mapping
from broadstreet.reading.reader import Reading
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.core_file import OpenCore
from tests.kernel_cores import compiled, dumped, said_by, skipped_without
from tests.synth import Core, Fault, Map, Note, Process, Sent, Thread, core_dump, module_page, signal_frame

MODES = [(False, False), (False, True), (True, False), (True, True)]
SECRET, ARGUMENT, VARIABLE = "swordfish-quince-7731", "--password=mulberry-armadillo", "TOKEN=persimmon-aardvark"
CRASHES = ("null", "check", "thrown_away", "handled", "within", "overflow")

# One thread idles, the other crashes; what it puts on its stack is not in the program as text.
PROGRAM = r"""
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *kind;
static volatile int sink;

static void raised_again(int number) { signal(number, SIG_DFL); raise(number); }

static void aborted(int number, siginfo_t *info, void *context) { abort(); }

static void worse(int number, siginfo_t *info, void *context) { sink = *(volatile int *)8; }

static void handle(void (*plain)(int), void (*told)(int, siginfo_t *, void *)) {
    stack_t stack = {malloc(1 << 16), 0, 1 << 16};
    sigaltstack(&stack, 0);
    struct sigaction action = {.sa_flags = SA_ONSTACK | (told ? SA_SIGINFO : 0)};
    if (told) action.sa_sigaction = told; else action.sa_handler = plain;
    sigaction(SIGSEGV, &action, 0);
}

static int __attribute__((noinline)) deeper(int level) {
    volatile char room[512];
    room[level & 511] = level;
    return deeper(level + 1) + room[7];
}

static int __attribute__((noinline)) crash(const char *secret, volatile int *nowhere) {
    char copy[64];
    strcpy(copy, secret);
    volatile long small[8] = {0, 4242, 4243, 4244, 0x3132333435363738};  // the word at rsp is evidence
    if (!strcmp(kind, "check")) assert(secret == copy);
    if (!strcmp(kind, "overflow")) sink = deeper(0);
    sink = *nowhere;
    return copy[3] + small[2];
}

static int __attribute__((noinline)) outer(const char *secret, volatile int *nowhere) {
    return crash(secret, nowhere) + 1;
}

static void *worker(void *nowhere) {
    char secret[32];
    for (int at = 0; at < sizeof coded; at++) secret[at] = coded[at] ^ 0x5a;
    if (!strcmp(kind, "thrown_away")) handle(raised_again, 0);
    if (!strcmp(kind, "handled")) handle(0, aborted);
    if (!strcmp(kind, "within")) handle(0, worse);
    sink = outer(secret, nowhere);
    return 0;
}

int main(int count, char **arguments) {
    kind = arguments[1];
    pthread_t thread;
    pthread_create(&thread, 0, worker, 0);
    for (;;) pause();
}
"""


class Crashed:
    """A folder with a program's core dumps, one for each kind of crash, and the program."""

    def __init__(self, folder: Path) -> None:
        coded = ", ".join(str(byte ^ 0x5A) for byte in SECRET.encode() + b"\0")
        source = PROGRAM.replace(
            "static const char *kind;", f"static const char coded[] = {{{coded}}};\nstatic const char *kind;"
        )
        self.program = str(compiled(folder, source, "-O1", "-g0"))
        self.cores = {kind: str(self._core(folder / kind, kind)) for kind in CRASHES}
        self.binaries = BinarySources((str(folder),)).open()

    def _core(self, folder: Path, kind: str) -> Path:
        folder.mkdir()
        return dumped(folder, "env", VARIABLE, self.program, kind, ARGUMENT)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Crashed:
    with skipped_without():
        made = Crashed(tmp_path_factory.mktemp("crashed"))
    return made


def told(case: Case) -> dict[str, object]:
    """What must not change. Gaps may: they say what was not kept."""
    return {
        "case_id": case.case_id,
        "findings": case.findings,
        "features": case.features,
        "frames": case.frames,
        "handler frames": case.handler_frames,
        "below sp": case.below_sp,
        "context": case.context,
        "threads": (case.thread_count, [(thread.tid, thread.pc, thread.sp) for thread in case.threads]),
        "where": (case.circumstances.cpu, case.circumstances.numa_node, case.circumstances.kernel_release),
        "process": (case.circumstances.executable, case.circumstances.pid, case.circumstances.uid),
    }


def slimmed(core: str, folder: Path, binaries: Binaries, standalone: bool = False, pointers_only: bool = False) -> str:
    out = folder / f"slim-{standalone}-{pointers_only}-{len(list(folder.iterdir()))}.core"
    slim(core, str(out), binaries, standalone, pointers_only)
    return str(out)


@pytest.mark.parametrize(("standalone", "pointers_only"), MODES)
@pytest.mark.parametrize("kind", CRASHES)
def test_a_slim_core_gives_the_case_of_the_original(
    crashed: Crashed, kind: str, standalone: bool, pointers_only: bool, tmp_path: Path
) -> None:
    core = crashed.cores[kind]
    out = slimmed(core, tmp_path, crashed.binaries, standalone, pointers_only)
    assert told(case_at(out, crashed.binaries)) == told(case_at(core, crashed.binaries))


def test_the_cores_of_these_tests_show_what_they_were_made_for(crashed: Crashed) -> None:
    cases = {kind: case_at(core, crashed.binaries) for kind, core in crashed.cores.items()}
    assert {kind: case.mechanism for kind, case in cases.items()} == {
        "null": "null_dereference",
        "check": "abort_assertion",
        "thrown_away": "null_dereference",
        "handled": "null_dereference",
        "within": "null_dereference",
        "overflow": "stack_overflow",
    }
    assert [cases[kind].context for kind in ("thrown_away", "handled")] == ["recovered", "signal_frame"]
    assert all(
        "crash" in {frame.function for frame in case.frames} for kind, case in cases.items() if kind != "overflow"
    )


@pytest.mark.parametrize(("standalone", "pointers_only"), MODES)
@pytest.mark.parametrize("kind", CRASHES)
def test_the_slim_form_of_a_slim_core_is_itself(
    crashed: Crashed, kind: str, standalone: bool, pointers_only: bool, tmp_path: Path
) -> None:
    once = slimmed(crashed.cores[kind], tmp_path, crashed.binaries, standalone, pointers_only)
    twice = slimmed(once, tmp_path, crashed.binaries, standalone, pointers_only)
    assert Path(twice).read_bytes() == Path(once).read_bytes()


@pytest.mark.parametrize("kind", ["null", "check", "thrown_away", "handled"])
def test_a_slim_core_of_a_program_with_two_threads_is_under_128_kib(
    crashed: Crashed, kind: str, tmp_path: Path
) -> None:
    assert os.path.getsize(slimmed(crashed.cores[kind], tmp_path, crashed.binaries)) < 128 << 10


@pytest.mark.parametrize("pointers_only", [False, True])
@pytest.mark.parametrize("kind", CRASHES)
def test_eu_stack_and_gdb_walk_a_standalone_core_as_the_original(
    crashed: Crashed, kind: str, pointers_only: bool, tmp_path: Path
) -> None:
    core = crashed.cores[kind]
    out = slimmed(core, tmp_path, crashed.binaries, standalone=True, pointers_only=pointers_only)
    assert by_eu_stack(out) == by_eu_stack(core) != []
    assert by_gdb(crashed.program, out) == by_gdb(crashed.program, core) != []


def test_a_standalone_core_without_elf_headers_is_walked_as_the_original(crashed: Crashed, tmp_path: Path) -> None:
    """A narrow coredump_filter leaves them out; the loader's list is still found."""
    command = f"echo 1 > /proc/self/coredump_filter; exec {crashed.program} null"
    with skipped_without():
        core = str(dumped(tmp_path, "sh", "-c", command))
    out = slimmed(core, tmp_path, crashed.binaries, standalone=True)
    assert by_gdb(crashed.program, out) == by_gdb(crashed.program, core) != []
    assert "crash" in " ".join(by_gdb(crashed.program, out))


def by_eu_stack(core: str) -> list[str]:
    """The frames of the first thread, which is the one that crashed."""
    threads = said_by("eu-stack", "--core", core).split("TID ")
    return re.findall(r"^#\d+ +(\S+.*\S)", threads[1], re.MULTILINE) if len(threads) > 1 else []


def by_gdb(program: str, core: str) -> list[str]:
    said = said_by("gdb", "-nx", "-batch", "-ex", "set print frame-arguments none", "-ex", "bt 40", program, core)
    return re.findall(r"^#\d+ .*", said, re.MULTILINE)


def pieces(text: str, size: int = 6) -> list[bytes]:
    return [text[at : at + size].encode() for at in range(len(text) - size + 1)]


@pytest.mark.parametrize("standalone", [False, True])
@pytest.mark.parametrize("kind", CRASHES)
def test_with_pointers_only_no_text_that_the_program_had_on_its_stack_is_left(
    crashed: Crashed, kind: str, standalone: bool, tmp_path: Path
) -> None:
    core = crashed.cores[kind]
    before = Path(slimmed(core, tmp_path, crashed.binaries, standalone)).read_bytes()
    if kind in ("null", "check"):
        assert SECRET.encode() in before  # else this test could not fail
    after = Path(slimmed(core, tmp_path, crashed.binaries, standalone, pointers_only=True)).read_bytes()
    assert [piece for piece in pieces(SECRET) if piece in after] == []


def test_with_pointers_only_small_integers_and_other_numbers_go(crashed: Crashed, tmp_path: Path) -> None:
    numbers = [struct.pack("<Q", number) for number in (4242, 4243, 4244, 0x3132333435363738)]
    before = Path(slimmed(crashed.cores["null"], tmp_path, crashed.binaries)).read_bytes()
    after = Path(slimmed(crashed.cores["null"], tmp_path, crashed.binaries, pointers_only=True)).read_bytes()
    assert [number in before for number in numbers] == [True] * 4
    assert [number in after for number in numbers] == [False] * 4


@pytest.mark.parametrize(("standalone", "pointers_only"), MODES)
def test_neither_arguments_nor_environment_are_kept(
    crashed: Crashed, standalone: bool, pointers_only: bool, tmp_path: Path
) -> None:
    original = Path(crashed.cores["null"]).read_bytes()
    kept = Path(slimmed(crashed.cores["null"], tmp_path, crashed.binaries, standalone, pointers_only)).read_bytes()
    for text in (ARGUMENT.encode(), VARIABLE.encode()):
        assert text in original
        assert text not in kept


def test_arguments_and_environment_go_where_the_first_thread_crashed_beside_them(
    crashed: Crashed, tmp_path: Path
) -> None:
    source = "int main(int count, char **arguments) { return *(volatile int *)(long)(count - 2); }"
    with skipped_without():
        program = compiled(tmp_path / "main", source, "-O1")
        core = str(dumped(tmp_path / "main", "env", VARIABLE, str(program), ARGUMENT))
    out = slimmed(core, tmp_path, crashed.binaries)
    assert told(case_at(out, crashed.binaries)) == told(case_at(core, crashed.binaries))
    assert ARGUMENT.encode() not in Path(out).read_bytes()
    assert VARIABLE.encode() not in Path(out).read_bytes()


def test_what_the_choice_of_memory_missed_is_kept_all_the_same(
    crashed: Crashed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slim_form, "asked_for", lambda *_: [])
    out = slimmed(crashed.cores["thrown_away"], tmp_path, crashed.binaries)
    assert told(case_at(out, crashed.binaries)) == told(case_at(crashed.cores["thrown_away"], crashed.binaries))


# Synthetic cores: nothing here needs a compiler, a debugger or a binary.

STACK, HEAP, LIBRARY, THREAD = 0x7FFE_0000_0000, 0x5555_0000_0000, 0x7F11_0000_0000, 0x7F22_0000_0000
NO_BINARIES = Binaries()


def synthetic(**changes: object) -> Core:
    words = struct.pack("<4Q", LIBRARY + 0x2345, 7, STACK + 0x1F000, 0x4142434445464748)
    core: dict[str, object] = {
        "architecture": "x86_64",
        "signal": Fault(si_signo=11, si_code=1, si_addr=0x1234),
        "process": Process(pid=4711, fname="walker", psargs="./walker --password=mulberry "),
        "threads": (
            Thread(tid=4713, registers=synthetic_registers()),
            Thread(tid=4711, registers={"rip": LIBRARY + 0x2000, "rsp": STACK + 0x3000}),
        ),
        "mappings": (
            Map(start=HEAP, end=HEAP + 0x80000, flags="rw", data=b"\x5a" * 0x80000),
            Map(
                start=LIBRARY, end=LIBRARY + 0x2000, flags="r", data=module_page("x86_64", bytes(20)), path="/lib/a.so"
            ),
            Map(start=LIBRARY + 0x2000, end=LIBRARY + 0x5000, flags="rx", path="/lib/a.so", page_offset=2),
            Map(start=THREAD, end=THREAD + 0x8000, flags="rw", data=b"\x11" * 0x8000),
            Map(start=STACK, end=STACK + 0x21000, flags="rw", data=bytes(0x18000) + words * 0x480),
        ),
        "auxv": ((6, 4096), (9, 0x401000)),
    }
    return Core(**{**core, **changes})  # type: ignore[arg-type]


def synthetic_registers() -> dict[str, int]:
    return {
        "rip": LIBRARY + 0x2100,
        "rsp": STACK + 0x18000,
        "rbp": STACK + 0x20F00,
        "fs_base": THREAD + 0x4740,
        "rax": 3,
    }


def written(folder: Path, core: Core | bytes, name: str = "core") -> str:
    path = folder / name
    path.write_bytes(core if isinstance(core, bytes) else core_dump(core))
    return str(path)


def reading_at(path: str) -> Reading:
    with OpenCore(path) as source:
        return reading_of(source, NO_BINARIES)


def layout(mappings: list[Mapping]) -> list[tuple[int, int, int]]:
    return [(mapping.start, mapping.end, mapping.flags) for mapping in mappings]


@pytest.mark.parametrize(("standalone", "pointers_only"), MODES)
def test_a_slim_synthetic_core_gives_the_case_of_the_original(
    standalone: bool, pointers_only: bool, tmp_path: Path
) -> None:
    core = written(tmp_path, synthetic())
    out = slimmed(core, tmp_path, NO_BINARIES, standalone, pointers_only)
    assert told(case_at(out, NO_BINARIES)) == told(case_at(core, NO_BINARIES))
    assert os.path.getsize(out) < os.path.getsize(core) / 5
    assert Path(slimmed(out, tmp_path, NO_BINARIES, standalone, pointers_only)).read_bytes() == Path(out).read_bytes()


def test_a_mapping_that_is_kept_in_pieces_reads_as_one(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    slim_core = slimmed(core, tmp_path, NO_BINARIES)
    out, original = reading_at(slim_core).space, reading_at(core).space
    loads = ELFFile(io.BytesIO(Path(slim_core).read_bytes())).iter_segments("PT_LOAD")
    assert len(list(loads)) > len(out.mappings)
    assert layout(out.mappings) == layout(original.mappings)
    assert sorted(out.windows()) == sorted(original.windows())


def test_what_a_mapping_held_stays_known_where_only_its_first_page_is_kept(tmp_path: Path) -> None:
    """A wide coredump_filter dumps code; a reading fetches that of the callers where more than a page was dumped."""
    data, text, *others = synthetic().mappings[1:]
    changed = Map(start=text.start, end=text.end, flags="rx", path=text.path, page_offset=2, data=b"\x90" * 0x2000)
    registers = {**synthetic_registers(), "rip": 0, "rsp": STACK + 0x18000}
    core = written(
        tmp_path, synthetic(threads=(Thread(tid=4711, registers=registers),), mappings=(data, changed, *others))
    )
    out = slimmed(core, tmp_path, NO_BINARIES)
    code = (LIBRARY + 0x2000, LIBRARY + 0x3000, b"\x90" * 0x1000)
    assert code in reading_at(core).space.windows()
    assert code in reading_at(out).space.windows()


def test_the_segments_of_a_slim_core_are_as_the_gabi_wants_them(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    for standalone in (False, True):
        content = Path(slimmed(core, tmp_path, NO_BINARIES, standalone)).read_bytes()
        segments = list(ELFFile(io.BytesIO(content)).iter_segments("PT_LOAD"))
        for segment, after in pairwise(segments):
            assert segment["p_vaddr"] + segment["p_memsz"] <= after["p_vaddr"]
        for segment in segments:
            assert segment["p_offset"] % segment["p_align"] == segment["p_vaddr"] % segment["p_align"]
            assert segment["p_filesz"] <= segment["p_memsz"]
            assert segment["p_offset"] + segment["p_filesz"] <= len(content)


def recovered_core() -> Core:
    """A handler on a stack of its own reset the signal and raised it: the frame that it left lies amid a large heap."""
    registers = synthetic_registers()
    fault = Fault(si_signo=11, si_code=1, si_addr=0xDEAD0)
    frame = signal_frame(
        {name: value for name, value in registers.items() if name != "fs_base"},
        fault,
        restorer=LIBRARY + 0x2200,
        err=6,
        trapno=14,
        cr2=0xDEAD0,
    )
    heap = bytearray(b"\x5a" * 0x80000)
    heap[0x43210 : 0x43210 + len(frame)] = frame
    mappings = synthetic().mappings
    return synthetic(
        signal=Sent(si_signo=11, si_code=-6, si_pid=4711, si_uid=0),
        mappings=(Map(start=HEAP, end=HEAP + 0x80000, flags="rw", data=bytes(heap)), *mappings[1:]),
    )


@pytest.mark.parametrize("pointers_only", [False, True])
def test_of_the_memory_that_was_searched_only_the_dead_signal_frame_is_kept(
    pointers_only: bool, tmp_path: Path
) -> None:
    core = written(tmp_path, recovered_core())
    out = slimmed(core, tmp_path, NO_BINARIES, pointers_only=pointers_only)
    before, after = case_at(core, NO_BINARIES), case_at(out, NO_BINARIES)
    assert (after.context, after.fault_address) == (before.context, before.fault_address) == ("recovered", 0xDEAD0)
    assert told(after) == told(before)
    assert Path(out).read_bytes().count(b"\x5a") < 1024


def test_an_aarch64_core_is_slimmed_too(tmp_path: Path) -> None:
    core = synthetic(
        architecture="aarch64",
        threads=(Thread(tid=4711, registers={"pc": LIBRARY + 0x2100, "sp": STACK + 0x18000, "x30": LIBRARY + 0x2300}),),
        mappings=tuple(m for m in synthetic().mappings if m.start != LIBRARY),
    )
    path = written(tmp_path, core)
    for standalone, pointers_only in MODES:
        out = slimmed(path, tmp_path, NO_BINARIES, standalone, pointers_only)
        assert told(case_at(out, NO_BINARIES)) == told(case_at(path, NO_BINARIES))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.97])
def test_a_core_that_was_cut_off_is_slimmed_to_the_same_case(kept: float, tmp_path: Path) -> None:
    content = core_dump(synthetic())
    core = written(tmp_path, content[: int(len(content) * kept)])
    out = slimmed(core, tmp_path, NO_BINARIES)
    assert told(case_at(out, NO_BINARIES)) == told(case_at(core, NO_BINARIES))


def test_a_core_without_a_thread_is_refused(tmp_path: Path) -> None:
    core = written(tmp_path, core_dump(synthetic())[:700])
    with pytest.raises(UnreadableSpecimen, match="registers of a thread"):
        slimmed(core, tmp_path, NO_BINARIES)
    assert os.listdir(tmp_path) == ["core"]


def test_more_mappings_than_an_elf_header_can_count_stay_known(tmp_path: Path) -> None:
    many = tuple(Map(start=0x10_0000 + 0x2000 * at, end=0x10_1000 + 0x2000 * at, flags="r") for at in range(66_000))
    core = written(tmp_path, synthetic(mappings=(*many, *synthetic().mappings)))
    out = slimmed(core, tmp_path, NO_BINARIES)
    assert told(case_at(out, NO_BINARIES)) == told(case_at(core, NO_BINARIES))
    assert layout(reading_at(out).space.mappings) == layout(reading_at(core).space.mappings)
    assert ELFFile(io.BytesIO(Path(out).read_bytes())).num_segments() > 66_000


def test_notes_that_a_reading_fetches_at_once_still_are(tmp_path: Path) -> None:
    """With more than 64 KiB of headers and notes a reading has fewer rounds for memory, and may see less."""
    shorter = core_dump(synthetic(threads=threads_with(0)))
    end = notes_end(shorter)
    room = (65536 - end) // 16 & -4
    core = written(tmp_path, synthetic(threads=threads_with(room)))
    assert 65000 < notes_end(Path(core).read_bytes()) <= 65536
    out = slimmed(core, tmp_path, NO_BINARIES)
    assert notes_end(Path(out).read_bytes()) <= 65536
    assert told(case_at(out, NO_BINARIES)) == told(case_at(core, NO_BINARIES))


def threads_with(vector_bytes: int) -> tuple[Thread, ...]:
    vector = Note("LINUX", 0x202, b"\x33" * vector_bytes)
    return tuple(Thread(tid=4711 + at, registers=synthetic_registers(), more=(vector,)) for at in range(16))


def notes_end(content: bytes) -> int:
    note = next(ELFFile(io.BytesIO(content)).iter_segments("PT_NOTE"))
    return int(note["p_offset"] + note["p_filesz"])


def test_with_pointers_only_floating_point_and_vector_registers_go(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic(threads=threads_with(832)))
    assert b"\x33" * 64 in Path(slimmed(core, tmp_path, NO_BINARIES)).read_bytes()
    blanked = slimmed(core, tmp_path, NO_BINARIES, pointers_only=True)
    assert b"\x33" * 64 not in Path(blanked).read_bytes()
    assert case_at(blanked, NO_BINARIES).thread_count == 16


def test_where_address_zero_is_mapped_blanked_words_do_not_point_there(tmp_path: Path) -> None:
    """As under Wine: else each blanked word would be a return address for the scan."""
    low = Map(start=0, end=0x10000, flags="rx")
    core = written(tmp_path, synthetic(mappings=(low, *synthetic().mappings)))
    out = slimmed(core, tmp_path, NO_BINARIES, pointers_only=True)
    assert told(case_at(out, NO_BINARIES)) == told(case_at(core, NO_BINARIES))


SYSTEMD_NAME = "core.walker.1000.ae0ddef8aa2b41c0be6cf0e85d482248.4711.1673457266000000"


def test_time_and_host_of_the_original_survive(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic(), SYSTEMD_NAME)
    Path(f"{core}.json").write_text('{"host": "ash-12", "service": "search", "labels": {"ring": "canary"}}')
    found = case_at(slimmed(core, tmp_path, NO_BINARIES), NO_BINARIES).circumstances
    assert (found.time, found.time_source) == ("2023-01-11T17:14:26.000000Z", "file_name")
    assert (found.host, found.host_source, found.service) == ("ash-12", "sidecar", "search")
    assert found.labels == (("ring", "canary"),)
    assert found.boot_id == "ae0ddef8aa2b41c0be6cf0e85d482248"


def test_what_stands_beside_a_slim_core_counts_more_than_what_it_remembers(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic(), SYSTEMD_NAME)
    out = slimmed(core, tmp_path, NO_BINARIES)
    Path(f"{out}.json").write_text('{"host": "oak-3", "time": "2026-02-03T04:05:06Z"}')
    found = case_at(out, NO_BINARIES).circumstances
    assert (found.time, found.time_source) == ("2026-02-03T04:05:06.000000Z", "sidecar")
    assert (found.host, found.host_source) == ("oak-3", "sidecar")


def test_a_modification_time_stays_one(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    os.utime(core, (1_600_000_000, 1_600_000_000))
    found = case_at(slimmed(core, tmp_path, NO_BINARIES), NO_BINARIES).circumstances
    assert (found.time, found.time_source) == ("2020-09-13T12:26:40.000000Z", "mtime")


def test_a_damaged_note_of_ours_is_a_gap(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    content = Path(slimmed(core, tmp_path, NO_BINARIES)).read_bytes()
    damaged = written(tmp_path, content.replace(b'{"version":1,', b'{"version":x,'), "damaged")
    other = written(tmp_path, content.replace(b'"version"', b'"v\xff\xfesion"'), "no_text")
    for path in (damaged, other):
        case = case_at(path, NO_BINARIES)
        assert "slim note" in {gap.what for gap in case.missing}
        assert case.case_id == case_at(core, NO_BINARIES).case_id


def test_the_note_says_what_was_kept_and_nothing_of_arguments(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    out = slimmed(core, tmp_path, NO_BINARIES, pointers_only=True)
    note = reading_at(out).slim
    assert note is not None
    assert (note.bytes_before, note.pointers_only, note.standalone) == (os.path.getsize(core), True, False)
    loads = [s for s in ELFFile(io.BytesIO(Path(out).read_bytes())).iter_segments("PT_LOAD") if s["p_filesz"]]
    assert (note.kept.stretches, note.kept.bytes) == (len(loads), sum(s["p_filesz"] for s in loads))
    assert b"mulberry" not in Path(out).read_bytes()


def test_compressed_cores_are_read_and_written(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    packed = written(tmp_path, zstandard.ZstdCompressor().compress(Path(core).read_bytes()), "core.zst")
    for standalone in (False, True):
        out = tmp_path / f"{standalone}.core.zst"
        fact = slim(packed, str(out), NO_BINARIES, standalone)
        assert out.read_bytes()[:4] == b"\x28\xb5\x2f\xfd"
        assert (fact.bytes_before, fact.bytes_after) == (os.path.getsize(packed), out.stat().st_size)
        assert told(case_at(str(out), NO_BINARIES)) == told(case_at(core, NO_BINARIES))


def test_a_file_that_exists_is_neither_overwritten_nor_touched(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    with pytest.raises(UsageError, match="exists already"):
        slim(core, core, NO_BINARIES)
    assert Path(core).read_bytes() == core_dump(synthetic())


def test_a_form_that_would_read_otherwise_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core = written(tmp_path, synthetic())
    other = core_dump(synthetic(signal=Fault(si_signo=11, si_code=1, si_addr=0x9999)))
    monkeypatch.setattr(slimming, "core_dump", lambda _: other)
    with pytest.raises(UsageError, match="would not give the same case"):
        slim(core, str(tmp_path / "out"), NO_BINARIES)
    assert os.listdir(tmp_path) == ["core"]


def test_a_slim_core_without_the_loader_s_list_is_not_made_standalone(tmp_path: Path) -> None:
    core = written(tmp_path, synthetic())
    out = slimmed(core, tmp_path, NO_BINARIES)
    with pytest.raises(UsageError, match="without what a debugger needs"):
        slimmed(out, tmp_path, NO_BINARIES, standalone=True)


def test_the_command_says_both_sizes(tmp_path: Path) -> None:
    from broadstreet.surfaces.slim import slim as command

    core = written(tmp_path, synthetic())
    said = CliRunner().invoke(command, [core, str(tmp_path / "out.core"), "--pointers-only"])
    assert said.exit_code == 0, said.output
    assert re.match(r"\d+ KB -> \d+ KB  .*out\.core\n", said.output)


def test_a_folder_in_place_of_a_core_is_a_usage_error(tmp_path: Path) -> None:
    from broadstreet.surfaces.slim import slim as command

    shutil.copy(written(tmp_path, synthetic()), tmp_path / "other")
    said = CliRunner().invoke(command, [str(tmp_path), str(tmp_path / "out.core")])
    assert isinstance(said.exception, UsageError)
