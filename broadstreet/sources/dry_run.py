"""What a scan would read, and about what it would cost; nothing is read for it.

The means are measured, not promised: docs/sources.md says of what and how. Requests are what a store charges for; what
they cost is arithmetic with a price that is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from broadstreet.records.specimen import Specimen
from broadstreet.sources.compression import SUFFIXES
from broadstreet.sources.objects import is_remote

Kind = Literal["plain", "compressed", "archive"]
KINDS: tuple[Kind, ...] = ("plain", "compressed", "archive")


class Mean(NamedTuple):
    """Of one core dump: requests, bytes at most, and the share of its bytes that is read at most."""

    requests: float
    bytes: int
    share: float


# Core dumps of 64 MiB of C programs and python3 behind the range server of bench/bucket.py. A stream is read up to the
# crashing stack: that of a main thread is the last of the file.
MEANS: dict[Kind, Mean] = {
    "plain": Mean(6.0, 230 << 10, 1.0),
    "compressed": Mean(3.0, 1 << 62, 1.0),
    "archive": Mean(5.0, 1 << 62, 1.0),
}
LISTED_AT_ONCE = 1000
REQUEST_DOLLARS = 0.4e-6  # a GET of S3 Standard in us-east-1, 2026; transfer within the region costs nothing


@dataclass
class Expected:
    """The sums over what was listed, by kind."""

    count: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    bytes_present: int = 0
    bytes_read: float = 0.0
    remote: int = 0
    requests: float = 0.0
    sidecars: int = 0

    @property
    def specimens(self) -> int:
        """All of them."""
        return sum(self.count.values())

    @property
    def dollars(self) -> float:
        """Of the requests alone."""
        return self.requests * REQUEST_DOLLARS


def expected(specimens: Iterable[Specimen]) -> Expected:
    """What reading these is expected to take."""
    found = Expected()
    for specimen in specimens:
        kind = kind_of(specimen.location)
        mean = MEANS[kind]
        found.count[kind] += 1
        found.bytes_present += specimen.size
        found.bytes_read += min(specimen.size * mean.share, mean.bytes)
        if is_remote(specimen.location):
            found.remote += 1
            small = specimen.size <= 64 << 10
            found.requests += 1 if small else mean.requests
            found.sidecars += specimen.sidecar is not None
    found.requests += found.sidecars + -(-found.remote // LISTED_AT_ONCE)
    return found


def kind_of(location: str) -> Kind:
    """What its name says that it is."""
    if location.endswith((".crash", ".zip")):
        return "archive"
    return "compressed" if location.endswith(SUFFIXES) else "plain"
