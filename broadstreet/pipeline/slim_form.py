"""From a reading to its slim form: a core dump with only what the reading needs, made of what was fetched for it.

Kept is the memory that a normal reading asks for, and the first bytes of every module that was fetched. General
registers stay: the identity of the crash is made of them. Arguments and environment go. With `pointers_only`
floating-point and vector registers go too, and so does every word of writable memory that is neither a pointer into a
mapping nor one that the reading or a rule used.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from broadstreet.formats import elf
from broadstreet.formats import linux_core as linux
from broadstreet.formats.core_writer import CoreDump, CoreMapping, CoreNote, Stretch
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.kept import Blanking, argument_strings, asked_for, united
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.memory_plan import MemoryPlan
from broadstreet.reading.notes import NT_SLIM, OWN_NAME
from broadstreet.reading.reader import PREFIX_BYTES, Reading
from broadstreet.reading.slim_note import VERSION, Kept, KnownCircumstances, SlimNote, encoded
from broadstreet.reading.witness import Range, Witness
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances

ALIGNMENT = 16
PAGE = 4096  # with `standalone`: elfutils reads whole pages of modules
JOIN_GAP = 512  # stretches nearer than this are kept as one; between others stand two program headers
# include/uapi/linux/elf.h: floating-point and vector registers, which string functions leave full of text
VECTOR_NOTES = frozenset((0x2, 0x46E62B7F, 0x202, 0x405, 0x40B, 0x40C, 0x40D))


@dataclass(frozen=True)
class Original:
    """A reading whose memory is a witness, the parts of it that every core dump with a thread has, and its case."""

    reading: Reading
    plan: MemoryPlan
    state: MachineState
    witness: Witness
    case: Case

    @property
    def fetched(self) -> list[Range]:
        """All memory that was fetched."""
        return [(start, end) for start, end, _ in self.witness.windows()]


@dataclass(frozen=True)
class Form:
    """What a slim core dump is to be: of its notes, those that are given; `threads`, where some are left out."""

    notes: tuple[CoreNote, ...]
    standalone: bool = False
    pointers_only: bool = False
    spared: tuple[Range, ...] = ()
    threads: int | None = None

    @property
    def alignment(self) -> int:
        """Of each stretch of memory."""
        return PAGE if self.standalone else ALIGNMENT


def original(reading: Reading, case: Case) -> Original | None:
    """The case and its reading, which must have been witnessed; null where there was no thread."""
    if reading.state is None or reading.plan is None or not isinstance(reading.space, Witness):
        return None
    reading.plan.last_cpu()  # what these two ask for must be kept as well
    reading.plan.live_frames()
    return Original(reading, reading.plan, reading.state, reading.space, case)


def wanted(made: Original) -> list[Range]:
    """The memory that gives the same case, as a rule."""
    starts = made.plan.module_starts(made.reading.modules.all)
    return asked_for(made.reading, made.plan, made.witness) + [(at, at + size) for _, size, at in starts]


def slim_form(made: Original, ranges: Iterable[Range], form: Form) -> CoreDump:
    """The slim core dump with as much of these ranges of memory as was fetched."""
    blanking = Blanking(made.state, argument_strings(made.reading), [*made.witness.used, *form.spared])
    stretches = _stretches(made.witness, ranges, form.alignment)
    mappings = []
    for mapping in made.witness.mappings:
        if mapping.start not in stretches:
            mappings.append(CoreMapping(mapping.start, mapping.end, mapping.flags))
            continue
        blanked = blanking.pointers if form.pointers_only and mapping.writable else blanking.without_texts
        kept = tuple(Stretch(one.address, blanked(*one)) for one in stretches[mapping.start])
        mappings.append(CoreMapping(mapping.start, mapping.end, mapping.flags, kept))
    own = CoreNote(OWN_NAME, NT_SLIM, encoded(_note(made, mappings, form)))
    notes = (own, *(_blanked_note(note, form.pointers_only) for note in form.notes))
    core = CoreDump(made.reading.machine, notes, tuple(mappings), form.alignment)
    if sum(made.reading.notes_place) <= PREFIX_BYTES < core.head_bytes:
        # A reading has fewer rounds for memory where the notes end beyond its first one.
        core = replace(core, notes=tuple(note for note in notes if note.type not in VECTOR_NOTES))
    return core


def notes_in(segment: bytes) -> Iterator[CoreNote]:
    """The notes of a segment without that of an earlier slim core dump."""
    for name, kind, start, size in elf.notes(segment):
        if (name, kind) != (OWN_NAME, NT_SLIM):
            yield CoreNote(name, kind, segment[start : start + size])


def told(case: Case) -> tuple[object, ...]:
    """What must be the same of the original and of its slim form."""
    return case.case_id, case.mechanism, case.findings, case.features, case.frames, case.circumstances.cpu


def _stretches(space: AddressSpace, ranges: Iterable[Range], alignment: int) -> dict[int, list[Stretch]]:
    aligned = ((start & -alignment, -(-end // alignment) * alignment) for start, end in ranges)
    pieces = _fetched(space.windows(), united(aligned, JOIN_GAP))
    found: dict[int, list[Stretch]] = defaultdict(list)
    for address, data in pieces:
        end = address + len(data)
        while address < end:
            mapping = space.mapping(address)
            if mapping is None:
                break
            low, part = max(address & -alignment, mapping.start), data[address - end :][: mapping.end - address]
            earlier = found[mapping.start]
            last = earlier[-1] if earlier else None
            if last is not None and low < last.address + len(last.data):  # both begin in one granule
                earlier.pop()
                part = last.data.ljust(address - last.address, b"\0") + part
                low = last.address
            else:
                part = bytes(address - low) + part
            earlier.append(Stretch(low, part))
            address = min(end, mapping.end)
    return found


def _fetched(windows: Iterable[tuple[int, int, bytes]], ranges: Sequence[Range]) -> Iterator[tuple[int, bytes]]:
    """The contiguous pieces of these ranges, which are in order and apart, that the windows hold."""
    runs = _contiguous(windows)
    at = 0
    for start, end, data in runs:
        while at < len(ranges) and ranges[at][1] <= start:
            at += 1
        index = at
        while index < len(ranges) and ranges[index][0] < end:
            low, high = max(start, ranges[index][0]), min(end, ranges[index][1])
            yield low, data[low - start : high - start]
            index += 1


def _contiguous(windows: Iterable[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    runs: list[tuple[int, int, bytes]] = []
    for start, end, data in sorted(windows, key=lambda window: (window[0], -window[1])):
        if runs and start <= runs[-1][1]:
            first, last, before = runs[-1]
            if end > last:
                runs[-1] = (first, end, before + data[last - start :])
            continue
        runs.append((start, end, data))
    return runs


def _note(made: Original, mappings: list[CoreMapping], form: Form) -> SlimNote:
    before = made.reading.slim
    kept = [len(stretch.data) for mapping in mappings for stretch in mapping.stretches]
    return SlimNote(
        version=VERSION,
        bytes_before=before.bytes_before if before else made.case.bytes_present,
        standalone=form.standalone,
        pointers_only=form.pointers_only or (before is not None and before.pointers_only),
        kept=Kept(len(kept), sum(kept)),
        mappings=tuple(_kept_in_part(made.witness, mappings)),
        circumstances=_known(made.case.circumstances),
        threads=form.threads if form.threads is not None or before is None else before.threads,
    )


def _kept_in_part(space: AddressSpace, mappings: list[CoreMapping]) -> Iterator[str]:
    for mapping, whole in zip(mappings, space.mappings, strict=True):
        kept = mapping.stretches
        parted = len(kept) > 1 or (len(kept) == 1 and kept[0].address != mapping.start)
        code = whole.executable and not whole.writable  # dumped as a rule only where it was changed, so one asks
        if parted or (code and sum(len(one.data) for one in kept) < whole.file_size):
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
