"""One specimen must not stop ten thousand: the only `except Exception` stands here.

What it catches is a bug of ours, and is reported as such.
"""

from collections.abc import Callable
from typing import TypeVar

from broadstreet.errors import UnreachableSpecimen, UnreadableSpecimen, UsageError
from broadstreet.pipeline.evidence import Keep, evidence
from broadstreet.pipeline.reading import read_specimen
from broadstreet.records.case import Outcome, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.specimens import specimen_at

Result = TypeVar("Result")


def examine(specimen: Specimen, binaries: Binaries, keep: Keep = "none") -> Examined:
    """The case of one specimen and its evidence, or why there is none. Evidence that cannot be made is null."""
    read = _tried(lambda: read_specimen(specimen, binaries, witnessed=keep != "none"))
    if isinstance(read, Exception):
        return Examined(specimen, _unreadable(specimen.location, read))
    case, reading = read
    kept = _tried(lambda: evidence(reading, case, binaries, keep))
    return Examined(specimen, case, None if isinstance(kept, Exception) else kept)


def outcome_at(path: str, binaries: Binaries) -> Outcome:
    """The case of one core dump, or why there is none."""
    return examine(specimen_at(path), binaries).outcome


def _tried(action: Callable[[], Result]) -> Result | Exception:
    try:
        return action()
    except Exception as error:
        return error


def _unreadable(path: str, error: Exception) -> Unreadable:
    if isinstance(error, UnreadableSpecimen):
        return Unreadable(path, f"{error.layout}: wanted {error.wanted}", str(error))
    if isinstance(error, UnreachableSpecimen):
        return Unreadable(path, error.kind, error.reason, retry=error.again, unsettled=True)
    if isinstance(error, UsageError):
        return Unreadable(path, "sidecar", error.what, unsettled=True)
    if isinstance(error, OSError):
        return Unreadable(path, error.strerror or type(error).__name__, str(error), unsettled=True)
    return Unreadable(path, f"a bug of ours ({type(error).__name__})", f"{type(error).__name__}: {error}")
