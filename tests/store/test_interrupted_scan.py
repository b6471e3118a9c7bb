"""Ctrl-C, or the death of the parent, in the middle of a scan into a casebook."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.chaos.population import laid_out
from tests.store.chaos.running import left_over, scan, scan_of, started, workers
from tests.store.chaos.whole import broken, told

CRASHES, BATCH = 40, 8
DEADLINE_SECONDS = 60
TRACEBACK = b"Traceback"


def waited(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def versions(casebook: Path) -> int:
    return len(list(casebook.glob("commits/_delta_log/*.json")))


def to_the_group(process: int) -> None:
    os.killpg(process, signal.SIGINT)  # as a terminal does


def to_the_parent(process: int) -> None:
    os.kill(process, signal.SIGINT)


@pytest.mark.parametrize(("press", "committed"), [(to_the_group, 0), (to_the_group, 3), (to_the_parent, 1)])
def test_ctrl_c_keeps_what_was_committed_and_leaves_nothing_running(
    tmp_path: Path, press: Callable[[int], None], committed: int
) -> None:
    cores, casebook = laid_out(tmp_path / "cores", CRASHES), tmp_path / "casebook"
    process = started(*scan_of(cores, casebook), batch=BATCH, out=subprocess.DEVNULL)
    waited(lambda: versions(casebook) > committed and workers(process.pid))
    press(process.pid)
    _, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode not in (0, None)
    assert TRACEBACK not in err
    assert left_over(process.pid) == []
    assert broken(casebook) == []
    assert len(told(casebook)["specimens"]) >= committed * BATCH
    assert scan(cores, casebook).returncode == 0
    assert scan(cores, tmp_path / "undisturbed").returncode == 0
    assert told(casebook) == told(tmp_path / "undisturbed")


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    cores = laid_out(tmp_path / "cores", CRASHES)
    process = started(*scan_of(cores, tmp_path / "casebook"), batch=BATCH, out=subprocess.DEVNULL)
    waited(lambda: len(workers(process.pid)) == 2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert left_over(process.pid) == []
    process.communicate()
