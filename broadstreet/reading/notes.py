"""The notes of a core dump: threads, the signal, the process, its files."""

from dataclasses import dataclass, field

from broadstreet.formats import elf
from broadstreet.formats import linux_core as linux
from broadstreet.formats.architecture import Architecture

KNOWN_NAMES = (b"CORE", b"LINUX")


@dataclass(frozen=True)
class Thread:
    """One thread as the notes show it."""

    tid: int
    cursig: int
    registers: dict[str, int]
    tls: int | None = None


@dataclass
class Notes:
    """What the notes hold; null where a note is missing or was cut off."""

    threads: list[Thread] = field(default_factory=list)
    process: linux.PrPsInfo | None = None
    siginfo: linux.SigInfo | None = None
    siginfo_bytes: bytes = b""
    auxv: dict[int, int] | None = None
    files: list[linux.MappedFile] | None = None
    raw: dict[int, bytes] = field(default_factory=dict)
    thread_bytes: int | None = None  # of one further thread's notes
    end_of_first: int | None = None
    own: bytes | None = None  # the note that slim writes

    def case_id(self) -> str:
        """The identity of the crash."""
        parts = [self.raw.get(kind, b"") for kind in _IDENTITY]
        return linux.case_id(*parts)


_IDENTITY = (linux.NT_PRSTATUS, linux.NT_SIGINFO, linux.NT_AUXV, linux.NT_PRPSINFO)
OWN_NAME = b"BroadStreet"
NT_SLIM = 0x51494D31


def read_notes(segment: bytes, architecture: Architecture, every_thread: bool) -> Notes:
    """Read the notes of the process and of its first thread, or of every thread."""
    notes = Notes()
    layout = linux.PRSTATUS[architecture.name]
    second_start = None
    for name, kind, start, size in elf.notes(segment):
        if name == OWN_NAME and kind == NT_SLIM:
            notes.own = segment[start : start + size]
            continue
        if name not in KNOWN_NAMES:
            continue
        if kind == linux.NT_PRSTATUS:
            if notes.threads and second_start is None:
                second_start = start
                notes.end_of_first = start - _HEADER
            elif second_start is not None and notes.thread_bytes is None:
                notes.thread_bytes = start - second_start
            if notes.threads and not every_thread and notes.thread_bytes is not None:
                break
            if size >= layout.size and (every_thread or not notes.threads):
                status = layout.read(segment, start)
                registers = dict(zip(architecture.registers, status.registers, strict=True))
                notes.threads.append(Thread(status.tid, status.cursig, registers))
            if kind not in notes.raw:
                notes.raw[kind] = segment[start : start + size]
        elif kind == linux.NT_ARM_TLS and size >= 8 and notes.threads:
            last = notes.threads[-1]
            tls = int.from_bytes(segment[start : start + 8], "little")
            notes.threads[-1] = Thread(last.tid, last.cursig, last.registers, tls)
        elif kind not in notes.raw:
            _process_note(notes, kind, segment[start : start + size])
    return notes


_HEADER = 20  # a note header and the padded name "CORE"


def _process_note(notes: Notes, kind: int, data: bytes) -> None:
    notes.raw[kind] = data
    if kind == linux.NT_PRPSINFO and linux.PRPSINFO.fits(data):
        notes.process = linux.PRPSINFO.read(data)
    elif kind == linux.NT_SIGINFO and linux.SIGINFO.fits(data):
        notes.siginfo, notes.siginfo_bytes = linux.SIGINFO.read(data), data
    elif kind == linux.NT_AUXV:
        notes.auxv = linux.auxiliary_vector(data)
    elif kind == linux.NT_FILE:
        notes.files = linux.mapped_files(data)


def thread_count(notes: Notes, segment_size: int) -> int | None:
    """How many threads the process had, from the size of the notes; null where that does not come out even."""
    if notes.end_of_first is None:
        return 1 if notes.raw else None
    if notes.thread_bytes is None:
        return 2
    more, rest = divmod(segment_size - notes.end_of_first, notes.thread_bytes)
    return 1 + more if rest == 0 else None
