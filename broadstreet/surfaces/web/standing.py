"""What there is to answer from, and what is to be said if that is not all."""

from typing import NamedTuple, Protocol

from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.live import News


class State(NamedTuple):
    """Why there is no atlas to answer from, or the one there is is not the newest.

    `share` is how much is done, 0 to 1; null where nobody can tell.
    """

    name: str
    what: str
    hint: str
    share: float | None = None


class Standing(NamedTuple):
    """The newest atlas that there is, and what is to be said if it is not all; one of them is there."""

    atlas: Atlas | None
    state: State | None = None


class Stand(Protocol):
    """Where the atlas to answer from stands."""

    def standing(self) -> Standing:
        """What there is now."""

    def look(self) -> None:
        """Look for a newer version at once."""

    def news(self) -> News:
        """What changes while a page is open."""

    @property
    def fixed(self) -> bool:
        """Whether one version is shown, and not the newest."""

    @property
    def closed(self) -> bool:
        """Whether it is about to end."""
