"""The core dumps of a bucket, as its listing shows them: page by page, never all of it in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from broadstreet.errors import UnreachableSpecimen, UsageError
from broadstreet.records.exposure import Circumstances
from broadstreet.records.specimen import Specimen
from broadstreet.sources.bucket_core import stamp_of
from broadstreet.sources.folder import is_named_like_one
from broadstreet.sources.objects import (
    ANSWER_SECONDS,
    HTTP,
    Address,
    address,
    errors,
    listing_failed,
    patiently,
    store_at,
)

PAGE = 1000
SIDECAR = ".json"
WILD = "*?["


def bucket_specimens(place: str) -> Iterator[tuple[Specimen, str]]:
    """Every core dump below a prefix or that a glob names, or the object itself; and its name relative to the place.

    By their names alone, for no byte is read: what a glob names is taken for a core dump whatever it is called. A
    place that cannot be listed is a UsageError.
    """
    where = address(place)
    try:
        if place.partition("://")[0] in HTTP:
            yield from _single(where)
            return
        parts = where.key.split("/")
        wild = next((index for index, part in enumerate(parts) if any(sign in part for sign in WILD)), None)
        if wild is not None:
            folder = "/".join(parts[:wild])
            for prefix in _folders(where.root, folder, parts[wild:-1]):
                yield from _matching(Address(where.root, prefix), parts, len(folder))
            return
        prefix = where.key.strip("/")
        found = False
        for one in _paired(where.root, _pages(where.root, prefix)):
            found = True
            name = one.location.removeprefix(f"{where.root}/")
            if is_named_like_one(name.rpartition("/")[2]):
                yield one, name[len(prefix) :].lstrip("/")
        if not found and prefix:
            yield from _single(Address(where.root, prefix))
    except UnreachableSpecimen as error:
        raise listing_failed(place, error) from error


def _matching(where: Address, parts: list[str], base: int) -> Iterator[tuple[Specimen, str]]:
    for one in _paired(where.root, _pages(where.root, where.key)):
        name = one.location.removeprefix(f"{where.root}/")
        levels = name.split("/")
        fits = len(levels) >= len(parts) and all(map(fnmatchcase, levels, parts))
        if fits and (len(levels) == len(parts) or is_named_like_one(levels[-1])):
            yield one, name[base:].lstrip("/")


def _folders(root: str, folder: str, patterns: list[str]) -> list[str]:
    """The prefixes that patterns name, level by level: what does not match is not listed."""
    found = [folder]
    for pattern in patterns:
        below = [prefix for one in found for prefix in _common(root, one)]
        found = [prefix for prefix in below if fnmatchcase(prefix.rpartition("/")[2], pattern)]
    return found


def _common(root: str, folder: str) -> list[str]:
    def attempt() -> list[str]:
        answer = store_at(root, ANSWER_SECONDS).list_with_delimiter(folder or None)
        return [str(prefix).rstrip("/") for prefix in answer["common_prefixes"]]

    return patiently(attempt, root)


def _pages(root: str, prefix: str) -> Iterator[Any]:
    """The objects below a prefix, in the order of their names; a page that failed is asked for again."""
    last: str | None = None
    stream: Any = None

    def attempt() -> Any:
        nonlocal stream
        if stream is None:
            stream = store_at(root, ANSWER_SECONDS).list(prefix or None, offset=last, chunk_size=PAGE)
        try:
            return next(stream, None)
        except errors():
            stream = None
            raise

    while page := patiently(attempt, f"{root}/{prefix}"):
        yield from page
        last = page[-1]["path"]


def _paired(root: str, objects: Iterator[Any]) -> Iterator[Specimen]:
    """Each object with its sidecar, which a listing in the order of names shows soon after it."""
    waiting: dict[str, Any] = {}
    for one in objects:
        path = one["path"]
        owner = path.removesuffix(SIDECAR)
        if owner != path:
            if owner in waiting:
                yield _specimen(root, waiting.pop(owner), f"{root}/{path}")
            continue
        for name in [name for name in waiting if not path.startswith(name)]:
            yield _specimen(root, waiting.pop(name), None)
        waiting[path] = one
    for one in waiting.values():
        yield _specimen(root, one, None)


def _single(where: Address) -> Iterator[tuple[Specimen, str]]:
    store = store_at(where.root, ANSWER_SECONDS)

    def head(key: str) -> Any:
        try:
            return patiently(lambda: store.head(key), f"{where.root}/{key}")
        except UnreachableSpecimen as error:
            if error.kind == "vanished":
                return None
            raise

    found = head(where.key)
    if found is None:
        raise UsageError(f"nothing is at {where.location}", "Check the name; a prefix ends where a / stands.")
    sidecar = head(where.key + SIDECAR)
    one = _specimen(where.root, {**found, "path": where.key}, where.location + SIDECAR if sidecar else None)
    yield one, where.key.rpartition("/")[2]


def _specimen(root: str, found: Any, sidecar: str | None) -> Specimen:
    location = f"{root}/{found['path']}"
    modified: datetime = found["last_modified"]
    time = modified.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    given = Circumstances(path=location, time=time, time_source="mtime")
    return Specimen(location, int(found["size"]), stamp_of(found), given, sidecar)
