"""How specimens are read, in whichever process or on whichever machine: what a worker is sent, and what it answers."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from broadstreet import __version__
from broadstreet.pipeline.evidence import Keep
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.together import examine_together
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.binary_store import store_path


@dataclass(frozen=True)
class Examination:
    """Where binaries are looked for, and what is kept of each core dump as evidence."""

    binaries: BinarySources = field(default_factory=BinarySources)
    keep: Keep = "none"


class Answer(NamedTuple):
    """What came of a batch, and how long it took."""

    examined: list[Examined]
    seconds: float


class OtherVersion(Exception):
    """The worker's Broad Street is not that of the scan: its rows would differ."""


def examined_batch(examination: Examination, specimens: Sequence[Specimen]) -> Answer:
    """Read these specimens. Binaries stay open from one batch to the next."""
    started = time.monotonic()
    binaries = _opened.by_sources.get(examination.binaries)
    if binaries is None:
        binaries = _opened.by_sources[examination.binaries] = examination.binaries.open()
    found = list(examine_together(specimens, binaries, examination.keep))
    return Answer(found, time.monotonic() - started)


def examined_elsewhere(version: str, examination: Examination, specimens: Sequence[Specimen]) -> Answer:
    """The same on another machine, with the binary store of that machine."""
    if version != __version__:
        raise OtherVersion(f"the scan is of broadstreet {version}, the worker of {__version__}")
    if examination.binaries.store is not None:
        examination = replace(examination, binaries=replace(examination.binaries, store=store_path()))
    return examined_batch(examination, specimens)


class _Opened(threading.local):
    """Binaries are of one thread: a Dask worker may have several."""

    def __init__(self) -> None:
        self.by_sources: dict[BinarySources, Binaries] = {}


_opened = _Opened()
