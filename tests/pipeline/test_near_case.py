"""A casebook that stays open: asked from many threads it answers each with its own case."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from broadstreet.errors import NotInCasebook
from broadstreet.pipeline.near_case import MOST_OPEN, OpenCasebook, at_hand
from broadstreet.pipeline.reading import BinarySources
from broadstreet.store.questions import Questions
from tests.store.examined import case, corpus
from tests.surfaces.web.drawn import kept


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return kept(tmp_path_factory.mktemp("near") / "book", corpus()[:12])


@pytest.fixture
def book(url: str) -> Iterator[OpenCasebook]:
    made = OpenCasebook(url, 1, BinarySources())
    yield made
    made.close()


def readings(url: str) -> dict[str, int]:
    with Questions(url) as questions:
        rows = questions.answer("SELECT case_id, reading FROM cases").to_pylist()
    return {row["case_id"]: row["reading"] for row in rows}


def test_many_threads_get_each_the_case_they_asked_for(book: OpenCasebook, url: str) -> None:
    wanted = list(readings(url).items()) * 3
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda pair: book.near(pair[1]).case.case_id, wanted))
    assert found == [case_id for case_id, _ in wanted]


def test_the_evidence_shows_the_same_pc_and_sp_as_the_case(book: OpenCasebook, url: str) -> None:
    one = corpus()[0]
    seen = book.near(readings(url)[case(one).case_id])
    assert seen.kept is not None
    assert seen.kept.core == one.evidence == book.evidence(case(one).case_id)
    assert seen.near is not None
    assert [word.value for word in seen.near.words if word.offset == -8] == [case(one).features["word_below_sp"]]


def test_a_reading_that_is_not_there_is_not_found(book: OpenCasebook) -> None:
    with pytest.raises(NotInCasebook):
        book.near(1)


def test_builds_are_counted_by_the_cases_that_show_them(book: OpenCasebook, url: str) -> None:
    with Questions(url) as questions:
        sets = questions.answer("SELECT module_set, count(*) AS cases FROM cases GROUP BY 1")
        rows = questions.answer(
            "SELECT path, build_id, count(*) AS cases FROM modules WHERE build_id IS NOT NULL GROUP BY ALL"
        ).to_pylist()
    expected = {(row["path"], row["build_id"]): row["cases"] for row in rows}
    assert book.builds("S-1", lambda: sets) == expected
    assert book.builds("S-1", lambda: pytest.fail("it was asked twice")) == expected
    assert book.builds("S-2", lambda: pa.table({"module_set": ["none"], "cases": [1]})) == {}


def test_damaged_evidence_leaves_the_case_and_says_why(tmp_path: Path) -> None:
    from dataclasses import replace

    one = corpus()[0]
    broken = kept(tmp_path / "book", [replace(one, evidence=b"no core dump")])
    book = OpenCasebook(broken, 1, BinarySources())
    seen = book.near(readings(broken)[case(one).case_id])
    book.close()
    assert seen.near is None
    assert seen.damage
    assert seen.case.case_id == case(one).case_id


def test_a_version_is_opened_once_and_few_stay_open(url: str) -> None:
    sources = BinarySources(("/nowhere",))
    first = at_hand(url, 1, "a", sources)
    assert at_hand(url, 1, "a", sources) is first
    others = [at_hand(url, 1, str(n), sources) for n in range(MOST_OPEN)]
    assert first not in others
    assert at_hand(url, 1, "a", sources) is not first
