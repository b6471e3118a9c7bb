"""Drive the reader over one specimen: from a path to a case."""

from dataclasses import dataclass
from threading import RLock

from broadstreet.cases.case import case_of
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.reader import Reading, read
from broadstreet.records.case import Case
from broadstreet.records.line import Line
from broadstreet.records.specimen import Specimen
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.blob import CoreSource
from broadstreet.sources.circumstances import circumstances_of
from broadstreet.sources.specimens import asked_sidecar, opened, specimen_at
from broadstreet.sources.symbols import lines

THINKING = RLock()
"""Held by whoever computes, released by whoever waits for bytes: binaries keep what they decoded, for one at a time."""


@dataclass(frozen=True)
class BinarySources:
    """Where binaries may be looked for."""

    folders: tuple[str, ...] = ()
    store: str | None = None
    debuginfod: tuple[str, ...] = ()

    def open(self) -> Binaries:
        """The finder for this process."""
        return Binaries(self.folders, self.store, self.debuginfod)


def reading_of(source: CoreSource, binaries: Binaries, every_thread: bool = False, witnessed: bool = False) -> Reading:
    """Drive the reader over a core dump."""
    reader = read(every_thread, witnessed)
    with THINKING:
        wanted = next(reader)
    while True:
        answer: list[object] = list(source.ranges(wanted.ranges)) if wanted.ranges else []
        with THINKING:
            try:
                wanted = reader.send(answer)
                while not wanted.ranges:
                    wanted = reader.send([binaries.find(one) for one in wanted.binaries])
            except StopIteration as done:
                reading: Reading = done.value
                return reading


def case_of_specimen(specimen: Specimen, binaries: Binaries, whole: bool = False) -> tuple[Case, MachineState | None]:
    """The case of one specimen, and the machine state that it came from; an UnreadableSpecimen where it is none."""
    case, reading = read_specimen(specimen, binaries, whole)
    return case, reading.state


def read_specimen(
    specimen: Specimen, binaries: Binaries, whole: bool = False, witnessed: bool = False
) -> tuple[Case, Reading]:
    """The case of one specimen, and the reading that it came from; an UnreadableSpecimen where it is none."""
    sidecar = asked_sidecar(specimen)
    with opened(specimen) as source:
        reading = reading_of(source, binaries, whole, witnessed)
        where = circumstances_of(specimen, source.said, sidecar())
        with THINKING:
            return case_of(reading, where, source.bytes_read, specimen.size, whole), reading


def case_at(path: str, binaries: Binaries, whole: bool = False) -> Case:
    """The case of one core dump; an UnreadableSpecimen where it is none."""
    return close_case_at(path, binaries, whole)[0]


def close_case_at(path: str, binaries: Binaries, whole: bool = False) -> tuple[Case, MachineState | None]:
    """The case of one core dump, and the machine state that it came from."""
    return case_of_specimen(specimen_at(path), binaries, whole)


def source_lines(state: MachineState) -> dict[int, list[Line]]:
    """The source lines of each frame that has debug information, by the frame's number; empty without the extra."""
    found = {}
    for index, frame in enumerate(state.frames):
        place = frame.pc - frame.return_address
        module = state.modules.at(place)
        if module is not None and module.binary is not None:
            at = lines(module.binary, module.vaddr(place))
            if at:
                found[index] = at
    return found
