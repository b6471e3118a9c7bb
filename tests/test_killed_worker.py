"""A worker that is killed, as by the kernel for its memory, loses no core dump and ends no scan."""

import multiprocessing
import os
import shutil
import signal
from pathlib import Path

from broadstreet.pipeline.engines import examined
from broadstreet.pipeline.reading import BinarySources
from broadstreet.records.case import Unreadable
from broadstreet.sources.specimens import specimen_at

CORPUS = Path(__file__).parents[1] / "corpus" / "cores"
COPIES = 300


def many(folder: Path) -> list[str]:
    original = min(CORPUS.iterdir())
    paths = [folder / f"{number:04}.core.zst" for number in range(COPIES)]
    for path in paths:
        shutil.copy(original, path)
    return [str(path) for path in paths]


def path_of(outcome: object) -> str:
    if isinstance(outcome, Unreadable):
        return outcome.path
    return outcome.circumstances.path  # type: ignore[attr-defined, no-any-return]


def test_each_core_dump_is_still_told_once_when_a_worker_is_killed(tmp_path: Path) -> None:
    paths = many(tmp_path)
    running = examined([specimen_at(path) for path in paths], BinarySources(), 2)
    told = [path_of(next(running).outcome)]
    victim = multiprocessing.active_children()[0].pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    told += [path_of(one.outcome) for one in running]
    assert sorted(told) == paths
