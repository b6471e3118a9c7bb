"""From a core dump to a slim one: a valid core dump with only what a reading needs, which gives the same case.

Kept is what a normal reading of this core dump asks for, and the first bytes of every module; with `standalone` also
what gdb and elfutils follow for the same backtrace. General registers stay: the identity of the crash is made of them.
Arguments and environment go. With `pointers_only` floating-point and vector registers go too, and so does every word of
writable memory that is neither a pointer into a mapping nor one that the reading or a rule used.

The result is read back before it gets its name, for the original may be deleted next.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace

from broadstreet.cases.case import case_of
from broadstreet.errors import UnreadableSpecimen, UsageError
from broadstreet.formats import elf
from broadstreet.formats import linux_core as linux
from broadstreet.formats.core_writer import CoreDump, CoreMapping, CoreNote, Stretch, core_dump
from broadstreet.pipeline.reading import case_at, reading_of
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.link_map import link_map
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.memory_plan import DEEP, MemoryPlan
from broadstreet.reading.notes import NT_SLIM, OWN_NAME
from broadstreet.reading.reader import PREFIX_BYTES, Reading
from broadstreet.reading.slim_note import VERSION, Kept, KnownCircumstances, SlimNote, encoded
from broadstreet.reading.state import assembled
from broadstreet.reading.unwinder import Process, walk
from broadstreet.reading.witness import Blanking, Range, Witness, argument_strings, asked_for, united
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.circumstances import circumstances
from broadstreet.sources.core_file import CoreSource, OpenCore

ALIGNMENT = 16
PAGE = 4096  # with `standalone`: elfutils reads whole pages of modules
JOIN_GAP = 512  # stretches nearer than this are kept as one; between others stand two program headers
CHASED_BYTES = 64 << 10  # read at a time where one place leads to the next, which is mostly near
POINTED_BYTES = 16 << 10  # kept above a last frame pointer
ZSTD_LEVEL = 12
# include/uapi/linux/elf.h: floating-point and vector registers, which string functions leave full of text
VECTOR_NOTES = frozenset((0x2, 0x46E62B7F, 0x202, 0x405, 0x40B, 0x40C, 0x40D))


@dataclass(frozen=True)
class SlimFact:
    """What came of it: the sizes of the files, and the binaries without which less was kept than could be."""

    bytes_before: int
    bytes_after: int
    binaries_missing: tuple[str, ...]


@dataclass(frozen=True)
class _Original:
    source: CoreSource
    reading: Reading
    plan: MemoryPlan
    state: MachineState
    witness: Witness
    case: Case
    machine: int
    notes: tuple[CoreNote, ...]
    notes_end: int


def slim(path: str, out: str, binaries: Binaries, standalone: bool = False, pointers_only: bool = False) -> SlimFact:
    """Write the slim form of a core dump to a new file; compressed where its name ends with .zst."""
    folder = os.path.dirname(out) or "."
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already", f"Give another name, or remove it first: rm {out}")
    if not os.path.isdir(folder):
        raise UsageError(f"no such folder: {folder}", f"mkdir -p {folder}")
    with OpenCore(path) as source:
        original = _original(path, source, binaries)
        before = original.reading.slim
        if standalone and before is not None and not before.standalone:
            raise UsageError(f"{path} is slim already, without what a debugger needs", "Use the original core dump.")
        chased = _loader_ranges(original) if standalone else []
        wanted = _wanted(original) + chased + (_stacks(original) if standalone else [])
        searched = [(start, end) for start, end, _ in original.reading.space.windows()]
        for ranges in (wanted, wanted + searched):
            core = _slim_core(original, ranges, chased, standalone, pointers_only)
            if _written(core_dump(core), out, original.case, binaries):
                break
        else:
            raise UsageError(f"the slim form of {path} would not give the same case", "Keep the original.")
    missing = [gap.what for gap in original.case.missing if gap.what.startswith("binary ")]
    names = tuple(what.removeprefix("binary ") for what in missing)
    return SlimFact(original.case.bytes_present, os.stat(out).st_size, names)


def _original(path: str, source: CoreSource, binaries: Binaries) -> _Original:
    reading = reading_of(source, binaries)
    if reading.state is None or reading.plan is None:
        raise UnreadableSpecimen("notes", 0, "the registers of a thread", "none")
    witness = Witness(reading.space)
    plan = copy(reading.plan)
    plan.space = witness
    plan.last_cpu()
    plan.live_frames()
    architecture, modules = reading.state.architecture, reading.modules
    state = assembled(reading.notes, architecture, witness, modules, reading.thread_count, [], plan)
    size = os.stat(path).st_size
    case = case_of(replace(reading, state=state), circumstances(path), source.bytes_read, size)
    machine, notes, notes_end = _notes(source)
    return _Original(source, reading, reading.plan, state, witness, case, machine, notes, notes_end)


def _notes(source: CoreSource) -> tuple[int, tuple[CoreNote, ...], int]:
    (first,) = source.ranges(((0, elf.ELF_HEADER.size),))
    head = elf.header(first)
    count = max(1, head.program_header_count)  # as the reader does where a damaged header says none
    (table,) = source.ranges(((head.program_headers, elf.PROGRAM_HEADER.size * count),))
    note = next(segment for segment in elf.program_headers(table) if segment.type == elf.PT_NOTE)
    (segment,) = source.ranges(((note.offset, note.file_size),))
    found = [CoreNote(name, kind, segment[start : start + size]) for name, kind, start, size in elf.notes(segment)]
    kept = tuple(one for one in found if (one.name, one.type) != (OWN_NAME, NT_SLIM))
    return head.machine, kept, note.offset + note.file_size


def _wanted(original: _Original) -> list[Range]:
    plan = original.plan
    starts = plan.module_starts(original.reading.modules.all)
    return asked_for(original.reading, plan, original.witness) + [(at, at + size) for _, size, at in starts]


def _stacks(original: _Original) -> list[Range]:
    """What a walk of the crashing thread reads, wherever it leads, and the stacks where it starts and ends.

    Where our walk ends because the table does, elfutils goes on by any frame pointer, be it on another stack.
    """
    plan, space = original.plan, _Fetching(original.reading.space, original.source)
    steps, _end = walk(Process(plan.architecture, space, original.reading.modules), plan.registers)
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


def _loader_ranges(original: _Original) -> list[Range]:
    asked = link_map(original.reading.notes)
    near: list[tuple[int, bytes]] = []
    try:
        address, size = next(asked)
        while True:
            address, size = asked.send(_memory(original, near, address, size))
    except StopIteration as done:
        ranges: list[Range] = done.value
        return ranges


def _memory(original: _Original, near: list[tuple[int, bytes]], address: int, size: int) -> bytes:
    for start, data in near:
        if start <= address and address + size <= start + len(data):
            return data[address - start : address - start + size]
    low = max(0, address - CHASED_BYTES)
    for offset, length, start in original.reading.space.file_ranges(low, address + size + CHASED_BYTES - low):
        if start <= address < start + length:
            (data,) = original.source.ranges(((offset, length),))
            near.append((start, data))
            return data[address - start : address - start + size]
    return _unchanged(original.reading, address, size)


def _unchanged(reading: Reading, address: int, size: int) -> bytes:
    """What was mapped read-only and not dumped, from the binary: a narrow coredump_filter leaves out ELF headers."""
    mapping, module = reading.space.mapping(address), reading.modules.at(address)
    if mapping is None or mapping.writable or module is None or module.binary is None:
        return b""
    return module.binary.code(module.vaddr(address), size) or b""


def _slim_core(
    original: _Original, ranges: list[Range], chased: list[Range], standalone: bool, pointers_only: bool
) -> CoreDump:
    space = original.reading.space
    alignment = PAGE if standalone else ALIGNMENT
    used = original.witness.used | set(chased)
    blanking = Blanking(original.state, argument_strings(original.reading), used)
    wanted = united(((start & -alignment, -(-end // alignment) * alignment) for start, end in ranges), JOIN_GAP)
    places = [place for start, end in wanted for place in space.file_ranges(start, end - start)]
    pieces = original.source.ranges(tuple((offset, size) for offset, size, _ in places))
    stretches: dict[int, list[Stretch]] = defaultdict(list)
    for (_, _, address), piece in zip(places, pieces, strict=True):
        mapping = space.mapping(address)
        if mapping is not None and piece:
            blanked = blanking.pointers if pointers_only and mapping.writable else blanking.without_texts
            stretches[mapping.start].append(Stretch(address, blanked(address, piece)))
    mappings = [CoreMapping(m.start, m.end, m.flags, tuple(stretches[m.start])) for m in space.mappings]
    own = CoreNote(OWN_NAME, NT_SLIM, encoded(_note(original, mappings, standalone, pointers_only)))
    notes = (own, *(_blanked_note(note, pointers_only) for note in original.notes))
    core = CoreDump(original.machine, notes, tuple(mappings), alignment)
    if original.notes_end <= PREFIX_BYTES < core.head_bytes:
        # A reading has fewer rounds for memory where the notes end beyond its first one.
        core = replace(core, notes=tuple(note for note in notes if note.type not in VECTOR_NOTES))
    return core


def _note(original: _Original, mappings: list[CoreMapping], standalone: bool, pointers_only: bool) -> SlimNote:
    before = original.reading.slim
    kept = [stretch for mapping in mappings for stretch in mapping.stretches]
    return SlimNote(
        version=VERSION,
        bytes_before=before.bytes_before if before else original.case.bytes_present,
        standalone=standalone,
        pointers_only=pointers_only or (before is not None and before.pointers_only),
        kept=Kept(len(kept), sum(len(stretch.data) for stretch in kept)),
        mappings=tuple(_kept_in_part(original.reading.space, mappings)),
        circumstances=_known(original.case.circumstances),
    )


def _kept_in_part(space: AddressSpace, mappings: list[CoreMapping]) -> Iterator[str]:
    for mapping, whole in zip(mappings, space.mappings, strict=True):
        kept = sum(len(stretch.data) for stretch in mapping.stretches)
        code = whole.executable and not whole.writable  # dumped as a rule only where it was changed, so one asks
        if len(mapping.segments()) > 1 or (code and kept < whole.file_size):
            yield f"{whole.start:x}-{whole.end:x}+{whole.file_size:x}"


def _known(found: Circumstances) -> KnownCircumstances:
    return KnownCircumstances(
        time=found.time,
        time_source=found.time_source,
        host=found.host,
        host_source=found.host_source,
        boot_id=found.boot_id,
        service=found.service,
        service_release=found.service_release,
        workload=found.workload,
        region=found.region,
        labels=dict(found.labels),
    )


def _blanked_note(note: CoreNote, pointers_only: bool) -> CoreNote:
    if note.name == b"CORE" and note.type == linux.NT_PRPSINFO:
        arguments = note.data[linux.PSARGS]
        blank = bytes(len(arguments))
        return note._replace(data=note.data[: linux.PSARGS.start] + blank + note.data[linux.PSARGS.stop :])
    if pointers_only and note.type in VECTOR_NOTES:
        return note._replace(data=bytes(len(note.data)))
    return note


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
        if _told(case_at(partial, binaries)) != _told(case):
            return False
        os.rename(partial, out)
        return True
    finally:
        if os.path.lexists(partial):
            os.unlink(partial)


def _told(case: Case) -> tuple[object, ...]:
    return case.case_id, case.mechanism, case.findings, case.frames, case.circumstances.cpu
