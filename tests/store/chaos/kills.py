"""One scan that is killed with SIGKILL: whom, and when."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

from tests.store.chaos.events import Events
from tests.store.chaos.running import LONGEST_SECONDS, left_over, scan_of, started, workers

Victim = Literal["parent", "worker", "group"]
VICTIMS: tuple[Victim, ...] = ("parent", "group", "worker")
LATEST_SECONDS = 0.003  # after an event
TOLD_BY_EVENTS = 0.75  # of the kills; the others come at a moment of the clock


class Kill(NamedTuple):
    """Kill `victim` so long after so many events below the casebook; `events` null: after the start."""

    victim: Victim
    events: int | None
    seconds: float
    batch: int | None


class Killed(NamedTuple):
    """What came of it: whether the scan was still there to be killed, and what ran on after it."""

    struck: bool
    events: int
    left_over: list[bytes]
    errors: str


class Extent(NamedTuple):
    """How long an undisturbed scan takes, and how many events there are of it."""

    events: int
    seconds: float


def planned(random: Random, extents: Mapping[int | None, Extent]) -> Kill:
    """A kill at a random moment, most of them within the commits; `extents` are by the size of a batch."""
    victim, batch = random.choice(VICTIMS), random.choice([*extents])
    extent = extents[batch]
    if random.random() < TOLD_BY_EVENTS:
        return Kill(victim, random.randint(1, extent.events), random.uniform(0, LATEST_SECONDS), batch)
    return Kill(victim, None, random.uniform(0, extent.seconds), batch)


def killed(kill: Kill, cores: Path, casebook: Path) -> Killed:
    """Scan, and kill."""
    casebook.mkdir(exist_ok=True)
    with Events(casebook) as events:
        process = started(*scan_of(cores, casebook), batch=kill.batch, out=subprocess.DEVNULL)
        seen = _waited(kill, process, events)
        time.sleep(kill.seconds if kill.events is not None else 0)
        struck = process.poll() is None and _struck(kill.victim, process.pid)
    try:
        _, err = process.communicate(timeout=LONGEST_SECONDS)  # ends with the last process that holds its stderr
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Killed(struck, seen, [b"the scan itself"], "hangs")
    return Killed(struck, seen, left_over(process.pid), err.decode())


def extent_of(cores: Path, casebook: Path, batch: int | None) -> Extent:
    """An undisturbed scan, measured."""
    casebook.mkdir()
    begun = time.monotonic()
    with Events(casebook) as events:
        process = started(*scan_of(cores, casebook), batch=batch, out=subprocess.DEVNULL)
        seen = _waited(Kill("parent", None, LONGEST_SECONDS, batch), process, events)
    process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 0
    return Extent(seen, time.monotonic() - begun)


def _waited(kill: Kill, process: "subprocess.Popen[bytes]", events: Events) -> int:
    begun, seen = time.monotonic(), 0
    while process.poll() is None:
        if kill.events is None:
            left = begun + kill.seconds - time.monotonic()
            if left <= 0:
                break
            seen += events.count(min(left, 0.05))
        else:
            seen += events.count(0.05)
            if seen >= kill.events:
                break
    return seen


def _struck(victim: Victim, parent: int) -> bool:
    try:
        if victim == "group":
            os.killpg(parent, signal.SIGKILL)
        elif victim == "parent":
            os.kill(parent, signal.SIGKILL)
        else:
            os.kill(workers(parent)[-1], signal.SIGKILL)
    except (ProcessLookupError, IndexError):
        return False
    return True
