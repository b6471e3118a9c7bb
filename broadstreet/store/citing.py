"""Keep a version of a casebook that a report stands on."""

from broadstreet.store.casebook import open_for_writing, open_tables


def cite(url: str, number: int) -> bool:
    """From now on no tidying makes this version unreadable; false if it was cited before.

    That is a version of its own, the newest, with the same cases. Forgetting takes cited versions too.
    """
    open_tables(url, number)  # refuses a version that is gone already
    book = open_for_writing(url)
    try:
        if number in book.version().pinned:
            return False
        book.commit("cite", f"version {number} is kept", cited=number)
        return True
    finally:
        book.close()
