"""An atlas holds what the population holds: every case once, every piece of time at risk, every exposure of both."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest

from broadstreet.pipeline.atlas import draw
from broadstreet.population.population import Population
from broadstreet.records.atlas import TABLES
from broadstreet.store.atlas import Atlas
from tests.store.drawn import told_and_drawn
from tests.store.fleets import book, crash

CRASHES = [
    *(crash(n, time=f"2026-01-{n:02d}T12:00:00Z", host=f"h{n % 3}") for n in range(1, 9)),
    crash(20, time="2026-01-09T12:00:00Z"),
    crash(21, host="h1"),
    crash(22),
    crash(23, time="2026-01-09T12:00:00Z", time_source="mtime", host="h2"),
    crash(24, time="2026-01-02T12:00:00Z", host="h\0'\"; --", labels=(("a \"b' c", "é\n"),)),
    crash(25, time="2026-01-03T12:00:00Z", host="h0", labels=(("a \"b' c", "é\n"),)),
]
FLEET: dict[str, list[dict[str, Any]]] = {
    "hosts": [
        {"host": f"h{n}", "from": "2026-01-01T00:00:00+00:00", "to": "2026-02-01T00:00:00+00:00", "rack": f"r{n % 2}"}
        for n in range(5)
    ],
    "placements": [
        {"host": "h0", "physical_host": p, "from": f"2026-01-{a}T00:00:00+00:00", "to": f"2026-01-{b}T00:00:00+00:00"}
        for p, a, b in (("p1", "01", "05"), ("p2", "05", "20"))
    ],
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Atlas, Population]:
    return told_and_drawn(tmp_path_factory.mktemp("atlas"), CRASHES, **FLEET)


def test_every_case_has_one_row_the_newest_first_the_undated_last(both: tuple[Atlas, Population]) -> None:
    rows = both[0].ask('SELECT "case_id", "number", "time" FROM crashes ORDER BY "number"').dicts()
    assert sorted(row["case_id"] for row in rows) == sorted(one.case_id for one in CRASHES)
    assert [row["number"] for row in rows] == list(range(len(CRASHES)))
    times = [row["time"] for row in rows]
    known = [one for one in times if one is not None]
    assert known == sorted(known, reverse=True)
    assert times == [*known, None, None]


def test_exposures_of_cases_are_those_of_the_population(both: tuple[Atlas, Population]) -> None:
    atlas, crashes = both
    for name, exposure in crashes.exposures.items():
        if name in ("cpu", "numa_node"):
            continue
        quoted = '"' + name.replace('"', '""') + '"'
        told = {
            row["case_id"]: row["value"] for row in atlas.ask(f"SELECT case_id, {quoted} AS value FROM crashes").dicts()
        }
        assert told == {
            case: None if code < 0 else exposure.values[code]
            for case, code in zip(crashes.case_ids, exposure.cases, strict=True)
        }, name


def test_pieces_are_the_time_at_risk_of_the_population(both: tuple[Atlas, Population]) -> None:
    atlas, crashes = both
    assert crashes.at_risk is not None
    rows = atlas.ask("SELECT host, rack, physical_host, host_hours FROM pieces").dicts()
    told = {name: crashes.exposures[name] for name in ("host", "rack", "physical_host")}
    wanted: Counter[tuple[Any, ...]] = Counter()
    for at, hours in enumerate(crashes.at_risk.measures["host_hours"]):
        codes = (one.at_risk[at] if one.at_risk is not None else -1 for one in told.values())
        wanted[
            (*(None if code < 0 else one.values[code] for one, code in zip(told.values(), codes, strict=True)), hours)
        ] += 1
    assert Counter(tuple(row.values()) for row in rows) == wanted


def test_an_mtime_is_a_time_but_dates_nothing(both: tuple[Atlas, Population]) -> None:
    rows = both[0].ask("SELECT case_id, time IS NOT NULL AS timed, dated FROM crashes").dicts()
    of = {row["case_id"]: (row["timed"], row["dated"]) for row in rows}
    assert (of[f"{23:032x}"], of[f"{22:032x}"], of[f"{1:032x}"]) == ((True, False), (False, False), (True, True))


def test_what_it_says_of_itself_is_in_its_tables(both: tuple[Atlas, Population]) -> None:
    atlas = both[0]
    [row] = atlas.ask(
        "SELECT count(*) AS cases, count(*) FILTER (dated) AS dated, count(*) FILTER (episode) AS episodes, "
        "(SELECT sum(host_hours) FROM pieces) AS hours FROM crashes"
    ).dicts()
    about = atlas.about
    assert (about.cases, about.dated, about.episodes) == (row["cases"], row["dated"], row["episodes"])
    assert about.at_risk == pytest.approx(row["hours"])
    for column in about.columns:
        quoted = '"' + column.name.replace('"', '""') + '"'
        [distinct] = atlas.ask(f"SELECT count(DISTINCT {quoted}) AS n FROM crashes").dicts()
        assert column.values >= distinct["n"], column.name


def test_every_column_that_it_names_can_be_asked_for(both: tuple[Atlas, Population]) -> None:
    atlas = both[0]
    names = parquet.read_schema(f"{atlas.folder}/crashes.parquet").names
    assert len({name.lower() for name in names}) == len(names)
    assert set(atlas.columns) <= set(names)


def test_the_same_version_is_drawn_the_same_each_time(tmp_path: Path) -> None:
    with book(tmp_path / "casebook", CRASHES, **FLEET):
        pass
    seen = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        draw(str(tmp_path / "casebook"), None, str(folder))
        seen.append({name: hashlib.sha256((folder / f"{name}.parquet").read_bytes()).digest() for name in TABLES})
    assert seen[0] == seen[1]


@pytest.mark.parametrize("crashes", [[], CRASHES[-6:-5], [crash(99)]], ids=["none", "no host", "bare"])
def test_a_casebook_without_a_fleet_has_an_atlas(tmp_path: Path, crashes: list[Any]) -> None:
    atlas, population = told_and_drawn(tmp_path, crashes)
    assert (atlas.about.cases, atlas.about.at_risk, atlas.about.measures) == (len(crashes), None, ())
    assert atlas.about.dated == int(np.sum(population.dated))
    assert atlas.ask("SELECT count(*) AS n FROM pieces").dicts() == [{"n": 0}]
