"""The files below a casebook, wherever it lies."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from deltalake import DeltaTable
from obstore.store import LocalStore, ObjectStore, from_url

from broadstreet.records.columns import Table
from broadstreet.store import mirror
from broadstreet.store.place import Place

ABANDONED = timedelta(hours=1)  # a file that no version names is by then no live writer's


class StoredFile(NamedTuple):
    """A file below the casebook: its path from there, its size, and when it was written."""

    path: str
    size: int
    written: datetime


def store_at(place: Place) -> ObjectStore:
    """Where the casebook lies, as objects."""
    return from_url(place.url) if place.folder is None else LocalStore(place.folder)


def all_files(place: Place, below: str = "") -> Iterator[StoredFile]:
    """Every file below the casebook, or below one of its tables."""
    for page in store_at(place).list(below or None):
        for found in page:
            yield StoredFile(found["path"], found["size"], found["last_modified"])


def content(place: Place, path: str) -> bytes:
    """The bytes of one file."""
    return bytes(store_at(place).get(path).bytes())


def named(place: Place, delta: DeltaTable) -> set[str]:
    """The files that this version of a table names, as paths from the casebook."""
    return set(mirror.names(place, delta))


def drop_unnamed(place: Place, table: Table, kept: Iterable[DeltaTable], gone: Sequence[str] = ()) -> list[str]:
    """Remove files of a table that no kept version names; those that are young only if they are among `gone`.

    A young one that no version names may be a live writer's, which names it in a moment. Those are given back.
    """
    keep = set().union(*(named(place, delta) for delta in kept))
    oldest = datetime.now(UTC) - ABANDONED
    store, left, removed = store_at(place), [], []
    for file in all_files(place, table.name):
        if file.path in keep or "/_delta_log/" in file.path:
            continue
        if file.path in gone or file.written < oldest:
            removed.append(file.path)
        else:
            left.append(file.path)
    _delete(store, removed)
    return left


def forget_log(delta: DeltaTable) -> None:
    """Only the newest state stays in the log of a table."""
    delta.update_incremental()
    delta.create_checkpoint()
    delta.cleanup_metadata()


def _delete(store: Any, paths: list[str]) -> None:
    if paths:
        store.delete(paths)
