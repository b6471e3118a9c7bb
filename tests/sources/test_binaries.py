"""Binaries in trees, sysroots and plain folders; and the wrong ones, which are refused."""

import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from elftools.elf.elffile import ELFFile

from broadstreet.formats.binary import Binary
from broadstreet.records.wanted import BinaryWanted
from broadstreet.sources import binary_store
from broadstreet.sources.binaries import Binaries, build_id_of
from tests.kernel_cores import compiled, said_by, skipped_without

SOURCE = "int number = VALUE; int main(void) { return number; }"
GONE = "/nowhere/bin/program"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("binaries")
    with skipped_without():
        for name, value in (("program", 1), ("other", 2)):
            compiled(made / name, SOURCE, f"-DVALUE={value}", "-O1", name=name)
    return made


@pytest.fixture
def program(folder: Path) -> Path:
    return folder / "program" / "program"


@pytest.fixture
def other(folder: Path) -> Path:
    return folder / "other" / "other"


def build_id(path: Path) -> str:
    said = said_by("readelf", "-nW", str(path))
    return next(line.split()[-1] for line in said.splitlines() if "Build ID" in line)


def as_tree(root: Path, program: Path) -> Path:
    wanted = build_id(program)
    place = root / ".build-id" / wanted[:2] / wanted[2:]
    place.parent.mkdir(parents=True)
    shutil.copy(program, place)
    return root


def as_packed_tree(root: Path, program: Path) -> Path:
    wanted = build_id(program)
    place = root / ".build-id" / wanted[:2] / f"{wanted[2:]}.zst"
    place.parent.mkdir(parents=True)
    place.write_bytes(zstandard.compress(program.read_bytes()))
    return root


def as_sysroot(root: Path, program: Path) -> Path:
    (root / "nowhere" / "bin").mkdir(parents=True)
    shutil.copy(program, root / "nowhere" / "bin" / "program")
    return root


def as_plain_folder(root: Path, program: Path) -> Path:
    (root / "release-7").mkdir(parents=True)
    shutil.copy(program, root / "release-7" / "renamed")
    (root / "release-7" / "README").write_text("no binary")
    return root


def as_debug_tree(root: Path, program: Path) -> Path:
    return as_tree(root / "usr" / "lib" / "debug", program).parents[2]


@pytest.mark.parametrize("lay", [as_tree, as_packed_tree, as_sysroot, as_plain_folder, as_debug_tree])
def test_a_binary_is_found_by_its_build_id(tmp_path: Path, program: Path, lay: Callable[[Path, Path], Path]) -> None:
    finder = Binaries([str(lay(tmp_path / "root", program))])
    found = finder.find(BinaryWanted(GONE, build_id(program)))
    assert found is not None
    assert found.build_id == build_id(program)
    assert finder.find(BinaryWanted(GONE, build_id(program))) is found


@pytest.mark.parametrize("lay", [as_tree, as_packed_tree, as_sysroot, as_plain_folder, as_debug_tree])
def test_a_binary_with_another_build_id_is_refused(
    tmp_path: Path, program: Path, other: Path, lay: Callable[[Path, Path], Path]
) -> None:
    assert build_id(program) != build_id(other)
    finder = Binaries([str(lay(tmp_path / "root", program))])
    assert finder.find(BinaryWanted(GONE, build_id(other))) is None


def test_a_tree_that_lies_about_a_build_id_is_refused(tmp_path: Path, program: Path, other: Path) -> None:
    wanted = build_id(other)
    place = tmp_path / ".build-id" / wanted[:2] / wanted[2:]
    place.parent.mkdir(parents=True)
    shutil.copy(program, place)
    assert Binaries([str(tmp_path)]).find(BinaryWanted(GONE, wanted)) is None


def test_a_binary_at_the_mapped_path_is_found(program: Path, other: Path) -> None:
    assert Binaries().find(BinaryWanted(str(program), build_id(program))) is not None
    assert Binaries().find(BinaryWanted(f"{program} (deleted)", build_id(program))) is not None
    assert Binaries().find(BinaryWanted(str(program), build_id(other))) is None


def test_a_sysroot_counts_before_this_machine(tmp_path: Path, program: Path, other: Path) -> None:
    place = tmp_path / str(program).lstrip("/")
    place.parent.mkdir(parents=True)
    shutil.copy(other, place)
    found = Binaries([str(tmp_path)]).find(BinaryWanted(str(program), None))
    assert found is not None
    assert found.build_id == build_id(other)


def test_a_binary_that_was_replaced_is_read_again(tmp_path: Path, program: Path, other: Path) -> None:
    place = tmp_path / "program"
    finder = Binaries()
    shutil.copy(program, place)
    first = finder.find(BinaryWanted(str(place), None))
    os.unlink(place)
    shutil.copy(other, place)
    second = finder.find(BinaryWanted(str(place), None))
    assert first is not None
    assert second is not None
    assert (first.build_id, second.build_id) == (build_id(program), build_id(other))


def test_separate_debug_information_does_not_stand_for_the_binary(tmp_path: Path, program: Path) -> None:
    if shutil.which("objcopy") is None:
        pytest.skip("objcopy is not installed")
    (tmp_path / "both").mkdir()
    said_by("objcopy", "--only-keep-debug", str(program), str(tmp_path / "both" / "a.debug"))
    assert build_id_of(tmp_path / "both" / "a.debug") is None
    assert Binaries([str(tmp_path)]).find(BinaryWanted(GONE, build_id(program))) is None
    shutil.copy(program, tmp_path / "both" / "z")
    found = Binaries([str(tmp_path)]).find(BinaryWanted(GONE, build_id(program)))
    assert found is not None
    assert any(found.code(one.address, 1) for one in found.loads if one.flags & 1)


@pytest.mark.parametrize(
    "path",
    ["", "relative/program", "[vdso]", "//anon", "/", "/dev/zero", "/proc/self/mem", "/nowhere\0/x", "/" + "x" * 5000],
)
def test_a_path_that_names_no_binary_gives_none(path: str) -> None:
    assert Binaries().find(BinaryWanted(path, None)) is None


def test_a_pipe_at_the_mapped_path_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "program")
    assert Binaries().find(BinaryWanted(str(tmp_path / "program"), None)) is None
    assert Binaries([str(tmp_path)]).find(BinaryWanted("/program", None)) is None


@pytest.mark.parametrize("build_id", ["", "a", "ab", "abc", "../../etc", "00" * 64])
def test_a_strange_build_id_gives_none(tmp_path: Path, build_id: str) -> None:
    assert Binaries([str(tmp_path)], str(tmp_path / "store")).find(BinaryWanted(GONE, build_id)) is None


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", bytes(64), b"\x7fELF\x02\x01" + bytes(58), b"\x7fELF\x01\x01" + bytes(4096)]
)
def test_a_file_that_is_no_binary_gives_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "program").write_bytes(content)
    assert Binaries().find(BinaryWanted(str(tmp_path / "program"), None)) is None
    assert Binaries([str(tmp_path)]).find(BinaryWanted(GONE, "00" * 20)) is None


def claiming(program: Path, target: Path, section: str, field: int, value: int) -> Path:
    """A copy in a sparse file of 8 GiB, one of whose section headers lies."""
    data = bytearray(program.read_bytes())
    with program.open("rb") as file:
        binary = ELFFile(file)
        at = binary["e_shoff"] + binary["e_shentsize"] * (binary.get_section_index(section) or 0)
    data[at + field : at + field + 8] = value.to_bytes(8, "little")
    target.write_bytes(data)
    os.truncate(target, 8 << 30)
    return target


@pytest.mark.parametrize("section", [".symtab", ".strtab", ".dynsym", ".dynstr", ".eh_frame", ".shstrtab"])
@pytest.mark.parametrize(("field", "value"), [(32, 4 << 30), (32, (1 << 64) - 1), (24, 7 << 30), (24, (1 << 64) - 8)])
def test_a_section_that_claims_gigabytes_of_a_sparse_file_costs_little(
    tmp_path: Path, program: Path, section: str, field: int, value: int
) -> None:
    path = claiming(program, tmp_path / "program", section, field, value)
    tracemalloc.start()
    try:
        binary = Binaries().find(BinaryWanted(str(path), None))
        assert binary is not None
        for load in binary.loads:
            for address in range(load.address, load.address + load.file_size, 64):
                binary.symbol(address)
                binary.row(address)
                binary.call_before(address)
        binary.data_symbol("__abort_msg")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20


def test_a_store_keeps_what_reading_needs(tmp_path: Path, program: Path) -> None:
    shutil.copytree(program.parent, tmp_path / "in")
    (added,) = [one for one in binary_store.add(str(tmp_path / "in"), str(tmp_path / "store"))]
    assert (added.build_id, added.reason) == (build_id(program), None)
    kept = Binaries(store=str(tmp_path / "store")).find(BinaryWanted(GONE, build_id(program)))
    assert kept is not None
    whole = Binary(program.read_bytes())
    text = next(one for one in whole.loads if one.flags & 1)
    assert kept.code(text.address, text.file_size) == whole.code(text.address, text.file_size)
    main = next(
        int(line.split()[0], 16) for line in said_by("nm", str(program)).splitlines() if line.endswith(" T main")
    )
    assert kept.symbol(main) == whole.symbol(main) == ("main", main, whole.symbol(main)[2])  # type: ignore[index]
    assert kept.row(main) == whole.row(main) is not None


def test_a_store_refuses_what_has_no_code_or_no_build_id(tmp_path: Path, program: Path) -> None:
    if shutil.which("objcopy") is None:
        pytest.skip("objcopy is not installed")
    (tmp_path / "in").mkdir()
    said_by("objcopy", "--only-keep-debug", str(program), str(tmp_path / "in" / "a.debug"))
    said_by("objcopy", "--remove-section", ".note.gnu.build-id", str(program), str(tmp_path / "in" / "nameless"))
    added = list(binary_store.add(str(tmp_path / "in"), str(tmp_path / "store")))
    assert [(one.build_id, one.reason is None) for one in added] == [(None, False)] * 2
    assert not (tmp_path / "store" / ".build-id").exists()


def test_a_store_that_cannot_be_written_is_no_error_for_reading(tmp_path: Path, program: Path) -> None:
    (tmp_path / "store").write_text("a file, no folder")
    finder = Binaries(store=str(tmp_path / "store"))
    found = finder.find(BinaryWanted(str(program), build_id(program)))
    assert found is not None
    named = int(next(row for row in said_by("nm", str(program)).splitlines() if row.endswith(" T main")).split()[0], 16)
    assert found.symbol(named) is not None
