"""From a core dump to a slim one: a valid core dump with only what a reading needs, which gives the same case.

What is kept is said in `pipeline/slim_form.py`; with `standalone` also what gdb and elfutils follow for the same
backtrace. The result is read back before it gets its name, for the original may be deleted next.
"""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from broadstreet.cases.case import case_of
from broadstreet.errors import UnreadableSpecimen, UsageError
from broadstreet.formats.core_writer import CoreNote, core_dump
from broadstreet.pipeline.reading import case_at, reading_of
from broadstreet.pipeline.slim_form import JOIN_GAP, Form, Original, notes_in, original, slim_form, told, wanted
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.kept import united
from broadstreet.reading.link_map import link_map
from broadstreet.reading.memory_plan import DEEP
from broadstreet.reading.reader import Reading
from broadstreet.reading.unwinder import Process, walk
from broadstreet.reading.witness import Range, Witness
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.blob import CoreSource
from broadstreet.sources.circumstances import circumstances
from broadstreet.sources.core_file import OpenCore

CHASED_BYTES = 64 << 10  # read at a time where one place leads to the next, which is mostly near
POINTED_BYTES = 16 << 10  # kept above a last frame pointer
ZSTD_LEVEL = 12


@dataclass(frozen=True)
class SlimFact:
    """What came of it: the sizes of the files, and the binaries without which less was kept than could be."""

    bytes_before: int
    bytes_after: int
    binaries_missing: tuple[str, ...]


def slim(path: str, out: str, binaries: Binaries, standalone: bool = False, pointers_only: bool = False) -> SlimFact:
    """Write the slim form of a core dump to a new file; compressed where its name ends with .zst."""
    folder = os.path.dirname(out) or "."
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already", f"Give another name, or remove it first: rm {out}")
    if not os.path.isdir(folder):
        raise UsageError(f"no such folder: {folder}", f"mkdir -p {folder}")
    with OpenCore(path) as source:
        made = _original(path, source, binaries)
        before = made.reading.slim
        if standalone and before is not None and not before.standalone:
            raise UsageError(f"{path} is slim already, without what a debugger needs", "Use the original core dump.")
        searched = made.fetched
        chased = _loader_ranges(made, source) if standalone else []
        ranges = wanted(made) + chased + (_stacks(made, source) if standalone else [])
        form = Form(_notes(made.reading, source), standalone, pointers_only, tuple(chased))
        for tried in (ranges, ranges + searched):
            _fetch(made, source, tried, form.alignment)
            if _written(core_dump(slim_form(made, tried, form)), out, made.case, binaries):
                break
        else:
            raise UsageError(f"the slim form of {path} would not give the same case", "Keep the original.")
    missing = [gap.what for gap in made.case.missing if gap.what.startswith("binary ")]
    names = tuple(what.removeprefix("binary ") for what in missing)
    return SlimFact(made.case.bytes_present, os.stat(out).st_size, names)


def _original(path: str, source: CoreSource, binaries: Binaries) -> Original:
    reading = reading_of(source, binaries, witnessed=True)
    size = os.stat(path).st_size
    made = original(reading, case_of(reading, circumstances(path), source.bytes_read, size))
    if made is None:
        raise UnreadableSpecimen("notes", 0, "the registers of a thread", "none")
    return made


def _notes(reading: Reading, source: CoreSource) -> tuple[CoreNote, ...]:
    segment = reading.note_segment
    if len(segment) < reading.notes_place[1]:
        (segment,) = source.ranges((reading.notes_place,))
    return tuple(notes_in(segment))


def _fetch(made: Original, source: CoreSource, ranges: Iterable[Range], alignment: int) -> None:
    """Fetch what of these ranges was not needed for the reading: ends of pages, and gaps between."""
    space = made.witness
    aligned = united(((start & -alignment, -(-end // alignment) * alignment) for start, end in ranges), JOIN_GAP)
    places = [place for start, end in aligned for place in space.file_ranges(start, end - start)]
    pieces = source.ranges(tuple((offset, size) for offset, size, _ in places))
    for (_, _, address), piece in zip(places, pieces, strict=True):
        space.add(address, piece)


def _stacks(made: Original, source: CoreSource) -> list[Range]:
    """What a walk of the crashing thread reads, wherever it leads, and the stacks where it starts and ends.

    Where our walk ends because the table does, elfutils goes on by any frame pointer, be it on another stack.
    """
    plan, space = made.plan, _Fetching(made.witness, source)
    steps, _end = walk(Process(plan.architecture, space, made.reading.modules), plan.registers)
    places = [(frame.registers[plan.architecture.sp], DEEP) for frame in plan.live_frames()]
    places += [(plan.sp, DEEP), (steps[-1].registers.get(plan.architecture.frame_pointer, 0), POINTED_BYTES)]
    ranges = [*space.used, *space.swept]
    for place, reach in places:
        mapping = space.mapping(place)
        if mapping is None or not mapping.flags:
            mapping = space.following(place)  # the stack overflowed into its guard
        if mapping is not None and mapping.writable and mapping.start - place < DEEP:
            low = max(place, mapping.start)
            ranges.append((low, min(low + reach, mapping.end)))
    return ranges


class _Fetching(Witness):
    """A witness that fetches what it does not have."""

    def __init__(self, space: AddressSpace, source: CoreSource) -> None:
        super().__init__(space)
        self._source = source

    def word(self, address: int) -> int | None:
        value = super().word(address)
        return super().word(address) if value is None and self._fetched(address) else value

    def words(self, address: int, count: int) -> tuple[int, ...]:
        return super().words(address, count) or (super().words(address, count) if self._fetched(address) else ())

    def _fetched(self, address: int) -> bool:
        place = self.file_range(address, CHASED_BYTES)
        if place is not None:
            self.add(address, self._source.ranges((place[:2],))[0])
        return place is not None


def _loader_ranges(made: Original, source: CoreSource) -> list[Range]:
    asked = link_map(made.reading.notes)
    near: list[tuple[int, bytes]] = []
    try:
        address, size = next(asked)
        while True:
            address, size = asked.send(_memory(made, source, near, address, size))
    except StopIteration as done:
        ranges: list[Range] = done.value
        return ranges


def _memory(made: Original, source: CoreSource, near: list[tuple[int, bytes]], address: int, size: int) -> bytes:
    for start, data in near:
        if start <= address and address + size <= start + len(data):
            return data[address - start : address - start + size]
    low = max(0, address - CHASED_BYTES)
    for offset, length, start in made.reading.space.file_ranges(low, address + size + CHASED_BYTES - low):
        if start <= address < start + length:
            (data,) = source.ranges(((offset, length),))
            near.append((start, data))
            return data[address - start : address - start + size]
    return _unchanged(made.reading, address, size)


def _unchanged(reading: Reading, address: int, size: int) -> bytes:
    """What was mapped read-only and not dumped, from the binary: a narrow coredump_filter leaves out ELF headers."""
    mapping, module = reading.space.mapping(address), reading.modules.at(address)
    if mapping is None or mapping.writable or module is None or module.binary is None:
        return b""
    return module.binary.code(module.vaddr(address), size) or b""


def _written(data: bytes, out: str, case: Case, binaries: Binaries) -> bool:
    """Whether these bytes give the same case; then they stand at `out`."""
    if out.endswith(".zst"):
        import zstandard

        data = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(data)
    folder, name = os.path.split(out)
    descriptor, partial = tempfile.mkstemp(prefix=f".{name}.", dir=folder or ".")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        if told(case_at(partial, binaries)) != told(case):
            return False
        os.rename(partial, out)
        return True
    finally:
        if os.path.lexists(partial):
            os.unlink(partial)
