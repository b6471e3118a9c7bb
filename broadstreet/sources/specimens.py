"""From a place to the specimens that lie there, and from a specimen to its bytes."""

import glob
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from broadstreet.errors import UsageError
from broadstreet.formats.path_layout import PathLayout
from broadstreet.records.exposure import Circumstances
from broadstreet.records.specimen import Specimen
from broadstreet.sources.blob import CoreSource
from broadstreet.sources.bucket import WILD, bucket_specimens
from broadstreet.sources.bucket_core import OpenObject, fetched
from broadstreet.sources.core_file import OpenCore
from broadstreet.sources.folder import core_dumps
from broadstreet.sources.objects import is_remote, requests_at_once

LONGEST_SIDECAR = 1 << 20


def specimens(place: str, layout: PathLayout | None = None) -> Iterator[Specimen]:
    """Every core dump below a folder or a prefix of a bucket, that a glob names, or the one that lies there.

    In the order of their names. What cannot be listed at all is a UsageError. A layout takes where and when out of the
    path relative to the place, or to the part of a glob before its first wildcard.
    """
    for specimen, name in _with_names(place):
        if layout is not None:
            bare = specimen.given or Circumstances(path=specimen.location)
            specimen = specimen._replace(given=layout.circumstances(name, bare) or specimen.given)
        yield specimen


def specimen_at(path: str) -> Specimen:
    """The specimen that a file is; one that cannot be asked is listed as empty, and named when it is read."""
    try:
        status = os.stat(path)
    except OSError:
        return Specimen(path, 0, "")
    return Specimen(path, status.st_size, str(status.st_mtime_ns))


def opened(specimen: Specimen) -> AbstractContextManager[CoreSource]:
    """Its bytes: a context manager that gives a CoreSource."""
    return OpenObject(specimen) if is_remote(specimen.location) else OpenCore(specimen.location)


def asked_sidecar(specimen: Specimen) -> Callable[[], bytes | None]:
    """Ask for what stands beside it, while it is read; the answer is waited for when it is called.

    Null where nothing does, or more than a mebibyte.
    """
    if not is_remote(specimen.location):
        return lambda: _file(f"{specimen.location}.json")
    place = specimen.sidecar
    if place is None:
        return lambda: None
    answer = requests_at_once().submit(fetched, place, LONGEST_SIDECAR + 1)
    return lambda: _short(answer.result())


def _with_names(place: str) -> Iterator[tuple[Specimen, str]]:
    if is_remote(place):
        yield from bucket_specimens(place)
        return
    asked, place = place, os.path.abspath(place)  # what a specimen is does not hang on where the scan was started
    places, base = [place], place
    if not os.path.lexists(place):
        if not any(sign in place for sign in WILD):
            raise UsageError(
                f"no such file or folder: {asked}", "broadstreet scan DIR, with the folder of the core dumps"
            )
        places = sorted(one for one in glob.iglob(place, recursive=True) if not one.endswith(".json"))
        if not places:
            raise UsageError(f"nothing matches {asked}", "Give a folder; its folders are searched too.")
        base = place[: min(place.index(sign) for sign in WILD if sign in place)].rpartition("/")[0]
    for one in places:
        for path in core_dumps(one):
            yield specimen_at(path), os.path.relpath(path, base) if path != base else os.path.basename(path)


def _file(path: str) -> bytes | None:
    try:
        if not os.path.isfile(path):
            return None
        with open(path, "rb") as file:
            return _short(file.read(LONGEST_SIDECAR + 1))
    except OSError:
        return None


def _short(content: bytes | None) -> bytes | None:
    return content if content is not None and len(content) <= LONGEST_SIDECAR else None
