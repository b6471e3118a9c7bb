"""The command line as its users meet it: a process with arguments, variables, two streams and an exit status."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.features.read_back import binaries_in, dump

ROOT = Path(__file__).parent.parent.parent
ENTRY = (sys.executable, "-m", "broadstreet")
LONGEST_SECONDS = 60  # a guard against a hang, no measure
# Crashes of several kinds, so that a summary has something to rank.
FLEET = (
    "ret popped zero",
    "a return to null after an unwinder",
    "call through null",
    "null pointer with a small offset",
    "pointer of freed memory",
    "abort by free",
    "a fault in a handler",
    "a living process",
)


class Said(NamedTuple):
    """What a command wrote to its streams, and its exit status."""

    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Standard output as people read it."""
        return self.out.decode()


def variables(store: Path, **changes: str) -> dict[str, str]:
    """The environment of a plain UTF-8 terminal of 80 columns, with a store of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "TMPDIR") if name in os.environ}
    ours = {"HOME": str(store), "BROADSTREET_BINARIES": str(store), "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    return {**kept, **ours, **changes}


def broadstreet(
    *arguments: str | Path, store: Path, changes: Mapping[str, str] | None = None, folder: Path = ROOT
) -> Said:
    """Run a command to its end, in the root of the project or another folder."""
    done = subprocess.run(
        [*ENTRY, *map(str, arguments)],
        capture_output=True,
        env=variables(store, **{"PYTHONPATH": str(ROOT), **(changes or {})}),
        timeout=LONGEST_SECONDS,
        check=False,
        cwd=folder,
    )
    return Said(done.returncode, done.stdout, done.stderr.decode())


class Fleet(NamedTuple):
    """A folder of core dumps, one of their binaries, and a store that nothing was put into."""

    cores: Path
    binaries: Path
    store: Path


def fleet(folder: Path, names: Iterable[str] = FLEET) -> Fleet:
    """The crashes of these machines as files core.0, core.1 ..."""
    cores = folder / "cores"
    cores.mkdir(parents=True)
    for index, name in enumerate(names):
        (cores / f"core.{index}").write_bytes(dump(name))
    store = folder / "store"
    store.mkdir()
    return Fleet(cores, binaries_in(folder / "binaries"), store)
