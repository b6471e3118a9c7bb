"""Files are written as they are read: a part at a time, and whole at the end."""

import io
from pathlib import Path

import pytest
from pyarrow import parquet

from broadstreet.surfaces.web.downloads import FORMS, ROWS_AT_ONCE, ROWS_PER_GROUP
from broadstreet.surfaces.web.page import Asked
from tests.surfaces.web.few_cases import few_cases

CASES = ROWS_PER_GROUP + 2 * ROWS_AT_ONCE


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    rows = [{"host": f"host-{place}", "size": place} for place in range(CASES)]
    return Asked(few_cases(tmp_path_factory.mktemp("atlas"), rows), query=(("column", "host"), ("column", "size")))


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_lines_come_a_part_at_a_time_in_the_order_of_the_page(asked: Asked, form: str) -> None:
    chunks = list(FORMS[form](asked).chunks)
    assert max(chunk.count(b"\n") for chunk in chunks) <= ROWS_AT_ONCE
    lines = b"".join(chunks).splitlines()[-CASES:]
    assert [f"host-{place}".encode() in line for place, line in enumerate(lines)].count(True) == CASES


def test_parquet_comes_a_row_group_at_a_time(asked: Asked) -> None:
    chunks = [chunk for chunk in FORMS["parquet"](asked).chunks if chunk]
    table = parquet.read_table(io.BytesIO(b"".join(chunks)))
    assert len(chunks) > 1
    assert table.column("size").to_pylist() == list(range(CASES))


def test_a_reader_who_goes_away_leaves_nothing_open(asked: Asked, tmp_path: Path) -> None:
    for _ in range(50):
        chunks = iter(FORMS["csv"](asked).chunks)
        next(chunks)
        del chunks
    assert asked.atlas.ask("SELECT count(*) AS n FROM crashes").dicts() == [{"n": CASES}]
