"""Keep what an investigation stands on: its syndromes under their names, and its version through every tidying."""

from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.grouping import keep as keep_grouping
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.citing import cite
from broadstreet.store.questions import Questions


def keep(url: str, number: int | None = None) -> int:
    """Cite a version, or the newest with its syndromes kept, which may be a version of its own; its number."""
    if number is None:
        with Questions(url) as questions:
            number, grouping = questions.version.number, grouped(questions)
        if grouping.new or grouping.merged:
            book = open_for_writing(url)
            try:
                keep_grouping(book, grouping)
                number = book.version().number
            finally:
                book.close()
    cite(url, number)
    return number
