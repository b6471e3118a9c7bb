"""Which of the specimens that a listing shows are read: by time, name and size, and a sample that stays the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from hashlib import blake2b

from broadstreet.formats.collectors import from_name
from broadstreet.records.specimen import Specimen
from broadstreet.sources.objects import is_remote

_WHOLE = 1 << 64


@dataclass(frozen=True)
class Selection:
    """What is asked for; null and empty mean all. `sample` is a share of one: which, hangs on the location alone.

    Time is what the listing shows, for nothing has been read: the layout's, else the file name's, else the modification
    time. `since` is included, `until` is not. `names` are globs, of the file name or, with a slash, of the end of the
    location.
    """

    since: datetime | None = None
    until: datetime | None = None
    names: tuple[str, ...] = ()
    smallest: int | None = None
    largest: int | None = None
    sample: float = 1.0

    def chosen(self, specimens: Iterable[Specimen]) -> Iterator[Specimen]:
        """Those of them that are asked for, as they come."""
        return (specimen for specimen in specimens if self.takes(specimen))

    def takes(self, specimen: Specimen) -> bool:
        """Whether this one is asked for. One whose time is not known is not within any time."""
        if self.smallest is not None and specimen.size < self.smallest:
            return False
        if self.largest is not None and specimen.size > self.largest:
            return False
        if self.names and not any(_is_called(specimen.location, pattern) for pattern in self.names):
            return False
        if self.sample < 1.0 and share_of(specimen.location) >= self.sample:
            return False
        if self.since is None and self.until is None:
            return True
        time = listed_time(specimen)
        return (
            time is not None
            and (self.since is None or time >= self.since)
            and (self.until is None or time < self.until)
        )


def share_of(location: str) -> float:
    """Where between 0 and 1 this location falls, evenly and always at the same place."""
    digest = blake2b(location.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _WHOLE


def listed_time(specimen: Specimen) -> datetime | None:
    """When it happened, as far as the listing shows; null where it shows nothing."""
    given = specimen.given
    if given is not None and given.time is not None and given.time_source == "layout":
        return datetime.fromisoformat(given.time)
    try:
        named = from_name(specimen.location.rpartition("/")[2]).time_microseconds
        if named is not None:
            return datetime.fromtimestamp(named / 1e6, UTC)
        if given is not None and given.time is not None:
            return datetime.fromisoformat(given.time)
        if not is_remote(specimen.location) and specimen.stamp.isdigit():
            return datetime.fromtimestamp(int(specimen.stamp) / 1e9, UTC)
    except (ValueError, OverflowError):
        return None
    return None


def _is_called(location: str, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatchcase(location, pattern if pattern.startswith("*") else f"*/{pattern}")
    return fnmatchcase(location.rpartition("/")[2], pattern)
