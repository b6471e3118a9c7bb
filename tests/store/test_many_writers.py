"""Many writers of one casebook at once: every key once, every version once, no clock believed."""

import multiprocessing
import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from broadstreet.records.columns import COMMITS, SPECIMENS
from broadstreet.store import casebook as module
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.place import place
from broadstreet.store.questions import Questions
from broadstreet.store.schema import schema
from broadstreet.store.table import made, merge_new
from tests.store.chaos.population import laid_out
from tests.store.chaos.running import ended, run, scan, scan_of, started
from tests.store.chaos.trials import differing
from tests.store.chaos.whole import broken, one_select, told
from tests.store.examined import sample

WRITERS, TURNS, KEYS, AT_ONCE = 4, 8, 60, 12
PAUSE_SECONDS = 0.01
CRASHES, BATCH = 24, 6


def merged(folder: str, writer: int, turns: int) -> int:
    """Merge keys that other writers merge too; how many of them were new."""
    chance = random.Random(writer)
    delta, new = made(place(folder), SPECIMENS), 0
    for _ in range(turns):
        keys = chance.sample(range(KEYS), AT_ONCE)
        columns = {"specimen_id": [f"{key}" for key in keys], "generation": [0] * AT_ONCE, "reading": keys}
        empty = {column.name: [None] * AT_ONCE for column in SPECIMENS.columns}
        new += merge_new(delta, SPECIMENS, pa.table({**empty, **columns}, schema=schema(SPECIMENS)))
        time.sleep(chance.uniform(0, PAUSE_SECONDS))
    return new


def committed(folder: str, writer: int, turns: int) -> int:
    """Name versions; how many."""
    book = open_for_writing(folder)
    for turn in range(turns):
        book.commit("scan", f"{writer} {turn}")
    book.close()
    return turns


def all_at_once(work: object, folder: Path, writers: int = WRITERS, turns: int = TURNS) -> int:
    with multiprocessing.get_context("spawn").Pool(writers) as pool:
        return sum(pool.starmap(work, [(str(folder), writer, turns) for writer in range(writers)]))  # type: ignore[arg-type]


def test_keys_that_many_merge_are_there_once(tmp_path: Path) -> None:
    new = all_at_once(merged, tmp_path)
    rows = made(place(str(tmp_path)), SPECIMENS).to_pyarrow_table()
    names = rows["specimen_id"].to_pylist()
    assert len(names) == len(set(names)) == new


def test_versions_that_many_name_are_dense(tmp_path: Path) -> None:
    open_for_writing(str(tmp_path)).close()
    made_ones = all_at_once(committed, tmp_path)
    numbers = made(place(str(tmp_path)), COMMITS).to_pyarrow_table()["number"].to_pylist()
    assert sorted(numbers) == list(range(1, made_ones + 1))


@pytest.mark.parametrize("writers", [2, 3])
def test_scans_at_once_lose_and_double_nothing_and_readers_see_no_half(tmp_path: Path, writers: int) -> None:
    cores, casebook = laid_out(tmp_path / "cores", CRASHES), tmp_path / "casebook"
    undisturbed = scan(cores, tmp_path / "undisturbed")
    running = [
        started(*scan_of(cores, casebook), "--output", tmp_path / f"{number}.ndjson", batch=BATCH)
        for number in range(writers)
    ]
    asked = []
    while any(one.poll() is None for one in running):
        if (casebook / "commits" / "_delta_log").exists():
            asked.append(run("sql", one_select(), "--casebook", casebook, "-o", "csv").stdout.split()[-1:])
        time.sleep(PAUSE_SECONDS)
    assert [ended(one).returncode for one in running] == [0] * writers
    assert all(answer in ([b"0"], []) for answer in asked)
    for number in range(writers):
        printed = (tmp_path / f"{number}.ndjson").read_bytes().splitlines()
        assert sorted(printed) == sorted(undisturbed.stdout.splitlines())
    assert broken(casebook) == []
    assert list(differing(told(casebook), told(tmp_path / "undisturbed"))) == []


def test_nobody_tidies_while_others_write_nor_writes_while_it_is_tidied(tmp_path: Path) -> None:
    cores, casebook = laid_out(tmp_path / "cores", 1), tmp_path / "casebook"
    scan(cores, casebook)
    writer = open_for_writing(str(casebook))
    tidied = run("casebook", "tidy", "--casebook", casebook)
    assert tidied.returncode == 2
    assert tidied.stderr.startswith(b"broadstreet: somebody is writing to this casebook\n")
    writer.close()
    writer = open_for_writing(str(casebook), alone=True)
    refused = scan(cores, casebook)
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"broadstreet: this casebook is being tidied\n")
    writer.close()
    assert scan(cores, casebook).returncode == 0


def test_order_is_by_number_and_generation_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = datetime.now(UTC)
    for turn in range(3):  # each a year before the last
        monkeypatch.setattr(module, "_now", lambda turn=turn: clock - timedelta(days=365 * turn))
        book = open_for_writing(str(tmp_path))
        again = {one.specimen.specimen_id: turn for one in sample()[:5]}
        assert book.add(sample()[:5], "a scan", "pointers", 2, again) == 5
        book.add(sample()[5 + turn : 6 + turn], "a scan", "pointers", 2)
        assert book.version().number == 2 * turn + 2
        book.close()
    with Questions(str(tmp_path)) as questions:
        assert questions.version.number == 6
        rows = questions.answer("SELECT generation, count(*) AS n FROM specimens GROUP BY 1 ORDER BY 1").to_pylist()
        assert rows == [{"generation": 0, "n": 3}, {"generation": 2, "n": 5}]
    assert broken(tmp_path) == []
