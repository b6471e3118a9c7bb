"""Broad Street: core dump epidemiology."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broadstreet.surfaces.api import Book

__version__ = "0.1.0"


def open(url: str, version: int | None = None, create: bool = False) -> "Book":
    """The casebook at a folder or bucket URL, at a version or as it is now. With `create`, made where there is none."""
    book: Book = import_module("broadstreet.surfaces.api").open_book(url, version, create)  # late, for it is heavy
    return book
