"""The SQL that stands by each number is one question that a casebook answers."""

import pytest

from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
from broadstreet.verdict import reads
from broadstreet.verdict.argument import argued
from broadstreet.verdict.profile import KINDS_OF_MACHINE, MACHINES, VARIES, profile
from tests.store.examined import case, corpus
from tests.verdict.populations import bad_machine, race, survey


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Questions:
    folder = tmp_path_factory.mktemp("casebook")
    book = open_for_writing(str(folder))
    book.add(corpus()[:5], book.begin(["/cores"], "1"), "none", 2)
    book.close()
    return Questions(str(folder))


def test_every_argument_can_be_asked_again(asked: Questions) -> None:
    for population, outbreak in (bad_machine(9, elsewhere=1), bad_machine(9, found=0), race(9)):
        (verdict,) = argued(population, survey(outbreak))
        for one in (*verdict.evidence_against, *verdict.evidence_for):
            assert next(iter(asked.ask(one.reads))).schema.names


@pytest.mark.parametrize(
    "name", [*MACHINES, *KINDS_OF_MACHINE, *VARIES, "build of libunwind.so.8", "pool", "label pool", "uptime"]
)
def test_every_exposure_can_be_asked_for(asked: Questions, name: str) -> None:
    assert next(iter(asked.ask(reads.by_exposure(profile(*race(3)), (name,))))).schema.names == ["value", "crashes"]


def test_the_sites_are_those_of_the_cases(asked: Questions) -> None:
    ids = tuple(case(one).case_id for one in corpus()[:5])
    found = profile(*race(3))
    found.witnesses["all"] = ids  # type: ignore[index]
    rows = [row for batch in asked.ask(reads.sites(found)) for row in batch.to_pylist()]
    assert sum(row["crashes"] for row in rows) == len(set(ids))
    assert not any((row["site"] or "").startswith("0x") for row in rows)
