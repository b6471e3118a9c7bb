"""Read one core dump: a generator that yields what it wants next and is sent bytes and binaries.

At most three times does it ask for bytes. 1: the first 64 KiB, which hold headers and notes. 2: the crashing stack, the
thread's rseq area, the code at the pc, the vdso. 3: the first bytes of the modules that the stack points into, the
stack of an earlier context, the abort message. Where headers and notes are longer than 64 KiB, the second time
fetches them and the third all of the rest that can be known then. Asking for binaries is not a round trip.
"""

import struct
from collections.abc import Generator
from dataclasses import dataclass, field

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import elf
from broadstreet.formats import linux_core as linux
from broadstreet.formats.architecture import ARCHITECTURES, Architecture
from broadstreet.formats.binary import Binary
from broadstreet.reading import modules as mods
from broadstreet.reading import slim_note
from broadstreet.reading.address_space import AddressSpace, joined
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.memory_plan import MemoryPlan, Range
from broadstreet.reading.notes import Notes, Thread, read_notes, thread_count
from broadstreet.reading.state import assembled
from broadstreet.reading.witness import Witness
from broadstreet.records.gap import Gap
from broadstreet.records.wanted import Answer, BinaryWanted, Wanted

READER_VERSION = 2
PREFIX_BYTES = 64 << 10
NOTES_BYTES = 64 << 10  # of the first thread, besides NT_FILE
MAP_NOTE_BYTES = 128  # of NT_FILE per mapping: 24 and a path
MOST_HEADERS = 1 << 18  # four times the kernel's own limit (vm.max_map_count); 100 MB when decoded
MOST_NOTES_BYTES = 32 << 20  # of all threads: some 10,000
MOST_MODULES = 48  # whose first bytes are fetched for the crashing thread
Pieces = dict[int, bytes]


@dataclass
class Reading:
    """What was decoded from one specimen. `state` is null where not even the registers could be read."""

    case_id: str
    architecture: str
    notes: Notes
    space: AddressSpace
    modules: mods.Modules
    state: MachineState | None = None
    threads: tuple[Thread, ...] = ()
    thread_count: int | None = None
    cpu: int | None = None
    numa_node: int | None = None
    kernel_release: str | None = None
    gaps: list[Gap] = field(default_factory=list)
    plan: MemoryPlan | None = None
    requests: list[Range] = field(default_factory=list)  # the memory that was asked for
    slim: slim_note.SlimNote | None = None  # of a slim core dump
    machine: int = 0  # as the ELF header says
    note_segment: bytes = b""  # as much of it as was fetched
    notes_place: tuple[int, int] = (0, 0)  # offset and size of the whole of it


def read(every_thread: bool = False, witnessed: bool = False) -> Generator[Wanted, Answer, Reading]:
    """Read a core dump. With `every_thread`, all threads, all modules and deep stacks are fetched as well.

    `witnessed`: the memory of the reading is a Witness, which writes down what the machine state and all that is
    computed from it rest on.
    """
    (prefix,) = yield Wanted(ranges=((0, PREFIX_BYTES),))
    head = elf.header(prefix)
    if head.type != elf.ET_CORE:
        raise UnreadableSpecimen("ELF header", 16, "a core dump (type 4)", f"type {head.type}")
    architecture = ARCHITECTURES.get(head.machine)
    if architecture is None:
        raise UnreadableSpecimen("ELF header", 18, "x86-64 or aarch64", f"machine {head.machine}")
    gaps: list[Gap] = []
    layout = _layout(prefix, head, every_thread)
    rounds = 2
    segment = prefix[layout.notes_at : layout.notes_end]
    if layout.end > len(prefix) == PREFIX_BYTES:
        notes_from = max(layout.notes_at, len(prefix))
        ranges = (len(prefix), layout.headers_end - len(prefix)), (notes_from, layout.notes_end - notes_from)
        more_headers, more_notes = yield Wanted(ranges=ranges)
        prefix += more_headers
        segment += more_notes
        rounds = 1
    segments = elf.raw_program_headers(prefix[head.program_headers : layout.headers_end])
    if len(segments) < layout.count:
        gaps.append(_cut("program headers", len(prefix)))
    elif layout.count_said > layout.count:
        gaps.append(Gap("program headers", f"only the first {layout.count:,} of {layout.count_said:,} are read"))
    note_size = layout.notes_end - layout.notes_at
    if len(segment) < note_size:
        gaps.append(_cut("notes", layout.notes_at + len(segment) if segment else len(prefix)))
    elif every_thread and layout.notes_size > note_size:
        gaps.append(Gap("threads", f"only the first {note_size:,} of {layout.notes_size:,} bytes of notes are read"))
    notes = read_notes(segment, architecture, every_thread)
    own = slim_note.decoded(notes.own)
    if notes.own is not None and own is None:
        gaps.append(Gap("slim note", "it is damaged, or of a later version", "a later broadstreet"))
    space = AddressSpace(segments, own.originals() if own else ())
    count = _thread_count(notes, layout.notes_size, own, every_thread, gaps)
    reading = Reading(
        notes.case_id() if notes.raw else linux.case_id(prefix, b"", b"", b""),
        architecture.name,
        notes,
        space,
        mods.Modules([]),
        threads=tuple(notes.threads),
        thread_count=count,
        gaps=gaps,
        slim=own,
        machine=head.machine,
        note_segment=segment,
        notes_place=(layout.notes_at, layout.notes_size),
    )
    if not notes.threads:
        gaps.append(Gap("registers", "no NT_PRSTATUS note in what is left of the core dump"))
        return reading
    plan = reading.plan = yield from _remember(reading, architecture, rounds, every_thread)
    if witnessed:
        space = reading.space = plan.space = Witness(space)
    reading.state = assembled(notes, architecture, space, reading.modules, reading.thread_count, gaps, plan)
    return reading


def _thread_count(
    notes: Notes, notes_size: int, own: slim_note.SlimNote | None, every_thread: bool, gaps: list[Gap]
) -> int | None:
    if own is not None and own.threads is not None:
        if every_thread and own.threads > len(notes.threads):
            gaps.append(Gap("threads", f"only {len(notes.threads):,} of {own.threads:,} were kept"))
        return own.threads or None
    return thread_count(notes, notes_size) if not every_thread else len(notes.threads) or None


def _remember(
    reading: Reading, architecture: Architecture, rounds: int, every_thread: bool
) -> Generator[Wanted, Answer, MemoryPlan]:
    """Fetch memory in the rounds that are left, and attach binaries."""
    notes, space = reading.notes, reading.space
    vdso = (notes.auxv or {}).get(linux.AT_SYSINFO_EHDR)
    modules = mods.mapped_modules(notes.files or [], space, vdso)
    if notes.files is None:
        reading.gaps.append(Gap("file mappings", "no NT_FILE note: modules are known by build id only"))
    reading.modules = mods.Modules(modules)
    plan = MemoryPlan(architecture, notes, space, reading.modules, every_thread)
    candidates = yield from _binaries_by_path(plan.important)
    plan.locate(candidates)
    first = plan.first_round()
    if rounds == 1:
        likely = {module.start: module for module in [*plan.pointed_at(), *modules]}  # by registers, then the others
        first += plan.affordable(plan.module_starts(list(likely.values())[:MOST_MODULES]))
    if notes.files is None:
        first += plan.affordable(plan.unnamed_starts())
    yield from _fetch(reading, first)
    if notes.files is None:
        starts = {m.start: space.read(m.start, min(m.file_size, mods.FIRST_BYTES)) or b"" for m in space.mappings}
        modules += mods.unnamed_modules(space, starts)
        reading.modules = plan.modules = mods.Modules(modules)
    if rounds > 1:
        yield from _fetch(reading, plan.second_round(MOST_MODULES))
    yield from _attach(reading, plan, candidates, vdso)
    plan.forget_strangers()
    reading.cpu, reading.numa_node = plan.last_cpu()
    reading.kernel_release = _kernel_release(space, vdso)
    return plan


def _fetch(reading: Reading, ranges: list[Range]) -> Generator[Wanted, Answer, None]:
    reading.requests += ranges
    merged = joined(ranges)
    if not merged:
        return
    pieces = yield Wanted(ranges=tuple((offset, size) for offset, size, _ in merged))
    short = 0
    for (_offset, size, address), piece in zip(merged, pieces, strict=True):
        reading.space.add(address, piece)
        short += len(piece) < size
    if short:
        reading.gaps.append(
            Gap("memory", f"{short} of {len(merged)} ranges end beyond the core dump, which was cut off")
        )


def _binaries_by_path(modules: list[mods.Module]) -> Generator[Wanted, Answer, dict[str, Binary]]:
    if not modules:
        return {}
    wanted = tuple(BinaryWanted(module.path, None) for module in modules)
    found = yield Wanted(binaries=wanted)
    return {module.path: binary for module, binary in zip(modules, found, strict=True) if binary is not None}


def _attach(
    reading: Reading, plan: MemoryPlan, candidates: dict[str, Binary], vdso: int | None
) -> Generator[Wanted, Answer, None]:
    for module in reading.modules.all:
        mapping = reading.space.mapping(module.start)
        fetched = mapping and reading.space.read(module.start, min(mods.FIRST_BYTES, mapping.file_size))
        if fetched:
            mods.identify(module, fetched)
    _attach_vdso(reading, vdso)
    open_modules = [m for m in plan.pointed_at() if m.binary is None]
    for module in open_modules:
        mods.attach(module, candidates.get(module.path))
    missing = [m for m in open_modules if m.binary is None and m.name != mods.VDSO]
    if len(missing) < sum(m.binary is None for m in open_modules):
        reading.gaps.append(Gap("vdso", "the kernel's own page is not in the core dump"))
    if missing:
        found = yield Wanted(binaries=tuple(BinaryWanted(m.path, m.build_id) for m in missing))
        for module, binary in zip(missing, found, strict=True):
            if not mods.attach(module, binary):
                why = "no binary with this build id was found" if module.build_id else "its build id is not known"
                name = f"binary {module.path}"
                reading.gaps.append(Gap(name, why, "broadstreet binaries add, or --binaries DIR"))


def _attach_vdso(reading: Reading, vdso: int | None) -> None:
    module = reading.modules.at(vdso) if vdso else None
    image = module and reading.space.read(module.start, module.end - module.start)
    if module is None or not image:
        return
    try:
        mods.attach(module, _vdso(image))
    except UnreadableSpecimen:
        reading.gaps.append(Gap("vdso", "its ELF header is damaged"))


_VDSOS: dict[bytes, Binary] = {}


def _vdso(image: bytes) -> Binary:
    binary = _VDSOS.get(image)
    if binary is None:
        if len(_VDSOS) > 64:
            _VDSOS.clear()
        binary = _VDSOS[image] = Binary(image)
    return binary


@dataclass(frozen=True)
class _Layout:
    count_said: int
    count: int
    headers_end: int
    notes_at: int
    notes_end: int  # of what is read
    notes_size: int  # of all notes, as the program header says

    @property
    def end(self) -> int:
        return max(self.headers_end, self.notes_end)


def _layout(prefix: bytes, head: elf.ElfHeader, every_thread: bool) -> _Layout:
    start, count_said = head.program_headers, head.program_header_count
    first = elf.program_headers(prefix[start : start + 56])
    if not first:  # further off than any writer of core dumps puts them: the header is damaged
        return _Layout(count_said, count_said, 0, 0, 0, 0)
    noted = first[0].type == elf.PT_NOTE  # as the kernel writes them
    others = [] if noted else elf.program_headers(prefix[start : start + 56 * count_said])
    note = first[0] if noted else next((segment for segment in others if segment.type == elf.PT_NOTE), None)
    if count_said == elf.PN_XNUM and noted and note is not None:
        # The real count stands in section header 0, at the far end of the file; but the kernel writes the notes
        # right after the program headers, so where they begin says the same.
        count_said = max(0, note.offset - start) // 56
    count = min(count_said, MOST_HEADERS)
    headers_end = start + 56 * count
    if note is None:
        return _Layout(count_said, count, headers_end, 0, 0, 0)
    most = MOST_NOTES_BYTES if every_thread else NOTES_BYTES + MAP_NOTE_BYTES * count
    notes_end = note.offset + min(note.file_size, most)
    return _Layout(count_said, count, headers_end, note.offset, notes_end, note.file_size)


def _cut(what: str, at: int) -> Gap:
    return Gap(what, f"the core dump ends at byte {at}")


def _kernel_release(space: AddressSpace, vdso: int | None) -> str | None:
    """From the vdso's Linux note: KERNEL_VERSION(a, b, c), with c at most 255."""
    mapping = space.mapping(vdso) if vdso else None
    image = mapping and space.read(mapping.start, mapping.file_size)
    at = image.find(_LINUX_NOTE) if image else -1
    if not image or at < 0 or at + 24 > len(image):
        return None
    (version,) = struct.unpack_from("<I", image, at + 20)
    return f"{version >> 16}.{version >> 8 & 255}.{version & 255}"


_LINUX_NOTE = struct.pack("<III", 6, 4, 0) + b"Linux\0\0\0"
