"""Code that is taken out of a core dump: against what the kernel writes of a program whose code nobody changed."""

import os
import struct
from pathlib import Path

import pytest

from broadstreet.errors import UnreadableSpecimen
from broadstreet.lab.undumped import undumped
from broadstreet.pipeline.reading import case_at
from broadstreet.sources.binaries import Binaries
from tests.kernel_cores import compiled, dumped, skipped_without
from tests.synth import Core, Map, Process, Sent, Thread, core_dump

SOURCE = """
#include <fcntl.h>
#include <unistd.h>
__asm__(".text; .fill 20000, 1, 0x90"); /* the code is longer than the first page */
__attribute__((noinline)) static void crash(volatile int *at) { *at = 1; }
int main(int count, char **words) {
    if (count > 1) { /* as ptrace writes, so that the mapping stays whole */
        int memory = open("/proc/self/mem", O_RDWR);
        if (pwrite(memory, (void *)main, 1, (off_t)main) != 1) return 1;
    }
    crash((volatile int *)8);
    return 0;
}
"""
PT_LOAD, EXECUTABLE = 1, 1


def segments(core: Path) -> list[tuple[int, ...]]:
    """Flags, offset, address, bytes in the file and in memory of each PT_LOAD, read by hand."""
    content = core.read_bytes()
    (table,) = struct.unpack_from("<Q", content, 32)
    (count,) = struct.unpack_from("<H", content, 56)
    found = [struct.unpack_from("<IIQQQQQQ", content, table + 56 * place) for place in range(count)]
    return [(flags, at, address, held, size) for kind, flags, at, address, _, held, size, _ in found if kind == PT_LOAD]


@pytest.fixture(scope="module", params=["separate-code", "noseparate-code"])
def cores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("undumped")
    with skipped_without():
        program = compiled(folder, SOURCE, f"-Wl,-z,{request.param}")
        made = {"clean": dumped(folder, str(program)), "changed": dumped(folder, str(program), "change")}
    made["undumped"] = folder / "undumped.core"
    undumped(made["changed"], made["undumped"])
    return made


def test_what_is_left_is_what_the_kernel_writes_of_clean_code(cores: dict[str, Path]) -> None:
    def shape(name: str) -> list[tuple[int, int, int]]:
        return sorted((flags, size, held) for flags, _, _, held, size in segments(cores[name]))

    assert shape("changed") != shape("clean")
    assert shape("undumped") == shape("clean")


def test_every_other_byte_is_as_it_was(cores: dict[str, Path]) -> None:
    before, after = cores["changed"].read_bytes(), cores["undumped"].read_bytes()
    others = [one for one in segments(cores["undumped"]) if not one[0] & EXECUTABLE]
    assert sum(held for _, _, _, held, _ in others) > 100_000
    assert all(before[at : at + held] == after[at : at + held] for _, at, _, held, _ in others)
    assert len(before) == len(after)


def test_the_place_of_the_code_is_a_hole(cores: dict[str, Path]) -> None:
    gone = [
        (at + held, was - held)
        for (_, at, _, held, _), (*_, was, _) in zip(
            segments(cores["undumped"]), segments(cores["changed"]), strict=True
        )
        if held < was
    ]
    content = cores["undumped"].read_bytes()
    assert gone
    assert all(content[at : at + size] == bytes(size) for at, size in gone)
    assert os.stat(cores["undumped"]).st_blocks <= os.stat(cores["changed"]).st_blocks


def test_it_reads_as_the_same_crash(cores: dict[str, Path]) -> None:
    changed, left = (case_at(str(cores[name]), Binaries(())) for name in ("changed", "undumped"))
    assert (left.case_id, left.mechanism) == (changed.case_id, "null_dereference")
    assert [frame.pc for frame in left.frames] == [frame.pc for frame in changed.frames]


def test_code_that_no_file_backs_and_code_that_can_be_written_stay(tmp_path: Path) -> None:
    code = bytes(range(256)) * 16
    kept = (
        Map(start=0x10000, end=0x11000, flags="rx", data=code),
        Map(start=0x20000, end=0x21000, flags="rwx", data=code, path="/usr/lib/plugin.so", page_offset=3),
        Map(start=0x30000, end=0x31000, flags="r", data=code, path="/usr/lib/plugin.so"),
    )
    gone = Map(start=0x40000, end=0x41000, flags="rx", data=code, path="/usr/lib/plugin.so", page_offset=9)
    core = tmp_path / "core"
    core.write_bytes(
        core_dump(
            Core(
                architecture="x86_64",
                signal=Sent(si_signo=11, si_code=0, si_pid=1, si_uid=0),
                process=Process(pid=1, fname="plugged", psargs="plugged"),
                threads=(Thread(tid=1, registers={}),),
                mappings=(*kept, gone),
            )
        )
    )
    undumped(core, tmp_path / "left")
    assert [held for _, _, _, held, _ in segments(tmp_path / "left")] == [4096, 4096, 4096, 0]


def test_a_hole_is_copied_as_a_hole(cores: dict[str, Path], tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(cores["changed"].read_bytes())
    os.truncate(large, 8 << 30)
    undumped(large, tmp_path / "left")
    assert (tmp_path / "left").stat().st_size == 8 << 30
    assert (tmp_path / "left").stat().st_blocks * 512 < 64 << 20


@pytest.mark.parametrize("damage", ["no core dump", "headers beyond the end", "an offset beyond any file"])
def test_what_a_header_claims_is_not_trusted(cores: dict[str, Path], tmp_path: Path, damage: str) -> None:
    content = bytearray(cores["changed"].read_bytes())
    if damage == "no core dump":
        content = bytearray(b"#!/bin/sh\n")
    elif damage == "headers beyond the end":
        struct.pack_into("<Q", content, 32, 1 << 40)
    else:
        first_code = next(at for at, one in enumerate(segments(cores["changed"])) if one[0] & EXECUTABLE)
        struct.pack_into("<Q", content, 64 + 56 * (first_code + 1) + 8, (1 << 64) - 8)
    (tmp_path / "damaged").write_bytes(content)
    if damage == "an offset beyond any file":
        undumped(tmp_path / "damaged", tmp_path / "left")
        assert (tmp_path / "left").stat().st_size == len(content)
    else:
        with pytest.raises(UnreadableSpecimen):
            undumped(tmp_path / "damaged", tmp_path / "left")


def test_nothing_is_written_over(cores: dict[str, Path]) -> None:
    with pytest.raises(FileExistsError):
        undumped(cores["changed"], cores["clean"])
