"""The synthetic programs against pyelftools: what a reader and a writer share, both can have wrong."""

import io

import pytest
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from elftools.elf.segments import NoteSegment

from tests.features.machines import LOADED, Loaded, libc, walker

every_program = pytest.mark.parametrize("loaded", LOADED, ids=lambda loaded: str(loaded.program.path.rsplit("/")[-1]))


def opened(loaded: Loaded) -> ELFFile:
    return ELFFile(io.BytesIO(loaded.program.data))


def entries(loaded: Loaded) -> dict[int, FDE]:
    found = opened(loaded).get_dwarf_info().EH_CFI_entries()
    return {entry["initial_location"]: entry for entry in found if isinstance(entry, FDE)}


@every_program
def test_the_build_id_stands_in_the_first_page(loaded: Loaded) -> None:
    segments = opened(loaded).iter_segments("PT_NOTE")
    notes = [note for segment in segments if isinstance(segment, NoteSegment) for note in segment.iter_notes()]
    assert [note["n_desc"] for note in notes] == [loaded.program.build_id.hex()]
    assert notes[0]["n_offset"] < 1024


@every_program
def test_every_function_has_its_name_and_extent(loaded: Loaded) -> None:
    table = opened(loaded).get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    found = {s.name: (s["st_value"], s["st_value"] + s["st_size"]) for s in table.iter_symbols() if s.name}
    assert {name: found[name] for name in loaded.program.functions} == loaded.program.functions


@every_program
def test_every_function_has_an_unwind_entry(loaded: Loaded) -> None:
    extents = {start: start + entry["address_range"] for start, entry in entries(loaded).items()}
    wanted = dict(loaded.program.functions.values())
    if loaded is libc:
        start, end = loaded.program.functions["__restore_rt"]
        del wanted[start]
        wanted[start - 1] = end
    assert extents == wanted


def test_the_frame_of_a_body_lies_above_its_locals() -> None:
    start, end = walker.program.functions["inner"]
    rows = [(line["pc"] - start, line["cfa"].offset) for line in entries(walker)[start].get_decoded().table]
    assert rows == [(0, 8), (4, 32), (end - start - 1, 8)]


def test_a_large_frame_has_a_longer_sub() -> None:
    start, _ = walker.program.functions["large"]
    rows = [(line["pc"] - start, line["cfa"].offset) for line in entries(walker)[start].get_decoded().table]
    assert rows[:2] == [(0, 8), (7, 0x1010)]


def test_the_restorer_is_marked_as_a_signal_frame() -> None:
    start, _ = libc.program.functions["__restore_rt"]
    marked = {at: entry.cie is not None and b"S" in entry.cie["augmentation"] for at, entry in entries(libc).items()}
    assert [at for at, signal in marked.items() if signal] == [start - 1]


def test_the_search_table_leads_to_every_entry() -> None:
    segment = next(s for s in opened(walker).iter_segments() if s["p_type"] == "PT_GNU_EH_FRAME")
    header = segment.data()
    count = int.from_bytes(header[8:12], "little")
    rows = [
        [int.from_bytes(header[at : at + 4], "little", signed=True) for at in (start, start + 4)]
        for start in range(12, 12 + 8 * count, 8)
    ]
    section = opened(walker).get_section_by_name(".eh_frame")
    assert section is not None
    frames_at = segment["p_vaddr"] - section["sh_addr"]
    found = {address + segment["p_vaddr"]: entry + frames_at for address, entry in rows}
    assert found == {start: entry.offset for start, entry in entries(walker).items()}


def test_calls_go_where_they_say() -> None:
    at = walker.program.at("main", "call outer")
    code = walker.program.text[at - 0x1000 :]
    assert code[:1] == b"\xe8"
    target = walker.program.after("main", "call outer") + int.from_bytes(code[1:5], "little", signed=True)
    assert target == walker.program.functions["outer"][0]
