"""Which binary was mapped: from the core dump, and from a file only where its segments agree with the mappings."""

import shutil
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from broadstreet.formats.linux_core import MappedFile
from broadstreet.pipeline.reading import case_at
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.modules import Modules, mapped_modules
from broadstreet.records.case import Case, ModuleFact
from broadstreet.sources.binaries import Binaries
from tests import synth
from tests.kernel_cores import compiled, dumped, skipped_without
from tests.reading.driving import driven
from tests.reading.specimens import core

SOURCE = r"""
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
static volatile char filler[FILLER];
static int table[] = {1, 2, 3};
int main(int count, char **words) {
    int file = open("/proc/self/coredump_filter", O_WRONLY);
    if (!strcmp(words[1], "without-headers") && write(file, "0x23", 4) != 4) return 3;
    return *(volatile int *)(long)(filler[0] + table[0]);
}
"""


def build(folder: Path, filler: int, *flags: str) -> Path:
    with skipped_without():
        return compiled(folder, SOURCE, f"-DFILLER={filler}", "-O1", *flags)


def build_id(path: Path) -> str:
    with path.open("rb") as file:
        sections = [one for one in ELFFile(file).iter_sections() if isinstance(one, NoteSection)]
        notes = [note for section in sections for note in section.iter_notes()]
        return next(str(note["n_desc"]) for note in notes if note["n_type"] == "NT_GNU_BUILD_ID")


def module(case: Case, path: Path) -> ModuleFact:
    return next(one for one in case.modules if one.path == str(path))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("modules"), 16)


def crashed(program: Path, way: str) -> Path:
    with skipped_without():
        return dumped(program.parent, str(program), way)


def test_a_dumped_first_page_gives_the_build_id(program: Path) -> None:
    found = module(case_at(str(crashed(program, "with-headers")), Binaries()), program)
    assert (found.build_id, found.build_id_source, found.found) == (build_id(program), "core", True)


def test_without_the_first_page_the_file_that_agrees_lends_its_build_id(program: Path) -> None:
    case = case_at(str(crashed(program, "without-headers")), Binaries())
    found = module(case, program)
    assert (found.build_id, found.build_id_source, found.found) == (build_id(program), "file", True)
    assert case.frames[0].function == "main"


@pytest.mark.parametrize("flags", [(), ("-no-pie", "-fno-pie"), ("-Wl,-z,noseparate-code",)])
def test_a_file_of_another_layout_lends_nothing(tmp_path: Path, program: Path, flags: tuple[str, ...]) -> None:
    copy = shutil.copy(program, tmp_path / "program")
    dump = crashed(Path(copy), "without-headers")
    shutil.copy(build(tmp_path / "other", 400_000, "-Wl,-z,max-page-size=65536", *flags), copy)
    case = case_at(str(dump), Binaries())
    found = module(case, Path(copy))
    assert (found.build_id, found.build_id_source, found.found) == (None, None, False)
    assert [gap.why for gap in case.missing if gap.what == f"binary {copy}"] == ["its build id is not known"]
    assert (case.frames[0].module, case.frames[0].function) == (str(copy), None)
    assert case.frames[0].offset == (case.pc or 0) - found.start


def test_a_file_that_is_gone_lends_nothing(tmp_path: Path, program: Path) -> None:
    copy = Path(shutil.copy(program, tmp_path / "program"))
    dump = crashed(copy, "without-headers")
    copy.unlink()
    found = module(case_at(str(dump), Binaries()), copy)
    assert (found.build_id, found.found) == (None, False)


def test_a_file_with_another_build_id_is_not_used(tmp_path: Path, program: Path) -> None:
    copy = Path(shutil.copy(program, tmp_path / "program"))
    dump = crashed(copy, "with-headers")
    shutil.copy(build(tmp_path / "other", 4000), copy)
    assert build_id(copy) != build_id(program)
    case = case_at(str(dump), Binaries())
    found = module(case, copy)
    assert (found.build_id, found.build_id_source, found.found) == (build_id(program), "core", False)
    assert case.frames[0].function is None


def test_a_binary_from_elsewhere_is_used_by_its_build_id(tmp_path: Path, program: Path) -> None:
    copy = Path(shutil.copy(program, tmp_path / "program"))
    dump = crashed(copy, "with-headers")
    copy.unlink()
    case = case_at(str(dump), Binaries([str(program.parent)]))
    assert module(case, copy).found
    assert case.frames[0].function == "main"


def space(*maps: tuple[int, int, int]) -> AddressSpace:
    listed = tuple(synth.Map(start=start, end=end, flags={4: "r", 5: "rx"}[flags]) for start, end, flags in maps)
    return driven(synth.core_dump(core(mappings=listed))).reading.space


def test_the_pieces_of_one_file_are_one_module() -> None:
    files = [
        MappedFile(0x10000, 0x11000, 0, "/lib/a"),
        MappedFile(0x11000, 0x13000, 0x1000, "/lib/a"),
        MappedFile(0x13000, 0x14000, 0x2000, "/lib/a"),
        MappedFile(0x20000, 0x21000, 0, "/lib/b"),
        MappedFile(0x21000, 0x22000, 0x1000, "/lib/b"),
    ]
    found = mapped_modules(files, space((0x10000, 0x11000, 4), (0x11000, 0x13000, 5), (0x21000, 0x22000, 5)), None)
    assert [(one.path, one.start) for one in found] == [("/lib/a", 0x10000), ("/lib/b", 0x20000)]
    assert [one.end for one in found] == [0x14000, 0x22000]


def test_a_file_that_is_mapped_twice_is_two_modules() -> None:
    starts = [(start, at) for start in (0x10000, 0x20000) for at in (0, 0x1000)]
    files = [MappedFile(start + at, start + at + 0x1000, at, "/lib/a") for start, at in starts]
    found = mapped_modules(files, space((0x11000, 0x12000, 5), (0x21000, 0x22000, 5)), None)
    assert [one.start for one in found] == [0x10000, 0x20000]


def test_a_file_without_code_is_no_module() -> None:
    files = [MappedFile(0x10000, 0x11000, 0, "/usr/share/locale")]
    assert mapped_modules(files, space((0x10000, 0x11000, 4)), None) == []


def test_a_module_starts_where_its_file_would() -> None:
    files = [MappedFile(0x11000, 0x12000, 0x1000, "/lib/a")]
    (found,) = mapped_modules(files, space((0x11000, 0x12000, 5)), None)
    assert found.start == 0x10000


def test_the_end_of_a_module_is_exclusive_and_a_hole_belongs_to_none() -> None:
    files = [MappedFile(0x10000, 0x11000, 0, "/lib/a"), MappedFile(0x13000, 0x14000, 0x3000, "/lib/a")]
    modules = Modules(mapped_modules(files, space((0x13000, 0x14000, 5)), None))
    places = (0xFFFF, 0x10000, 0x10FFF, 0x11000, 0x13000, 0x13FFF, 0x14000)
    assert [modules.at(place) is not None for place in places] == [False, True, True, False, True, True, False]


def test_the_vdso_is_a_module_of_its_own() -> None:
    (found,) = mapped_modules([], space((0x7000, 0x9000, 5)), 0x7000)
    assert (found.path, found.start, found.end) == ("[vdso]", 0x7000, 0x9000)
    assert mapped_modules([], space((0x7000, 0x9000, 5)), 0x1000) == []


@pytest.mark.parametrize("lie", [(1 << 64) - 1, 1 << 63, 0])
def test_a_note_that_lies_about_its_mappings_makes_no_module_that_is_used(lie: int) -> None:
    data = synth.core_dump(core())
    at = data.index(struct.pack("<I", 0x46494C45)) + 12 + 16
    for place in range(at, at + 6 * 24, 8):
        damaged = bytearray(data)
        struct.pack_into("<Q", damaged, place, lie)
        state = driven(bytes(damaged), every_thread=True).reading.state
        assert state is not None
        assert all(frame.offset is None or 0 <= frame.offset < 1 << 64 for frame in state.frames)
