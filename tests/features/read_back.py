"""Synthetic crashes through the reader: in memory for one, or as files for a command."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from broadstreet import features
from broadstreet.formats.binary import Binary
from broadstreet.reading.reader import Reading, read
from broadstreet.records.finding import Value
from broadstreet.records.wanted import BinaryWanted
from tests import synth
from tests.features.machines import LOADED, MACHINES, core

_BINARIES = {loaded.program.build_id.hex(): Binary(loaded.program.data) for loaded in LOADED}
Find = Callable[[BinaryWanted], Binary | None]
_PATHS = {loaded.program.path: loaded.program.build_id.hex() for loaded in LOADED}


def found(wanted: BinaryWanted) -> Binary | None:
    """The binary with this build id, or at this path."""
    return _BINARIES.get(wanted.build_id or _PATHS.get(wanted.path, ""))


@lru_cache(maxsize=256)
def dump(name: str) -> bytes:
    """The core dump of a machine of the catalogue."""
    return synth.core_dump(core(MACHINES[name]))


def reading(data: bytes, binaries: bool = True, every_thread: bool = False, here: Find = found) -> Reading:
    """What the reader makes of these bytes, with the binaries that lie `here`, or with none."""
    reader = read(every_thread)
    wanted = next(reader)
    while True:
        answer: list[object] = [data[offset : offset + size] for offset, size in wanted.ranges]
        answer += [here(one) if binaries else None for one in wanted.binaries]
        try:
            wanted = reader.send(answer)
        except StopIteration as done:
            result: Reading = done.value
            return result


def row(data: bytes, binaries: bool = True) -> dict[str, Value]:
    """The features of these bytes."""
    return features.row(reading(data, binaries).state)


def binaries_in(folder: Path) -> Path:
    """A sysroot with the three binaries, as --binaries takes it."""
    for loaded in LOADED:
        place = folder / loaded.program.path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(loaded.program.data)
    return folder
