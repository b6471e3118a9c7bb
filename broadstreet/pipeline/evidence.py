"""The evidence of a case: its slim core dump as bytes, made of what was fetched for the reading and of nothing else.

So that a case can be looked into after its core dump is gone. Of the threads only the one that crashed is kept, and
how many there were. A specimen that is slim already is treated as any other: that only pointers are kept rests on what
is done here, not on what a file says of itself.

Not every one is read back, which costs as much as reading: the first of each shape, and a sample. Why that is enough
stands in docs/decisions/0005-evidence.md.
"""

from collections.abc import Iterator
from typing import Literal

from broadstreet.cases.case import case_of
from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import linux_core as linux
from broadstreet.formats.core_writer import CoreNote, core_dump
from broadstreet.pipeline.reading import reading_of
from broadstreet.pipeline.slim_form import VECTOR_NOTES, Form, Original, notes_in, original, slim_form, told, wanted
from broadstreet.reading.notes import KNOWN_NAMES
from broadstreet.reading.reader import PREFIX_BYTES, Reading
from broadstreet.reading.witness import Range
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.blob import BytesCore

Keep = Literal["none", "pointers", "full"]
NOT_KNOWN = 0  # threads
MOST_BYTES = 4 << 20  # the program headers of a process with the most mappings that the kernel allows, and its NT_FILE
SAMPLED = 16  # one in so many is read back though its shape was seen before
MOST_SHAPES = 1 << 16
Shape = tuple[object, ...]

_proven: set[Shape] = set()


def evidence(reading: Reading, case: Case, binaries: Binaries, keep: Keep) -> bytes | None:
    """The slim core dump of this case; null where none is to be kept, or none gives the same case.

    The reading must have been witnessed. "full" keeps all that a reading asks for; "pointers" of writable memory only
    pointers, and what the reading used.
    """
    made = original(reading, case) if keep != "none" else None
    if made is None:
        return None
    ranges = wanted(made)
    shape = _shape(made, keep)
    content = _content(made, ranges, keep)
    if shape in _proven and int(case.case_id, 16) % SAMPLED:
        return content if len(content) <= MOST_BYTES else None
    if _gives(case, content, binaries):
        if len(_proven) >= MOST_SHAPES:
            _proven.clear()
        _proven.add(shape)
    else:
        _proven.discard(shape)
        content = _content(made, ranges + made.fetched, keep)
        if not _gives(case, content, binaries):
            return None
    return content if len(content) <= MOST_BYTES else None


def _content(made: Original, ranges: list[Range], keep: Keep) -> bytes:
    threads = made.reading.thread_count or NOT_KNOWN
    notes = tuple(_notes_of_first_thread(made.reading.note_segment, keep == "full"))
    form = Form(notes, pointers_only=keep == "pointers", threads=threads)
    return core_dump(slim_form(made, ranges, form))


def _notes_of_first_thread(segment: bytes, vectors: bool) -> Iterator[CoreNote]:
    """Those that a reading decodes: it stops at the third thread."""
    threads = 0
    for note in notes_in(segment):
        if note.name not in KNOWN_NAMES:
            continue
        threads += note.type == linux.NT_PRSTATUS
        if threads > 2:
            return
        of_process = note.type in (linux.NT_SIGINFO, linux.NT_PRPSINFO, linux.NT_AUXV, linux.NT_FILE)
        if of_process or (threads < 2 and (vectors or note.type not in VECTOR_NOTES)):
            yield note


def _shape(made: Original, keep: Keep) -> Shape:
    """Cases of one shape are read, judged and kept along the same lines."""
    reading, case = made.reading, made.case
    modules = reading.modules.all
    return (
        keep,
        case.mechanism,
        case.context,
        (modules[0].build_id or modules[0].path) if modules else None,
        tuple(gap.what for gap in case.missing),
        made.state.sp % 16,
        len(made.witness.windows()),
        sum(reading.notes_place) <= PREFIX_BYTES,
        reading.slim is None,
    )


def _gives(case: Case, content: bytes, binaries: Binaries) -> bool:
    try:
        again = case_of(reading_of(BytesCore(content), binaries), Circumstances(""), 0, 0)
    except UnreadableSpecimen:
        return False
    return told(again) == told(case)
