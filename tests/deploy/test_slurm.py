"""The batch script of deploy/slurm, with an `srun` that runs its command here: a test of the script, not of Slurm."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.specimens import copies

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "slurm" / "scan.sbatch"
# Runs what follows its options as often as --ntasks says.
SRUN = r"""#!/bin/bash
tasks=1
while [[ $1 == --* ]]; do
    [[ $1 == --ntasks=* ]] && tasks=${1#--ntasks=}
    shift
done
trap 'kill $(jobs -p); wait; exit 143' TERM
for _ in $(seq "$tasks"); do "$@" & done
wait
"""


def run(folder: Path, *arguments: str, srun: str = SRUN) -> "subprocess.CompletedProcess[str]":
    programs = folder / "bin"
    programs.mkdir()
    for name, text in {
        "srun": srun,
        "dask": f'#!/bin/bash\nexec {sys.executable} -m dask "$@"\n',
        "broadstreet": f'#!/bin/bash\nexec {sys.executable} -m broadstreet "$@"\n',
    }.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "SLURM_NTASKS": "2",
        "SLURM_SUBMIT_DIR": str(folder),
    }
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(autouse=True)
def _dask() -> None:
    pytest.importorskip("distributed")
    if shutil.which("bash") is None:
        pytest.skip("no bash")


def test_the_script_scans_with_a_scheduler_and_workers_and_leaves_nothing(tmp_path: Path) -> None:
    cores = tmp_path / "cores"
    cores.mkdir()
    copies(cores, 40)
    done = run(tmp_path, str(cores), "-o", "ndjson")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 40
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "cores"}


def test_a_scheduler_that_does_not_start_is_said_with_its_last_lines(tmp_path: Path) -> None:
    done = run(tmp_path, str(tmp_path), srun="#!/bin/bash\necho no such partition\nexit 1\n")
    assert done.returncode == 1
    assert "the scheduler did not start" in done.stderr
    assert "no such partition" in done.stderr


def test_without_a_source_it_says_how_to_call_it(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert "say what to scan" in done.stderr
