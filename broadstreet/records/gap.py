"""What could not be observed, and why."""

from typing import NamedTuple


class Gap(NamedTuple):
    """One thing that a reading lacks. `remedy` says what would make it observable; null where nothing would."""

    what: str
    why: str
    remedy: str | None = None
