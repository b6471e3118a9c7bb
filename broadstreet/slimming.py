"""From a core dump to a slim one: a valid core dump with only what a reading needs, and the same case by it.

What is kept is what a normal reading of this core dump asks for, the first bytes of every module, and with
`standalone` what gdb and elfutils follow for the same backtrace. General registers stay, for the identity of the crash
is made of them. The arguments and the environment go. With `pointers_only` go the floating-point and vector registers
too, and every word of writable memory that is neither a pointer into a mapping nor one that the reading or a rule used.

The result is read back before it gets its name: another case than that of the original would be a bug of ours.
"""

import os
import tempfile
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, replace

from broadstreet.cases.case import case_of
from broadstreet.errors import UnreadableSpecimen, UsageError
from broadstreet.formats import elf
from broadstreet.formats import linux_core as linux
from broadstreet.formats.core_writer import CoreDump, CoreMapping, CoreNote, Stretch, core_dump
from broadstreet.pipeline import case_at, reading_of
from broadstreet.reading.link_map import link_map
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.memory_plan import DEEP, MemoryPlan
from broadstreet.reading.modules import FIRST_BYTES
from broadstreet.reading.notes import NT_SLIM, OWN_NAME
from broadstreet.reading.reader import PREFIX_BYTES, Reading
from broadstreet.reading.slim_note import VERSION, Kept, KnownCircumstances, SlimNote, encoded
from broadstreet.reading.state import assembled
from broadstreet.reading.witness import Blanking, Range, Witness, argument_strings, asked_for, united
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.circumstances import circumstances
from broadstreet.sources.core_file import CoreSource, OpenCore

PAGE = 4096
ALIGNMENT = 16  # of what is kept; with `standalone` a page, as elfutils reads the pages of a module
JOIN_GAP = 512  # stretches nearer than this are kept as one: a program header more costs as much
CHASE_BYTES = 64 << 10  # read around each place of the loader's list, most of which lie together
ZSTD_LEVEL = 12
# linux/elf.h: floating-point and vector registers, which string functions leave full of text
VECTOR_NOTES = frozenset((0x2, 0x46E62B7F, 0x202, 0x405, 0x40B, 0x40C, 0x40D))


@dataclass(frozen=True)
class SlimFact:
    """What came of it: the sizes of both files, and the binaries that a fuller result would have needed."""

    bytes_before: int
    bytes_after: int
    binaries_missing: tuple[str, ...]


def slim(
    path: str, out: str, binaries: Binaries, standalone: bool = False, pointers_only: bool = False
) -> SlimFact:
    """Write the slim form of a core dump; compressed where the name ends with .zst."""
    if os.path.lexists(out):
        raise UsageError(f"{out} exists already", f"Name another file, or remove that one first: rm {out}")
    with OpenCore(path) as source:
        original = _original(path, source, binaries)
        if standalone and original.reading.slim is not None and not original.reading.slim.standalone:
            raise UsageError(f"{path} is slim and lacks what a debugger needs", "Slim the original again.")
        pieces = _Pieces(original, source, standalone, pointers_only)
        data = pieces.core_dump(pieces.needed())
        if not _written(data, out, original.case, binaries):
            data = pieces.core_dump(pieces.needed() + pieces.fetched())
            if not _written(data, out, original.case, binaries):
                raise RuntimeError(f"the slim form of {path} would not give the same case")
    missing = tuple(gap.what.removeprefix("binary ") for gap in original.case.missing if gap.what.startswith("binary "))
    return SlimFact(original.case.bytes_present, os.stat(out).st_size, missing)
