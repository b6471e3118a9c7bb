"""A scan that has begun and not ended, as its casebook tells."""

from datetime import datetime
from typing import NamedTuple


class RunningScan(NamedTuple):
    """What a scan has kept so far; what it reads at the moment is not known until it is kept.

    `specimens` were read, `unreadable` of them gave no case. `newest` is when the last of them was kept; null before
    the first. How many there are in all the casebook does not know.
    """

    scan: str
    sources: tuple[str, ...]
    started: datetime
    newest: datetime | None
    specimens: int
    unreadable: int

    @property
    def per_second(self) -> float | None:
        """Specimens kept in a second, from the beginning to the last that was kept; null before the first."""
        if self.newest is None or self.newest <= self.started:
            return None
        return self.specimens / (self.newest - self.started).total_seconds()
