"""A selection of an atlas selects what plain Python selects of the same rows."""

import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from broadstreet.errors import CasebookError, UsageError
from broadstreet.records.atlas import TABLES
from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.atlases import is_whole
from tests.store.small_atlas import START, atlas_of

ODD_NAME = "a \"b' c; --"
ROWS: list[dict[str, Any]] = [
    {"region": "eu", "size": 1, "pc": (1 << 64) - 1, "holds": ["torn", "odd"], "bad": True, ODD_NAME: "it's"},
    {"region": "us", "size": -5, "pc": 1 << 63, "holds": [], "bad": False, ODD_NAME: 'a"b'},
    {"region": None, "size": None, "pc": None, "holds": None, "bad": None, ODD_NAME: "nul\0end"},
    {"region": "", "size": 0, "pc": 0, "holds": ["odd"], "bad": True, ODD_NAME: "é\u202e\n"},
    {"region": "EU", "size": 7, "pc": 16, "holds": ["torn"], "bad": False, ODD_NAME: None},
]
TYPES = {"region": "text", "size": "int", "pc": "address", "holds": "texts", "bad": "bool", ODD_NAME: "text"}
PIECES = [
    {"region": "eu", "host_hours": 240.0},
    {"region": "us", "host_hours": 120.0},
    {"region": None, "host_hours": 24.0},
]


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    return atlas_of(tmp_path, TYPES, ROWS, PIECES)


def selected(atlas: Atlas, *conditions: Condition) -> list[int]:
    where = atlas.where(Selection(conditions=conditions))
    return [row["number"] for row in atlas.ask(f"SELECT number FROM crashes WHERE {where} ORDER BY number").dicts()]


def rows_that(holds: Callable[[dict[str, Any]], bool]) -> list[int]:
    return [number for number, row in enumerate(ROWS) if holds(row)]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition("region", "is", ("eu",)), lambda row: row["region"] == "eu"),
        (Condition("region", "is", ("eu", None)), lambda row: row["region"] in ("eu", None, "")),
        (Condition("region", "is", (None,)), lambda row: not row["region"]),
        (Condition("region", "not", ("eu",)), lambda row: row["region"] != "eu"),
        (Condition("region", "not", (None,)), lambda row: bool(row["region"])),
        (Condition("region", "not", ("eu", None)), lambda row: row["region"] in ("us", "EU")),
        (Condition("region", "is", ("' OR TRUE --",)), lambda row: False),
        (Condition("size", "is", ("0",)), lambda row: row["size"] == 0),
        (Condition("size", "is", ("-5", "7")), lambda row: row["size"] in (-5, 7)),
        (Condition("size", "not", ("0",)), lambda row: row["size"] != 0),
        (Condition("size", "min", ("0",)), lambda row: row["size"] is not None and row["size"] >= 0),
        (Condition("size", "max", ("0",)), lambda row: row["size"] is not None and row["size"] <= 0),
        (Condition("size", "is", (None,)), lambda row: row["size"] is None),
        (Condition("pc", "is", ("0xffffffffffffffff",)), lambda row: row["pc"] == (1 << 64) - 1),
        (Condition("pc", "min", ("0x8000000000000000",)), lambda row: row["pc"] is not None and row["pc"] >= 1 << 63),
        (Condition("holds", "is", ("odd",)), lambda row: "odd" in (row["holds"] or ())),
        (Condition("holds", "not", ("odd",)), lambda row: "odd" not in (row["holds"] or ())),
        (Condition("holds", "is", (None,)), lambda row: not row["holds"]),
        (Condition("bad", "is", ("true",)), lambda row: row["bad"] is True),
        (Condition("bad", "not", ("true",)), lambda row: row["bad"] is not True),
        (Condition("bad", "is", ("false", None)), lambda row: row["bad"] in (False, None)),
        (Condition(ODD_NAME, "is", ("it's",)), lambda row: row[ODD_NAME] == "it's"),
        (Condition(ODD_NAME, "is", ('a"b',)), lambda row: row[ODD_NAME] == 'a"b'),
        (Condition(ODD_NAME, "is", ("nul\0end",)), lambda row: row[ODD_NAME] == "nul\0end"),
        (Condition(ODD_NAME, "is", ("nul",)), lambda row: False),
        (Condition(ODD_NAME, "is", ("é\u202e\n",)), lambda row: row[ODD_NAME] == "é\u202e\n"),
    ],
)
def test_a_condition_selects_what_it_says(
    atlas: Atlas, condition: Condition, holds: Callable[[dict[str, Any]], bool]
) -> None:
    assert selected(atlas, condition) == rows_that(holds)


def test_is_and_not_of_the_same_values_part_all_cases(atlas: Atlas) -> None:
    for name, values in (("region", ("eu", None)), ("size", ("0",)), ("holds", ("odd",)), ("bad", ("true",))):
        within, without = (selected(atlas, Condition(name, kind, values)) for kind in ("is", "not"))  # type: ignore[arg-type]
        assert sorted(within + without) == list(range(len(ROWS)))


@pytest.mark.parametrize(
    "condition",
    [
        Condition("size", "is", ("seven",)),
        Condition("size", "is", (str(1 << 64),)),
        Condition("bad", "is", ("yes",)),
        Condition("region", "min", ("1",)),
        Condition("no such column", "is", ("1",)),
        Condition('region" OR TRUE --', "is", ("1",)),
    ],
)
def test_what_cannot_be_meant_is_refused_and_not_asked(atlas: Atlas, condition: Condition) -> None:
    with pytest.raises(UsageError):
        selected(atlas, condition)


def test_a_selected_time_holds_its_start_and_not_its_end(atlas: Atlas) -> None:
    first, second = START.replace(hour=2), START.replace(hour=4)
    where = atlas.where(Selection(first, second))
    times = [row["time"] for row in atlas.ask(f"SELECT time FROM crashes WHERE {where} ORDER BY time").dicts()]
    assert times == [START.replace(hour=2), START.replace(hour=3)]


def hours(atlas: Atlas, selection: Selection) -> float | None:
    where, overlap = atlas.where(selection, "pieces"), atlas.overlap(selection, "host_hours")
    [row] = atlas.ask(f"SELECT sum({overlap}) AS hours FROM pieces WHERE {where}").dicts()
    told: float | None = row["hours"]
    return told


@pytest.mark.parametrize(
    ("start", "end", "of_ten_days"),
    [(None, None, 10), (3, None, 8), (None, 3, 2), (3, 5, 2), (11, None, 0), (1, 11, 10)],
)
def test_of_a_piece_counts_what_lies_in_the_selected_time(
    atlas: Atlas, start: int | None, end: int | None, of_ten_days: int
) -> None:
    first, last = (None if day is None else START.replace(day=day) for day in (start, end))
    assert (hours(atlas, Selection(first, last)) or 0) == pytest.approx(384 * of_ten_days / 10)


def test_time_at_risk_is_narrowed_by_what_it_is_told_by(atlas: Atlas) -> None:
    assert hours(atlas, Selection(conditions=(Condition("region", "is", ("eu", None)),))) == 264
    assert hours(atlas, Selection(conditions=(Condition("region", "not", ("eu",)),))) == 144


def test_what_a_crash_shows_does_not_narrow_time_at_risk(atlas: Atlas) -> None:
    assert hours(atlas, Selection(conditions=(Condition("bad", "is", ("true",)),))) == 384


def test_an_exposure_that_no_time_at_risk_is_told_by_leaves_it_unknown(atlas: Atlas) -> None:
    assert hours(atlas, Selection(conditions=(Condition("host", "is", ("h1",)),))) is None


def test_among_parts_the_cases_of_an_outbreak_from_all_others(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    folder = Path(atlas_of(tmp_path, TYPES, ROWS).folder)
    rows = [
        {"outbreak": "O-1", "of": "inside", "case_id": f"{0:032x}", "number": 0},
        {"outbreak": "O-1", "of": "elsewhere", "case_id": f"{1:032x}", "number": 1},
        {"outbreak": "O-2", "of": "it's", "case_id": f"{2:032x}", "number": 2},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), folder / "members.parquet")
    atlas = Atlas(str(folder))
    assert selected(atlas, Condition("among", "is", ("O-1:inside",))) == [0]
    assert selected(atlas, Condition("among", "is", ("O-1",))) == [0]
    assert selected(atlas, Condition("among", "is", ("O-1:elsewhere", "O-2:it's"))) == [1, 2]
    assert selected(atlas, Condition("among", "not", ("O-1:inside",))) == [1, 2, 3, 4]
    assert selected(atlas, Condition("among", "is", ("' OR TRUE --:x",))) == []


@pytest.mark.parametrize("name", [*(f"{table}.parquet" for table in TABLES), "about.json"])
def test_an_atlas_that_lacks_a_file_is_not_whole_and_not_opened(tmp_path: Path, name: str) -> None:
    folder = Path(atlas_of(tmp_path, TYPES, ROWS).folder)
    assert is_whole(folder)
    (folder / name).unlink()
    assert not is_whole(folder)
    with pytest.raises(CasebookError):
        Atlas(str(folder))


def test_an_atlas_whose_table_is_cut_off_is_refused(tmp_path: Path) -> None:
    folder = Path(atlas_of(tmp_path, TYPES, ROWS).folder)
    whole = (folder / "crashes.parquet").read_bytes()
    (folder / "crashes.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CasebookError):
        Atlas(str(folder))


def test_an_atlas_reads_nothing_but_itself(atlas: Atlas, tmp_path: Path) -> None:
    beside = tmp_path.parent / f"{tmp_path.name} beside"
    shutil.copytree(tmp_path, beside)
    with pytest.raises(Exception, match=r"(?i)permission|disabled"):
        atlas.ask(f"SELECT * FROM read_parquet('{beside}/crashes.parquet')")


def test_many_threads_are_answered_the_same(atlas: Atlas) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.extend(selected(atlas))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == sorted(list(range(len(ROWS))) * 8)


def test_everything_is_everything(atlas: Atlas) -> None:
    assert atlas.where(EVERYTHING) == "TRUE"
    assert atlas.where(Selection(datetime(1970, 1, 1, tzinfo=UTC))) != "TRUE"
