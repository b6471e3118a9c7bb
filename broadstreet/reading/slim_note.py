"""The note that a slim core dump carries: what was kept, and what the original was, beyond what ELF can say.

Its name is "BroadStreet", its type NT_SLIM, its content JSON. It holds nothing of command line or environment. It
stands before the notes of the kernel, so that the first bytes of the file hold it however many threads there are.
"""

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from broadstreet.records.exposure import HostSource, TimeSource

VERSION = 1
_MAPPING = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16})(?:\+([0-9a-f]{1,16}))?")


class KnownCircumstances(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stood beside and around the original, and would be lost with its name and attributes."""

    time: str | None = None
    time_source: TimeSource = "unknown"
    host: str | None = None
    host_source: HostSource = "unknown"
    boot_id: str | None = None
    service: str | None = None
    service_release: str | None = None
    workload: str | None = None
    region: str | None = None
    labels: dict[str, str] = {}


class Kept(msgspec.Struct, frozen=True):
    """How much memory is there: stretches of address space, and their bytes."""

    stretches: int
    bytes: int


class SlimNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content. `mappings` are those of which only a part is kept, where a reading depends on knowing it.

    Each is written as start-end+dumped, in hexadecimal; the last is how many bytes the original held. `threads` is how
    many the process had, where the notes of some were left out; 0 where that is not known.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=VERSION)]
    bytes_before: int
    standalone: bool
    pointers_only: bool
    kept: Kept
    mappings: tuple[str, ...]
    circumstances: KnownCircumstances
    threads: int | None = None

    def originals(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, dumped bytes) of each of these mappings."""
        for text in self.mappings:
            found = _MAPPING.fullmatch(text)
            if found is not None:
                yield int(found[1], 16), int(found[2], 16), int(found[3] or "0", 16)


def decoded(data: bytes | None) -> SlimNote | None:
    """The note; null where there is none, or none that this version understands."""
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=SlimNote)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def encoded(note: SlimNote) -> bytes:
    """The note's content."""
    return msgspec.json.encode(note)
