"""Symbols, code and calls of compiled programs against nm and objdump; installed ones against pyelftools."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.binary import Binary
from tests.installed import binaries
from tests.kernel_cores import compiled, said_by, skipped_without

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
struct table { int (*first)(int); int (*second)(int); };
static int __attribute__((noinline)) twice(int x) { return 2 * x + rand(); }
int __attribute__((noinline)) thrice(int x) { return twice(x) + x; }
int __attribute__((noinline)) by_table(struct table *t, int x) { return t->first(x) + t->second(x + 1); }
int __attribute__((noinline)) tail(int (*next)(int), int x) { return next(x + 1); }
int __attribute__((noinline)) chosen(int x) {
    switch (x) { case 0: return puts("a"); case 1: return rand(); case 2: return puts("c"); case 3: return abs(x);
                 case 4: return puts("e"); case 5: return rand() + 1; default: return 0; }
}
__asm__(".globl frameless\n.type frameless, @function\nframeless: .cfi_startproc\n call thrice\n ret\n"
        ".cfi_endproc\n.size frameless, .-frameless\n");
int main(int count, char **words) {
    struct table t = {twice, thrice};
    return by_table(&t, count) + tail(thrice, count) + chosen(count);
}
"""
BUILDS = {"pie": ("-O2", "-pie"), "no-pie": ("-O2", "-no-pie"), "O0": ("-O0",), "stripped": ("-O2", "-s")}


@pytest.fixture(scope="module", params=list(BUILDS))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with skipped_without():
        return compiled(tmp_path_factory.mktemp("binary"), SOURCE, *BUILDS[request.param], name=request.param)


def functions(path: Path, *options: str) -> list[tuple[int, int, str]]:
    rows = [line.split() for line in said_by("nm", "--defined-only", "-S", *options, str(path)).splitlines()]
    return [(int(row[0], 16), int(row[1], 16), row[3]) for row in rows if len(row) == 4 and row[2] in "tTi"]


def section(path: Path, name: str) -> tuple[int, bytes]:
    with path.open("rb") as file:
        found = ELFFile(file).get_section_by_name(name)
        assert found is not None
        return found["sh_addr"], found.data()


def test_every_function_has_the_name_that_nm_gives_it(built: Path) -> None:
    binary = Binary(built.read_bytes())
    listed = functions(built)
    names = defaultdict(set)
    for start, _size, name in listed:
        names[start].add(name)
    for start, size, _name in listed:
        for address in (start, start + size // 2, start + size - 1):
            symbol = binary.symbol(address)
            assert symbol is not None
            assert symbol.name in names[start]
            assert (symbol.start, symbol.size) == (start, size)
    assert bool(listed) != built.name.startswith("stripped")


def test_an_address_past_the_end_of_a_function_has_no_name_of_it(built: Path) -> None:
    binary = Binary(built.read_bytes())
    for start, size, name in functions(built):
        after = binary.symbol(start + size)
        assert after is None or after.name != name


@pytest.mark.parametrize("path", binaries().values(), ids=list(binaries()))
def test_exported_functions_of_installed_binaries_are_named(path: Path) -> None:
    binary = Binary(path.read_bytes())
    names = defaultdict(set)
    with path.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            for symbol in section.iter_symbols() if isinstance(section, SymbolTableSection) else ():
                if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF" and symbol["st_size"]:
                    names[symbol["st_value"]].add(symbol.name)
    found = {start: binary.symbol(start) for start in names}
    wrong = [(hex(start), one) for start, one in found.items() if one is None or one.name not in names[start]]
    assert len(names) > 10
    assert wrong == []


def test_minidebuginfo_names_what_was_stripped(built: Path, tmp_path: Path) -> None:
    if shutil.which("xz") is None or shutil.which("objcopy") is None or built.name.startswith("stripped"):
        pytest.skip("needs xz, objcopy and a program with names")
    only, stripped, both, wanted = (tmp_path / name for name in ("names", "stripped", "both", "wanted"))
    wanted.write_text("twice\nthrice\n")  # as the manual of gdb makes it, "Debugging information in a special section"
    for command in (
        ["objcopy", "-S", f"--keep-symbols={wanted}", str(built), str(only)],
        ["strip", "-s", "-o", str(stripped), str(built)],
    ):
        subprocess.run(command, check=True)
    subprocess.run(["xz", "-9", str(only)], check=True)
    section = f".gnu_debugdata={only}.xz"
    subprocess.run(["objcopy", "--add-section", section, str(stripped), str(both)], check=True)
    expected = {name: start for start, _, name in functions(built) if name in ("twice", "thrice")}
    assert Binary(stripped.read_bytes()).symbol(expected["twice"]) is None
    binary = Binary(both.read_bytes())
    assert {name: getattr(binary.symbol(start), "name", None) for name, start in expected.items()} == {
        "twice": "twice",
        "thrice": "thrice",
    }


def test_code_is_that_of_the_sections(built: Path) -> None:
    binary = Binary(built.read_bytes())
    text, content = section(built, ".text")
    data, _ = section(built, ".data")
    assert binary.code(text + 5, 32) == content[5:37]
    assert binary.executable(text)
    assert not binary.executable(data)


def test_code_ends_with_its_segment_and_outside_is_null(built: Path) -> None:
    binary = Binary(built.read_bytes())
    with built.open("rb") as file:
        loads = list(ELFFile(file).iter_segments("PT_LOAD"))
    for load in loads:
        last = load["p_vaddr"] + load["p_filesz"] - 1
        assert len(binary.code(last, 16) or b"") == 1
        assert binary.base() == loads[0]["p_vaddr"]
    assert binary.code(loads[-1]["p_vaddr"] + loads[-1]["p_memsz"] + 4096, 1) is None
    assert binary.code(-1, 1) is None
    assert binary.code(1 << 63, 1) is None


def instructions(path: Path) -> list[tuple[int, int, str]]:
    """(address, size, text) of .text, as objdump sees it."""
    pattern = re.compile(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t?(.*)$")
    said = said_by("objdump", "-dw", "-j", ".text", str(path))
    rows = [match for match in map(pattern.match, said.splitlines()) if match]
    return [(int(row[1], 16), len(row[2].split()), row[3]) for row in rows]


def test_every_call_of_objdump_is_found_before_its_return_address(built: Path) -> None:
    binary = Binary(built.read_bytes())
    calls = [row for row in instructions(built) if row[2].split()[:1] in (["call"], ["bnd"], ["notrack"])]
    assert len(calls) >= 6
    for address, size, text in calls:
        after = address + size
        assert binary.call_before(after) == ("indirect" if "*" in text else "direct")
        if "*" not in text:
            assert binary.called_before(after) == int(text.split()[1], 16)


def test_a_call_to_nowhere_is_no_call(built: Path) -> None:
    data = bytearray(built.read_bytes())
    binary = Binary(bytes(data))
    address, size, _ = next(row for row in instructions(built) if row[2].startswith("call ") and "*" not in row[2])
    offset = data.index(binary.code(address, size) or b"")
    data[offset + 1 : offset + 5] = (0x7000_0000).to_bytes(4, "little")
    assert Binary(bytes(data)).call_before(address + size) == "none"


def test_an_instruction_begins_where_objdump_says_in_a_function_of_known_extent(built: Path) -> None:
    binary = Binary(built.read_bytes())
    rows = instructions(built)
    starts = {address for address, _, _ in rows}
    judged = 0
    for address, size, _ in rows:
        start = binary.row(address)
        for place in range(address, address + size):
            answer = binary.on_boundary(place)
            if start is not None and binary.row(place) is not None and answer is not None:
                judged += 1
                assert answer == (place in starts)
    assert judged > 200


def test_a_function_that_may_leave_by_a_tail_call_is_known(built: Path) -> None:
    if built.name == "O0":
        pytest.skip("a compiler makes tail calls from -O2 on")
    binary = Binary(built.read_bytes())
    tail = {name: start for start, _, name in functions(built)}.get("tail")
    if tail is None:
        pytest.skip("stripped: no names to find it by")
    answer = binary.flow(tail)
    assert answer is not None
    assert (answer.indirect_jump, answer.frameless_call) == (True, False)


def test_a_call_before_anything_was_pushed_is_known(built: Path) -> None:
    binary = Binary(built.read_bytes())
    starts = {name: start for start, _, name in functions(built)}
    if not starts:
        pytest.skip("stripped: no names to find it by")
    flows = {name: binary.flow(starts[name]) for name in ("frameless", "by_table")}
    assert {name: flow and flow.frameless_call for name, flow in flows.items()} == {
        "frameless": True,
        "by_table": False,
    }


def test_a_function_starts_where_its_unwind_entry_does(built: Path) -> None:
    binary = Binary(built.read_bytes())
    for start, size, name in functions(built):
        if name in ("thrice", "by_table", "chosen", "main"):
            assert binary.function_start(start + size - 1) == start


def test_the_words_that_lead_to_rseq_and_abort_message_are_found() -> None:
    installed = binaries()
    for name, symbol in (("ld.so", "__rseq_offset"), ("libc", "__abort_msg")):
        with installed[name].open("rb") as file:
            table = ELFFile(file).get_section_by_name(".dynsym")
            found = table.get_symbol_by_name(symbol) if isinstance(table, SymbolTableSection) else None
        expected = found[0]["st_value"] if found else None
        assert Binary(installed[name].read_bytes()).data_symbol(symbol) == expected
        assert Binary(installed[name].read_bytes()).data_symbol("no such symbol") is None


def test_another_machine_is_refused() -> None:
    data = bytearray(binaries()["ld.so"].read_bytes())
    data[18:20] = (40).to_bytes(2, "little")
    with pytest.raises(UnreadableSpecimen, match="machine 40"):
        Binary(bytes(data))


def test_without_section_headers_the_unwind_rows_are_still_found() -> None:
    whole = binaries()["ld.so"].read_bytes()
    data = bytearray(whole)
    data[40:48] = bytes(8)
    stripped, reference = Binary(bytes(data)), Binary(whole)
    text, content = section(binaries()["ld.so"], ".text")
    places = range(text, text + len(content), 997)
    rows = [stripped.row(place) for place in places]
    assert stripped.sections() == []
    assert sum(row is not None for row in rows) > 20
    assert rows == [reference.row(place) for place in places]
