"""What others wrote breaks neither the analysis nor the atlas, and every value of theirs can be asked for."""

from pathlib import Path
from typing import Any

import pytest

from broadstreet.pipeline.atlas import draw
from broadstreet.records.outbreak import Outbreak
from broadstreet.records.selection import Condition, Selection
from broadstreet.records.verdict import Investigation
from broadstreet.store import looking
from broadstreet.store.atlas import Atlas
from broadstreet.store.questions import Questions
from broadstreet.store.tallies import tallies
from tests.surfaces.web.hostile import BAD_MACHINE, DAYS, KEYS, START, TEXTS, host, stored


@pytest.fixture(scope="module")
def told(hostile: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Atlas, Investigation]:
    """The atlas, and what the analysis came to."""
    import msgspec

    folder = tmp_path_factory.mktemp("atlas")
    about, found, _ = draw(hostile, None, str(folder))
    (folder / "about.json").write_bytes(msgspec.json.encode(about))
    return Atlas(str(folder)), found


def fields(book: str, select: str) -> set[Any]:
    with Questions(book) as questions:
        return {row["text"] for row in questions.answer(select).to_pylist()}


@pytest.mark.parametrize("column", ["host", "boot_id", "instruction", "abort_message"])
def test_every_text_stands_in_the_casebook_as_it_was_written(hostile: str, column: str) -> None:
    assert set(map(stored, TEXTS)) <= fields(hostile, f'SELECT "{column}" AS text FROM cases')


def test_every_text_is_a_note_of_a_person_and_the_key_of_a_label(hostile: str) -> None:
    notes = fields(hostile, "SELECT text FROM raw_syndrome_events WHERE kind = 'note'")
    assert notes == set(map(stored, TEXTS))
    assert set(map(stored, KEYS)) <= fields(hostile, "SELECT DISTINCT unnest(map_keys(labels)) AS text FROM cases")


def test_the_machine_with_the_hostile_name_is_found(told: tuple[Atlas, Investigation]) -> None:
    found: list[Outbreak] = [verdict.outbreak for verdict in told[1].verdicts]
    assert {"physical_host": BAD_MACHINE} in [dict(one.cohort) for one in found]
    assert {"hardware", "software"} <= {verdict.says for verdict in told[1].verdicts}


def test_each_host_has_the_cases_that_it_had_whatever_its_name(told: tuple[Atlas, Investigation]) -> None:
    select = looking.hosts_of(told[0], Selection(), ("host",))
    cases = {row["host"]: row["cases"] for row in told[0].ask(select).dicts()}
    assert set(cases) == {host(number) for number in range(len(TEXTS))}
    for name in filter(None, cases):  # the empty one cannot be asked for: no value means not known
        only = Selection(conditions=(Condition("host", "is", (name,)),))
        assert looking.counted(told[0], only).dicts()[0]["cases"] == cases[name]


def test_no_two_columns_have_names_that_differ_in_capitals_alone(told: tuple[Atlas, Investigation]) -> None:
    names = [name.lower() for name in told[0].columns]
    assert sorted(set(names)) == sorted(names)
    assert all(name.isprintable() and 0 < len(name) < 200 for name in told[0].columns)


def test_every_column_has_a_facet(told: tuple[Atlas, Investigation]) -> None:
    counted = {one.column: one for one in tallies(told[0], list(told[0].columns), "TRUE")}
    assert set(counted) == set(told[0].columns)


def test_time_at_risk_is_that_of_the_fleet(told: tuple[Atlas, Investigation]) -> None:
    [hours] = told[0].ask("SELECT sum(host_hours) AS hours FROM pieces").dicts()
    assert hours["hours"] == pytest.approx(24.0 * DAYS * len(TEXTS))
    assert told[0].about.start == START.isoformat()


def test_an_atlas_does_not_grow_with_the_length_of_a_value(told: tuple[Atlas, Investigation]) -> None:
    """A megabyte stands in many fields; compressed, all tables together are smaller than one."""
    assert sum(path.stat().st_size for path in Path(told[0].folder).glob("*.parquet")) < 1 << 20
