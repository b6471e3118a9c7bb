"""Keep what an investigation stands on: its syndromes under their names, and its version through every tidying."""

from broadstreet.pipeline.grouping import keep_new
from broadstreet.store.casebook import open_for_writing, open_tables
from broadstreet.store.citing import cite


def keep(url: str, number: int | None = None) -> int:
    """Cite a version, or the newest with its syndromes kept, which may be a version of its own; its number."""
    if number is None:
        open_tables(url)  # refuses where there is none: one is never made by this
        book = open_for_writing(url)
        try:
            keep_new(book, url)
            number = book.version().number
        finally:
            book.close()
    cite(url, number)
    return number
