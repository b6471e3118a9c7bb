"""From a place to the specimens that lie there, and from a specimen to its bytes."""

import os
from collections.abc import Iterator

from broadstreet.records.specimen import Specimen
from broadstreet.sources.core_file import OpenCore
from broadstreet.sources.folder import core_dumps


def specimens(place: str) -> Iterator[Specimen]:
    """Every core dump below a folder, or the file itself, in the order of their names."""
    for path in core_dumps(place):
        yield specimen_at(path)


def specimen_at(path: str) -> Specimen:
    """The specimen that a file is; one that cannot be asked is listed as empty, and named when it is read."""
    try:
        status = os.stat(path)
    except OSError:
        return Specimen(path, 0, "")
    return Specimen(path, status.st_size, str(status.st_mtime_ns))


def opened(specimen: Specimen) -> OpenCore:
    """Its bytes: a context manager that gives a CoreSource."""
    return OpenCore(specimen.location)
