"""Whichever workers read them, each specimen is told once, and a kill costs none."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.pipeline import engines, spawned
from broadstreet.pipeline.engines import Dask, Local, examined
from broadstreet.pipeline.examination import Examination, OtherVersion, examined_elsewhere
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.spawned import SpawnedPool, WorkerKilled
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.specimens import specimen_at
from broadstreet.surfaces.engine_options import engine_of
from tests.pipeline.batches import killed_now, lethal_batch, many_bytes
from tests.pipeline.specimens import CORPUS, copies

EXAMINATION = Examination(BinarySources((str(CORPUS / "binaries"),)), "pointers")


def by_place(found: Iterator[Examined]) -> dict[str, Examined]:
    told = list(found)
    by_location = {one.specimen.location: one for one in told}
    assert len(by_location) == len(told)
    return by_location


def test_two_processes_tell_what_one_does_field_by_field() -> None:
    specimens = [specimen_at(str(path)) for path in sorted((CORPUS / "cores").iterdir())]
    here = by_place(examined(specimens, EXAMINATION, Local(1)))
    assert by_place(examined(specimens, EXAMINATION, Local(2))) == here
    assert len(here) == len(specimens)
    assert all(one.evidence for one in here.values())


def test_specimens_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    taken = 0

    def endless() -> Iterator[Specimen]:
        nonlocal taken
        (specimen,) = copies(tmp_path, 1)
        while True:
            taken += 1
            yield specimen

    running = examined(endless(), EXAMINATION, Local(2))
    for _ in range(300):
        next(running)
    assert taken < 300 + engines.MOST_UNDER_WAY
    running.close()
    assert multiprocessing.active_children() == []


def test_the_first_answers_do_not_wait_for_a_large_batch(tmp_path: Path) -> None:
    taken = 0

    def counted() -> Iterator[Specimen]:
        nonlocal taken
        for specimen in copies(tmp_path, 100):
            taken += 1
            yield specimen

    running = examined(counted(), EXAMINATION, Local(2))
    next(running)
    assert taken <= 2 * engines.WAITING * engines.FIRST_BATCH
    running.close()


def test_the_specimen_that_kills_its_worker_is_named_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "examined_batch", lethal_batch)
    specimens = copies(tmp_path, 60, lethal=23)
    found = by_place(examined(specimens, EXAMINATION, Local(2)))
    assert set(found) == {specimen.location for specimen in specimens}
    named = {place for place, one in found.items() if isinstance(one.outcome, Unreadable)}
    assert named == {specimens[23].location}
    outcome = found[specimens[23].location].outcome
    assert isinstance(outcome, Unreadable)
    assert outcome.kind == "killed its worker"


def test_killing_each_worker_again_and_again_blames_no_specimen(tmp_path: Path) -> None:
    specimens = copies(tmp_path, 400)
    running = examined(specimens, EXAMINATION, Local(2))
    told = [next(running)]
    for _ in range(3):
        for child in multiprocessing.active_children():
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
        told += [next(running) for _ in range(20)]
    told += running
    assert sorted(one.specimen.location for one in told) == [specimen.location for specimen in specimens]
    assert all(isinstance(one.outcome, Case) for one in told)


def test_a_worker_that_is_killed_amid_its_answer_is_noticed(tmp_path: Path) -> None:
    """With one pipe for all workers the reader would wait for the rest of the answer."""
    pool = SpawnedPool(2)
    mark = tmp_path / "mark"
    future = pool.submit(many_bytes, 400 << 20, str(mark))
    while not mark.exists() or not mark.read_text():
        time.sleep(0.01)
    time.sleep(0.2)
    if not future.done():
        os.kill(int(mark.read_text()), signal.SIGKILL)
    other = pool.submit(len, "four")
    assert wait([future, other], 30).not_done == set()
    assert other.result() == 4
    pool.shutdown()


def test_a_future_of_a_killed_process_says_so_and_the_next_call_has_another() -> None:
    pool = SpawnedPool(1)
    assert isinstance(pool.submit(killed_now).exception(30), WorkerKilled)
    assert pool.submit(len, "four").result(30) == 4
    pool.shutdown()
    assert multiprocessing.active_children() == []


def test_what_waits_when_a_pool_is_shut_down_is_cancelled(tmp_path: Path) -> None:
    pool = SpawnedPool(1)
    running = pool.submit(time.sleep, 600)
    waiting = pool.submit(len, "four")
    while not multiprocessing.active_children():
        time.sleep(0.01)
    pool.shutdown(cancel_futures=True)
    assert waiting.cancelled()
    assert isinstance(running.exception(1), WorkerKilled)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_ctrl_c_ends_a_scan_and_leaves_no_process(engine: str, tmp_path: Path) -> None:
    if engine == "dask":
        pytest.importorskip("distributed")
    copies(tmp_path, 2000)
    command = [sys.executable, "-m", "broadstreet", "scan", str(tmp_path), "-o", "ndjson", "--workers", "2"]
    scan = subprocess.Popen(
        [*command, "--engine", engine], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert scan.stdout is not None
    assert scan.stderr is not None
    scan.stdout.readline()
    os.killpg(scan.pid, signal.SIGINT)
    scan.stdout.read()
    said = scan.stderr.read().decode()
    assert scan.wait(30) == 1
    assert "Traceback" not in said
    assert processes_of_session(scan.pid) == []


def processes_of_session(session: int) -> list[str]:
    found = []
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found = []
        for place in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = place.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(place.parent.name)
        if not found:
            break
        time.sleep(0.05)
    return found


def test_a_worker_of_another_version_refuses(tmp_path: Path) -> None:
    with pytest.raises(OtherVersion, match=r"0\.0\.0"):
        examined_elsewhere("0.0.0", EXAMINATION, copies(tmp_path, 1))


def test_a_worker_elsewhere_looks_into_its_own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from broadstreet import __version__
    from broadstreet.sources.binary_store import add

    (specimen,) = copies(tmp_path, 1)
    list(add(str(CORPUS / "binaries"), str(tmp_path / "store")))
    monkeypatch.setenv("BROADSTREET_BINARIES", str(tmp_path / "store"))
    answer = examined_elsewhere(__version__, Examination(BinarySources((), "/store/of/the/scan")), [specimen])
    (one,) = answer.examined
    assert isinstance(one.outcome, Case)
    assert any(module.found for module in one.outcome.modules)


def test_the_names_of_engines() -> None:
    cpus = len(os.sched_getaffinity(0))
    assert engine_of("local", None) == Local(cpus)
    assert engine_of("local", 8, most=3) == Local(3)
    assert engine_of("local", 8, most=0) == Local(1)
    assert engine_of("dask", 3) == Dask(None, 3)
    assert engine_of("dask://ash-12:8786", None) == Dask("ash-12:8786")


@pytest.mark.parametrize(
    ("engine", "workers"),
    [
        ("spark", None),
        ("dask://", None),
        ("dask://ash-12", None),
        ("dask://ash-12:0", None),
        ("dask://ash-12:x", None),
        ("dask://ash-12:8786", 4),
    ],
)
def test_what_is_no_engine_is_a_usage_error(engine: str, workers: int | None) -> None:
    with pytest.raises(UsageError):
        engine_of(engine, workers)


def test_a_worker_ends_without_a_word_when_its_parent_was_killed_before_it_read_the_answer() -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.send("never read")
    ours.close()
    spawned._answer(theirs)
