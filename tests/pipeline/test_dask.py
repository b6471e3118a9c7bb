"""A Dask cluster tells what this machine does; its deaths lose nothing and hang nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadstreet.errors import ClusterLost, UsageError
from broadstreet.pipeline import dask_crew
from broadstreet.pipeline.engines import Dask, Local, examined
from broadstreet.records.case import Case, Unreadable
from broadstreet.sources.specimens import specimen_at
from tests.pipeline.batches import lethal_elsewhere, slow_elsewhere
from tests.pipeline.specimens import CORPUS, copies
from tests.pipeline.test_engines import EXAMINATION, by_place

ROOT = Path(__file__).parents[2]
distributed = pytest.importorskip("distributed")


class Cluster:
    """A scheduler and workers, as they run on other machines."""

    def __init__(self, folder: Path, workers: int, nannies: bool = True) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        host, port = self.address.split(":")
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._started("scheduler", "--host", host, "--port", port, "--no-dashboard", "--no-show")
        nanny = "--nanny" if nannies else "--no-nanny"
        self.workers = [self._started("worker", self.address, "--nthreads", "1", nanny) for _ in range(workers)]

    def _started(self, *arguments: str) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cluster"
    place.mkdir()
    return place


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    made = Cluster(folder, workers=2)
    yield made
    made.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_crew, "CONNECT_SECONDS", 30)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_crew, "examined_elsewhere", slow_elsewhere)


def test_a_local_cluster_tells_what_this_process_does_field_by_field() -> None:
    specimens = [specimen_at(str(path)) for path in sorted((CORPUS / "cores").iterdir())]
    here = by_place(examined(specimens, EXAMINATION, Local(1)))
    assert by_place(examined(specimens, EXAMINATION, Dask(None, 2))) == here


def test_a_worker_that_is_killed_loses_no_specimen(cluster: Cluster, patient: None, slow: None, tmp_path: Path) -> None:
    specimens = copies(tmp_path, 200)
    running = examined(specimens, EXAMINATION, Dask(cluster.address))
    told = [next(running) for _ in range(10)]
    os.killpg(cluster.workers[0].pid, signal.SIGKILL)
    told += running
    assert sorted(one.specimen.location for one in told) == [specimen.location for specimen in specimens]
    assert all(isinstance(one.outcome, Case) for one in told)


def test_the_specimen_that_kills_its_workers_is_named_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask

    monkeypatch.setattr(dask_crew, "examined_elsewhere", lethal_elsewhere)
    specimens = copies(tmp_path, 30, lethal=7)
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        found = by_place(examined(specimens, EXAMINATION, Dask(None, 2)))
    assert set(found) == {specimen.location for specimen in specimens}
    named = {place for place, one in found.items() if isinstance(one.outcome, Unreadable)}
    assert named == {specimens[7].location}


def test_the_death_of_the_scheduler_ends_the_scan_after_what_had_arrived(
    cluster: Cluster, patient: None, slow: None, tmp_path: Path
) -> None:
    specimens = copies(tmp_path, 400)
    running = examined(specimens, EXAMINATION, Dask(cluster.address))
    told = [next(running) for _ in range(10)]
    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(ClusterLost, match=rf"{cluster.address} is gone; [\d,]+ specimens .* scan again to go on"):
        told += running
    assert time.monotonic() - began < 60  # that it ends at all
    places = [one.specimen.location for one in told]
    assert len(places) == len(set(places)) < len(specimens)


def test_a_cluster_without_workers_is_not_waited_for_forever(
    folder: Path, patient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_crew, "NO_WORKERS_SECONDS", 2.0)
    made = Cluster(folder, workers=0)
    try:
        with pytest.raises(ClusterLost, match="has had no worker for 2 s; 12 specimens"):
            list(examined(copies(tmp_path, 20), EXAMINATION, Dask(made.address)))
    finally:
        made.close()


def test_workers_that_come_late_are_waited_for(folder: Path, patient: None, tmp_path: Path) -> None:
    made = Cluster(folder, workers=0)
    try:
        running = examined(copies(tmp_path, 20), EXAMINATION, Dask(made.address))
        made._started("worker", made.address, "--nthreads", "2")
        assert len(list(running)) == 20
    finally:
        made.close()


def test_an_address_where_nobody_answers_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_crew, "CONNECT_SECONDS", 1)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(UsageError, match="no Dask scheduler answers"):
            list(examined([], EXAMINATION, Dask(address)))


def test_without_the_extra_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError) as told:
        list(examined([], EXAMINATION, Dask(None, 1)))
    assert told.value.hint == "pip install 'broadstreet[cluster]'"
