"""One process of the lab: where it runs, within which limits, and that nothing of it is left."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from broadstreet.lab.process import LARGEST_DATA_BYTES, MOST_CPU_SECONDS, ended, running, said, signal_of, started


def sessions(leader: int) -> list[int]:
    """The processes of this session that still run, not counting those that only wait to be counted."""
    told = subprocess.run(["ps", "-eo", "sid,pid,stat"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in told.splitlines()[1:]]
    return [int(pid) for session, pid, state in rows if int(session) == leader and "Z" not in state]


def test_a_process_that_does_not_end_is_ended_and_counted(tmp_path: Path) -> None:
    process = started(["sleep", "60"], tmp_path)
    assert not ended(process, 0.05)
    assert (signal_of(process), sessions(process.pid)) == (9, [])


def test_the_children_of_a_process_end_with_it(tmp_path: Path) -> None:
    process = started(["sh", "-c", "sleep 60 & sleep 60 & exit 3"], tmp_path)
    assert ended(process, 5)
    assert process.returncode == 3
    deadline = time.monotonic() + 5
    while sessions(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sessions(process.pid) == []


def test_whatever_happens_inside_it_has_ended_afterwards(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), running(started(["sleep", "60"], tmp_path)) as process:
        print(1 // 0)
    assert signal_of(process) == 9


def test_it_runs_in_its_folder_with_few_variables_and_within_limits(tmp_path: Path) -> None:
    script = 'pwd >out; ulimit -d >>out; ulimit -t >>out; env >>out; echo first >&2; echo "last words" >&2'
    process = started(["sh", "-c", script], tmp_path, {"COLOUR": "blue"})
    assert ended(process, 5)
    folder, data, seconds, *variables = (tmp_path / "out").read_text().splitlines()
    assert Path(folder) == tmp_path.resolve()
    assert (int(data) << 10, int(seconds)) == (LARGEST_DATA_BYTES, MOST_CPU_SECONDS)
    assert {line.split("=")[0] for line in variables} <= {"PATH", "LC_ALL", "COLOUR", "PWD", "OLDPWD", "SHLVL", "_"}
    assert said(tmp_path) == "last words"


def test_it_is_pinned_to_the_cpu_that_is_named_and_nothing_else_is(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    cpu = max(before)
    process = started(["sh", "-c", "grep Cpus_allowed_list /proc/self/status >out"], tmp_path, cpu=cpu)
    assert ended(process, 5)
    assert (tmp_path / "out").read_text().split()[-1] == str(cpu)
    assert os.sched_getaffinity(0) == before
