"""The CPU and the NUMA node on which a thread last ran: programs that pin themselves before they crash."""

import os
import re
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from broadstreet.lab.kernel import CannotDump
from broadstreet.pipeline.reading import case_at
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from tests.kernel_cores import compiled, dumped, skipped_without

SOURCE = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/rseq.h>
static int cpu;
static void *crash(void *nothing) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set)) _exit(3);
    for (int turn = 0; turn < 1000; turn++) sched_yield();
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    __asm__ volatile("mov %0, %%r12\n mov $8, %%rax\n mov %%eax, (%%rax)" :: "r"(area) : "r12", "rax", "memory");
    return nothing;
}
int main(int count, char **words) {
    pthread_t thread;
    if (!__rseq_size && !getenv("GLIBC_TUNABLES")) return 4;
    cpu = atoi(words[1]);
    if (strcmp(words[2], "thread")) crash(0);
    pthread_create(&thread, 0, crash, 0);
    pthread_join(thread, 0);
    return 0;
}
"""
CPUS = sorted(os.sched_getaffinity(0))[:4]
NODE_GIVEN_SINCE = (6, 3)  # struct rseq has node_id since Linux 6.3


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with skipped_without():
        return compiled(tmp_path_factory.mktemp("rseq"), SOURCE, "-O1")


def where(program: Path, *command: str) -> Circumstances:
    with skipped_without():
        return case_at(str(dumped(program.parent, *command)), Binaries()).circumstances


@pytest.mark.parametrize("thread", ["main", "thread"])
@pytest.mark.parametrize("cpu", CPUS)
def test_the_cpu_is_the_one_that_the_thread_was_pinned_to(program: Path, cpu: int, thread: str) -> None:
    assert where(program, str(program), str(cpu), thread).cpu == cpu


def test_the_cpu_is_found_without_the_binaries_of_the_process(program: Path, tmp_path: Path) -> None:
    with skipped_without():
        dump = dumped(program.parent, str(program), str(CPUS[-1]), "main")
    data = dump.read_bytes()
    moved = tmp_path / "core"
    moved.write_bytes(data.replace(b"/lib/x86_64-linux-gnu/", b"/lib/x86_64-nowhere-b/"))
    found = case_at(str(moved), Binaries()).circumstances.cpu
    assert found in (CPUS[-1], None), "the usual offset of glibc, or null; never another cpu"


def test_the_node_is_the_one_of_that_cpu(program: Path) -> None:
    release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    nodes = list(Path(f"/sys/devices/system/cpu/cpu{CPUS[0]}").glob("node[0-9]*"))
    if release < NODE_GIVEN_SINCE or not nodes:
        pytest.skip("this kernel does not say which node a cpu belongs to")
    found = where(program, str(program), str(CPUS[0]), "main")
    assert found.numa_node == int(nodes[0].name.removeprefix("node"))


@pytest.mark.parametrize(
    ("cpu_id_start", "cpu_id", "node_id", "expected"),
    [
        (5, 5, 3, (5, 3)),
        (5, 5, 0xFFFF_FFFF, (5, None)),
        (0, 0xFFFF_FFFF, 0, (None, None)),  # RSEQ_CPU_ID_UNINITIALIZED
        (0xFFFF_FFFE, 0xFFFF_FFFE, 0, (None, None)),  # RSEQ_CPU_ID_REGISTRATION_FAILED
        (4, 5, 0, (None, None)),  # torn, or not an rseq area
    ],
)
def test_the_area_is_read_as_the_kernel_lays_it_out(
    program: Path, cpu_id_start: int, cpu_id: int, node_id: int, expected: tuple[int | None, int | None]
) -> None:
    with skipped_without():
        dump = dumped(program.parent, str(program), str(CPUS[0]), "main")
    area = case_at(str(dump), Binaries()).registers["r12"]
    data = bytearray(dump.read_bytes())
    with dump.open("rb") as file:
        loads = ELFFile(file).iter_segments("PT_LOAD")
        load = next(one for one in loads if one["p_vaddr"] <= area < one["p_vaddr"] + one["p_filesz"])
    at = load["p_offset"] + area - load["p_vaddr"]
    assert struct.unpack_from("<I", data, at + 4) == (CPUS[0],), "include/uapi/linux/rseq.h"
    struct.pack_into("<II", data, at, cpu_id_start, cpu_id)
    struct.pack_into("<I", data, at + 20, node_id)
    dump.write_bytes(data)
    found = case_at(str(dump), Binaries()).circumstances
    assert (found.cpu, found.numa_node) == expected


def test_a_thread_without_rseq_has_no_cpu(program: Path) -> None:
    switch = "GLIBC_TUNABLES=glibc.pthread.rseq=0"
    assert where(program, "/usr/bin/env", switch, str(program), str(CPUS[0]), "main").cpu is None


def test_a_program_that_cannot_be_pinned_is_no_evidence(program: Path) -> None:
    with pytest.raises(CannotDump, match="left 0 core dumps"):
        dumped(program.parent, str(program), "4095", "main")
