"""Frames against elfutils, thread by thread, on core dumps made on the spot; what elfutils cannot walk, by name."""

import re
import struct
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from broadstreet.pipeline.reading import case_at
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries
from tests import synth
from tests.kernel_cores import compiled, dumped, said_by, skipped_without
from tests.reading.driving import driven
from tests.reading.specimens import LIBRARY, STACK, core, stack

SOURCE = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define NOINLINE __attribute__((noinline, noclone))
static volatile int depth = 6;
static void (*volatile nowhere)(void) = 0;
static volatile long *volatile address = (long *)16;

NOINLINE static long fault(long a, long b, long c, long d, long e, long f, long g) {
    return *address + a + b + c + d + e + f + g;
}
NOINLINE static long wide(int size) {
    char *room = __builtin_alloca(size * 16);
    memset(room, size, size * 16);
    return fault(1, 2, 3, 4, 5, 6, 7) + room[size];
}
NOINLINE static int compare(const void *left, const void *right) {
    if (*(const int *)left == *(const int *)right) return 0;
    return (int)wide(40);
}
NOINLINE static long down(int left) {
    if (left) { long below = down(left - 1); return below * left + depth; }
    int numbers[] = {3, 1, 2};
    qsort(numbers, 3, sizeof *numbers, compare);
    return numbers[0];
}
NOINLINE static void in_handler(int number) { down(depth); }
NOINLINE static void raised(int flags) {
    struct sigaction action = {.sa_handler = in_handler, .sa_flags = flags};
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, 0);
    sigaction(SIGUSR1, &action, 0);
    raise(SIGUSR1);
}
NOINLINE static void *waiting(void *until) { pause(); return until; }
NOINLINE static void *crashing(void *until) { usleep(30000); down(depth); return until; }
NOINLINE static void threads(void) {
    pthread_t others[3];
    pthread_create(&others[0], 0, waiting, 0);
    pthread_create(&others[1], 0, waiting, 0);
    pthread_create(&others[2], 0, crashing, 0);
    pthread_join(others[2], 0);
}
NOINLINE static void caller(void) { nowhere(); depth++; }
NOINLINE static void aborting(void) { abort(); }
int main(int count, char **words) {
    const char *how = words[1];
    if (!strcmp(how, "plain")) down(depth);
    if (!strcmp(how, "thread")) threads();
    if (!strcmp(how, "handler")) raised(0);
    if (!strcmp(how, "alternate")) raised(SA_ONSTACK);
    if (!strcmp(how, "abort")) aborting();
    if (!strcmp(how, "nowhere")) caller();
    return depth;
}
"""
BUILDS = {
    "O0": ("-O0",),
    "O2": ("-O2",),
    "O2-no-pie": ("-O2", "-no-pie", "-fno-pie"),
    "O2-frame-pointers": ("-O2", "-fno-omit-frame-pointer"),
    "O1-no-frame-pointers": ("-O1", "-fomit-frame-pointer"),
    "stripped": ("-O2", "-s"),
}
WAYS = ("plain", "thread", "handler", "alternate", "abort")


class Theirs(NamedTuple):
    """A frame of eu-stack."""

    pc: int
    function: str


@pytest.fixture(scope="module", params=list(BUILDS))
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with skipped_without():
        return compiled(tmp_path_factory.mktemp("unwinder"), SOURCE, *BUILDS[request.param], name=request.param)


def eu_stack(dump: Path) -> dict[int, list[Theirs]]:
    threads: dict[int, list[Theirs]] = {}
    thread: list[Theirs] = []
    for line in said_by("eu-stack", f"--core={dump}").splitlines():
        if line.startswith("TID "):
            thread = threads[int(line[4:].rstrip(":"))] = []
        frame = re.match(r"#\d+ +0x([0-9a-f]+)(?: - 1)? *(.*)", line)
        if frame:
            thread.append(Theirs(int(frame[1], 16), frame[2].partition("@@")[0]))
    return threads


def case_of(dump: Path) -> Case:
    return case_at(str(dump), Binaries(), whole=True)


def assert_frames_are_those_of_eu_stack(dump: Path, case: Case) -> None:
    theirs = eu_stack(dump)
    assert {thread.tid for thread in case.threads} == set(theirs)
    for thread in case.threads:
        assert [hex(frame.pc) for frame in thread.frames] == [hex(frame.pc) for frame in theirs[thread.tid]]


@pytest.mark.parametrize("way", WAYS)
def test_frames_of_every_thread_are_those_of_eu_stack(program: Path, way: str) -> None:
    with skipped_without():
        dump = dumped(program.parent, str(program), way)
    case = case_of(dump)
    assert_frames_are_those_of_eu_stack(dump, case)
    assert len(case.threads) == (4 if way == "thread" else 1)
    assert {frame.trust for frame in case.threads[0].frames} == {"register", "unwind_table"}
    assert any(frame.signal_frame for frame in case.threads[0].frames) == (way in ("handler", "alternate"))


def test_functions_of_the_program_have_the_names_of_eu_stack(program: Path) -> None:
    with skipped_without():
        dump = dumped(program.parent, str(program), "handler")
    case = case_of(dump)
    ours = [frame.function for frame in case.threads[0].frames if frame.module == str(program)]
    pcs = {frame.pc for frame in case.threads[0].frames if frame.module == str(program)}
    theirs = [frame.function for frame in eu_stack(dump)[case.threads[0].tid] if frame.pc in pcs]
    assert ours == ([None] * len(ours) if program.name == "stripped" else theirs)
    if program.name != "stripped":
        assert ours[:2] == ["fault", "wide"]
        assert ours[-3:] == ["raised", "main", "_start"]


def test_frames_of_python_are_those_of_eu_stack(tmp_path: Path) -> None:
    with skipped_without():
        work = "import ctypes, json; json.loads('[1]'); sorted([2, 1], key=lambda x: ctypes.string_at(8))"
        dump = dumped(tmp_path, sys.executable, "-c", work)
    assert_frames_are_those_of_eu_stack(dump, case_of(dump))


def test_frames_of_a_thrown_exception_are_those_of_eu_stack(tmp_path: Path) -> None:
    source = """
    #include <stdexcept>
    #include <vector>
    #include <algorithm>
    struct Guard { ~Guard() noexcept(false) {} };
    template <class T> int sorted(T &v) { std::sort(v.begin(), v.end(), [](int a, int b) -> bool {
        Guard guard; throw std::runtime_error("no order"); }); return v[0]; }
    int main(int count, char **) { std::vector<int> v{count, 2, 3}; return sorted(v); }
    """
    with skipped_without():
        dump = dumped(tmp_path, str(compiled(tmp_path, source, "-O1", compiler="g++")))
    assert_frames_are_those_of_eu_stack(dump, case_of(dump))


def test_the_caller_of_a_call_into_nowhere_is_found(program: Path) -> None:
    with skipped_without():
        dump = dumped(program.parent, str(program), "nowhere")
    frames = case_of(dump).frames
    assert (frames[0].pc, frames[0].module) == (0, None)
    names = [frame.function for frame in frames if frame.module == str(program)]
    assert names[:2] == ([None, None] if program.name == "stripped" else ["caller", "main"])


def test_without_binaries_frame_pointers_lead_through_the_program(tmp_path: Path) -> None:
    with skipped_without():
        dump = dumped(tmp_path, str(compiled(tmp_path, SOURCE, "-O0")), "plain")
    state = driven(dump.read_bytes()).reading.state
    assert state is not None
    theirs = [frame.pc for frame in next(iter(eu_stack(dump).values()))]
    mine = state.frames
    assert [frame.pc for frame in mine[:4]] == theirs[:4]
    assert [frame.trust for frame in mine[1:3]] == ["frame_pointer"] * 2, "fault, wide, compare; then qsort, without"
    assert all(frame.function is None for frame in mine)


def test_a_stack_of_signal_frames_that_lead_to_themselves_ends() -> None:
    """The restorer's rule is that of libc, whose binary is at hand; the frame restores rip and rsp as they were."""
    words = struct.pack("<Q", LIBRARY + 0x1100) * 3000
    frame = synth.signal_frame(
        {"rip": LIBRARY + 0x1100, "rsp": STACK + 0x8000, "rbp": STACK + 0x8000},
        synth.Fault(si_signo=11, si_code=1, si_addr=0),
        restorer=LIBRARY + 0x1100,
    )
    for content in (words, frame * 8, frame + words):
        mapping = synth.Map(start=STACK, end=STACK + 0x20000, flags="rw", data=stack(bytes_at_sp=content))
        base = core()
        kept = [one for one in base.mappings if one.start != STACK]
        data = synth.core_dump(core(mappings=(*kept, mapping)))
        state = driven(data, every_thread=True).reading.state
        assert state is not None
        assert 1 < len(state.frames) <= 256


def test_a_frame_pointer_that_points_at_itself_ends_the_walk() -> None:
    place = STACK + 0x8000
    content = struct.pack("<QQ", place, LIBRARY + 0x1100) * 100
    mapping = synth.Map(start=STACK, end=STACK + 0x20000, flags="rw", data=stack(bytes_at_sp=content))
    kept = [one for one in core().mappings if one.start != STACK]
    registers = {"rip": LIBRARY + 0x1010, "rsp": place, "rbp": place}
    threads = (synth.Thread(tid=1, registers=registers),)
    described = core()
    data = synth.core_dump(
        synth.Core(
            architecture="x86_64",
            signal=described.signal,
            process=described.process,
            threads=threads,
            mappings=(*kept, mapping),
            auxv=described.auxv,
        )
    )
    state = driven(data).reading.state
    assert state is not None
    assert len(state.frames) <= 256
    sps = [frame.sp or 0 for frame in state.frames]
    assert sps == sorted(sps)
