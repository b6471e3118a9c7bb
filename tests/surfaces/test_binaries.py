"""`broadstreet binaries`: what is kept, and what it unlocks."""

import json
from pathlib import Path

from broadstreet.formats.binary import Binary
from tests.features.machines import LOADED, walker
from tests.features.read_back import binaries_in, dump
from tests.surfaces.shell import broadstreet


def stored(store: Path) -> dict[str, Path]:
    """The kept files by build id, as the names of a .build-id tree give it."""
    return {path.parent.name + path.name: path for path in (store / ".build-id").rglob("*") if path.is_file()}


def mechanism(core: Path, store: Path) -> str:
    return str(json.loads(broadstreet("read", core, "--json", store=store).out)["mechanism"])


def test_every_program_and_library_is_kept_by_build_id(tmp_path: Path) -> None:
    binaries_in(tmp_path / "sysroot")
    (tmp_path / "sysroot" / "README").write_text("no binary")
    said = broadstreet("binaries", "add", tmp_path / "sysroot", store=tmp_path / "store")
    assert (said.status, said.text, said.err) == (0, f"3 of 3 binaries kept in {tmp_path / 'store'}\n", "")
    assert set(stored(tmp_path / "store")) == {loaded.program.build_id.hex() for loaded in LOADED}


def test_what_is_kept_is_a_binary_with_the_same_code_names_and_rows(tmp_path: Path) -> None:
    binaries_in(tmp_path / "sysroot")
    broadstreet("binaries", "add", tmp_path / "sysroot", store=tmp_path / "store")
    kept = Binary(stored(tmp_path / "store")[walker.program.build_id.hex()].read_bytes())
    at = walker.program.at("inner", "load")
    symbol, row = kept.symbol(at), kept.row(at)
    assert symbol is not None
    assert row is not None
    assert (symbol.name, row.cfa_offset, kept.code(at, 3)) == ("inner", 0x20, bytes.fromhex("488b08"))


def test_a_case_is_judged_once_its_binaries_are_kept(tmp_path: Path) -> None:
    core, store = tmp_path / "core", tmp_path / "store"
    core.write_bytes(dump("call through null"))
    binaries_in(tmp_path / "sysroot")
    before = mechanism(core, store)
    broadstreet("binaries", "add", tmp_path / "sysroot", store=store)
    assert (before, mechanism(core, store)) == ("not_judged", "call_to_null")


def test_a_single_file_may_be_added(tmp_path: Path) -> None:
    (tmp_path / "walker").write_bytes(walker.program.data)
    said = broadstreet("binaries", "add", tmp_path / "walker", store=tmp_path / "store")
    assert (said.status, len(stored(tmp_path / "store"))) == (0, 1)


def test_another_store_may_be_named(tmp_path: Path) -> None:
    binaries_in(tmp_path / "sysroot")
    broadstreet("binaries", "add", tmp_path / "sysroot", "--store", tmp_path / "other", store=tmp_path / "store")
    assert (len(stored(tmp_path / "other")), (tmp_path / "store").exists()) == (3, False)


def test_adding_twice_changes_nothing(tmp_path: Path) -> None:
    binaries_in(tmp_path / "sysroot")
    for _ in range(2):
        said = broadstreet("binaries", "add", tmp_path / "sysroot", store=tmp_path / "store")
        assert said.status == 0
    assert len(stored(tmp_path / "store")) == 3
    assert not [path for path in (tmp_path / "store").rglob("*") if path.suffix]  # no partial file is left


def test_a_folder_without_binaries_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = broadstreet("binaries", "add", tmp_path / "empty", store=tmp_path / "store")
    assert (said.status, said.out) == (2, b"")
    assert said.err.startswith("broadstreet: no ELF program or library there\n")


def test_a_file_that_cannot_be_kept_is_named_and_stops_nothing(tmp_path: Path) -> None:
    binaries_in(tmp_path / "sysroot")
    without_id = walker.program.data.replace(b"GNU\0" + walker.program.build_id, b"GNU\0" + bytes(20))
    note = without_id.index(b"\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0")
    (tmp_path / "sysroot" / "no\x1b[2Jid").write_bytes(without_id[: note + 8] + b"\5" + without_id[note + 9 :])
    said = broadstreet("binaries", "add", tmp_path / "sysroot", store=tmp_path / "store")
    assert (said.status, said.text.split(" binaries")[0]) == (0, "3 of 4")
    assert said.err == f"  not kept  {tmp_path}/sysroot/no\\x1b[2Jid: no build id, or no code\n"


def test_a_place_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    assert broadstreet("binaries", "add", tmp_path / "nowhere", store=tmp_path).status == 2
