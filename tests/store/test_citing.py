"""A version that a report cites stays readable through every tidying."""

from datetime import timedelta
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.store.casebook import open_for_writing, open_tables
from broadstreet.store.citing import cite
from broadstreet.store.questions import Questions
from broadstreet.store.tidying import tidy
from tests.store.examined import sample


def casebook(folder: Path) -> str:
    """A casebook of two versions with a case in each."""
    url = str(folder / "casebook")
    book = open_for_writing(url)
    for one in sample()[:2]:
        book.add([one], "a scan", "none", 1)
    book.close()
    return url


def tidied(url: str) -> None:
    """Tidy at once, as if a year had passed."""
    book = open_for_writing(url, alone=True)
    try:
        tidy(book, url, timedelta(0), None, now=True)
    finally:
        book.close()


def test_a_cited_version_is_read_after_a_tidying_and_another_is_not(tmp_path: Path) -> None:
    url = casebook(tmp_path)
    assert cite(url, 1)
    tidied(url)
    with Questions(url, 1) as questions:
        assert len(list(questions.cases())) == 1
    with pytest.raises(UsageError, match="version 2 of this casebook cannot be read any more"):
        Questions(url, 2)


def test_citing_twice_makes_one_version_and_keeps_what_was_cited_before(tmp_path: Path) -> None:
    url = casebook(tmp_path)
    assert [cite(url, 2), cite(url, 1), cite(url, 2)] == [True, True, False]
    version = open_tables(url)[1]
    assert (version.number, version.pinned) == (4, (1, 2))


def test_a_version_that_never_was_cannot_be_cited(tmp_path: Path) -> None:
    url = casebook(tmp_path)
    with pytest.raises(UsageError, match="there is no version 9"):
        cite(url, 9)
    assert open_tables(url)[1].number == 2
