"""Bytes read of a core dump: what the crash needs, whatever the size of the process."""

import struct
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

from bench.crashes import Crashes, Workshop
from bench.part import Asked, Part, Table
from broadstreet.pipeline.reading import BinarySources, reading_of
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.core_file import OpenCore

NOISE = 0.10  # of the bytes: places of stacks and libraries differ from run to run
ASKED_BEYOND, ASKED_ROUNDS = 96 << 10, 3
PT_NOTE = 4


class Read(NamedTuple):
    """What one reading asked for. `beyond` is in bytes outside of header, program headers and notes."""

    size: int
    beyond: int
    pieces: int
    rounds: int


class _Counted:
    """A core dump that counts what is asked of it."""

    def __init__(self, path: Path, core: OpenCore) -> None:
        self._source = core.source
        self._notes_end = notes_end(path)
        self.bytes_read = 0
        self.beyond = self.pieces = self.rounds = 0

    def ranges(self, wanted: tuple[tuple[int, int], ...]) -> list[bytes]:
        """The bytes, counted."""
        pieces = self._source.ranges(wanted)
        for (offset, _), piece in zip(wanted, pieces, strict=True):
            self.bytes_read += len(piece)
            self.beyond += max(0, offset + len(piece) - max(offset, self._notes_end))
        self.pieces += len(wanted)
        self.rounds += 1
        return pieces


def measure(workshop: Workshop) -> Part:
    """Compare 10 MB with 2 GB, and show the other programs beside them."""
    table = Table(
        "Bytes read for the crashing thread",
        ("program", "core dump", "on disk", "read", "of it beyond the notes", "pieces", "rounds"),
        notes=(
            "Bytes, least-greatest over the core dumps of a program. Beyond the notes: not ELF header, program headers"
            " or notes; it counts the rest of the first 64 KiB, which are fetched at once.",
        ),
    )
    binaries = BinarySources().open()
    asked = []
    sizes = {}
    for crashes in (workshop.deep(), workshop.deep_large(), workshop.numpy(), workshop.threads()):
        reads = [_read(core, binaries) for core in crashes.cores]
        sizes[crashes.title] = median_low([read.size for read in reads])
        table.rows.append(_row(crashes, reads))
        beyond, rounds = max(read.beyond for read in reads), max(read.rounds for read in reads)
        what = f"bytes beyond the notes, {crashes.title}"
        asked.append(Asked(what, f"<= {ASKED_BEYOND:,}", f"{beyond:,}", beyond <= ASKED_BEYOND))
        asked.append(Asked(f"rounds, {crashes.title}", "<= 3", str(rounds), rounds <= ASKED_ROUNDS))
    small, large = sizes[workshop.deep().title], sizes[workshop.deep_large().title]
    change = (large - small) / small
    asked.insert(0, Asked("bytes read, 2 GB by 10 MB", "the same", f"{100 * change:+.1f} %", abs(change) <= NOISE))
    return Part("size", (table,), tuple(asked))


def notes_end(core: Path) -> int:
    """Where the notes end in a core dump of the kernel: System V gABI, ELF header and program header."""
    with core.open("rb") as file:
        header = file.read(64)
        (table,) = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(table)
        for _ in range(count):
            kind, offset, length = struct.unpack("<I4xQ16xQ", file.read(size)[:40])
            if kind == PT_NOTE:
                return int(offset + length)
    return 64


def _read(core: Path, binaries: Binaries) -> Read:
    opened = OpenCore(str(core))
    with opened:
        counted = _Counted(core, opened)
        reading_of(counted, binaries)
    return Read(counted.bytes_read, counted.beyond, counted.pieces, counted.rounds)


def _row(crashes: Crashes, reads: list[Read]) -> tuple[str, ...]:
    status = crashes.cores[0].stat()
    columns = [[read.size for read in reads], [read.beyond for read in reads], [read.pieces for read in reads]]
    spans = [f"{min(column):,}-{max(column):,}" for column in columns]
    rounds = str(max(read.rounds for read in reads))
    return (crashes.title, f"{status.st_size:,}", f"{status.st_blocks * 512:,}", *spans, rounds)
