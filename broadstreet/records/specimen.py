"""One piece of raw evidence as it was listed, and what came of it."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from broadstreet.records.case import Outcome
from broadstreet.records.exposure import Circumstances

ID_BYTES = 16


class Specimen(NamedTuple):
    """A core dump as a listing shows it, before a byte of it is read.

    `location` is an absolute path or a URL. `stamp` is an ETag, or the modification time in nanoseconds: another one
    means other bytes. `given` is what the listing says of where and when: a layout, a clock; null: nothing. `sidecar`
    is where the listing of a bucket shows one; null for a file, beside which one is looked for when it is read.
    """

    location: str
    size: int
    stamp: str
    given: Circumstances | None = None
    sidecar: str | None = None

    @property
    def specimen_id(self) -> str:
        """The same for the same bytes at the same place, so that they are read once."""
        name = f"{self.location}\0{self.size}\0{self.stamp}".encode("utf-8", "surrogateescape")
        return blake2b(name, digest_size=ID_BYTES).hexdigest()


@dataclass(frozen=True)
class Examined:
    """What came of one specimen. `evidence` is its slim core dump, uncompressed; null where none is kept."""

    specimen: Specimen
    outcome: Outcome
    evidence: bytes | None = None
