"""Broad Street: core dump epidemiology."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broadstreet.surfaces.api import Book

__version__ = "0.1.0"


def open(url: str, version: int | None = None, create: bool = False) -> "Book":
    """The casebook at a folder or bucket URL, at a version or as it is now. With `create`, made where there is none."""
    from broadstreet.surfaces.api import open_book  # heavy: --help must answer at once

    return open_book(url, version, create)
