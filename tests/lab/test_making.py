"""One real crash of each family, from the order to the line of truth, and what is left of a lab that ends early."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest

from broadstreet.errors import UsageError
from broadstreet.lab import sets
from broadstreet.lab.kernel import obstacles
from broadstreet.lab.order import NotMade, Order, Workshop
from broadstreet.lab.process import signal_in
from broadstreet.lab.sets import OUTCOMES, Asked, Quest, make
from broadstreet.lab.truth import Truth, truths
from broadstreet.lab.zoo import crash as zoo
from broadstreet.lab.zoo import emulated, ingest
from broadstreet.pipeline.reading import case_at
from broadstreet.sources.binaries import Binaries

SEED = 3
MOST_TRIALS = 12  # a fault need not be felt
LONGEST_SECONDS = 20.0


def first(name: str, **wanted: str) -> list[Order]:
    """The orders of a set that agree with what is wanted."""
    quests = sets.SETS[name](Asked(1, SEED, ("perl", "ingest")))
    orders = (order for quest in quests for order in quest.orders)
    return [order for order in orders if all(getattr(order, field) == value for field, value in wanted.items())]


ONE_OF_EACH = {
    "bug": ("bugs", {"mechanism": "call_null", "variant": "plain"}),
    "bug by clang": ("bugs", {"mechanism": "call_null_comparator", "build": "clang-O2"}),
    "bug of an object": ("bugs", {"mechanism": "virtual_after_free_text"}),
    "bug by a race": ("bugs", {"mechanism": "torn_pointer_halves", "variant": "plain"}),
    "bug in a child of threads": ("bugs", {"mechanism": "null_field_8", "variant": "forked_threaded"}),
    "bug below python3": ("bugs", {"mechanism": "ctypes_call_null", "variant": "plain"}),
    "bug in an extension": ("bugs", {"mechanism": "extension_null_object", "variant": "faulthandler"}),
    "held-out bug": ("bugs-held-out", {"mechanism": "empty_slot"}),
    "imitator": ("imitators", {"mechanism": "high_tag"}),
    "race": ("race", {}),
    "bug of the service": ("ingest", {"family": "bug", "mechanism": "ingest_null_field"}),
    "race of the service": ("ingest", {"family": "race", "build": "26.2"}),
    "emulated": ("emulated", {"mechanism": "null_read", "build": "O2-separate"}),
    "fault": ("faults", {"mechanism": "rsp-8", "program": "perl"}),
    "fault of the service": ("faults", {"mechanism": "rsp-8", "program": "ingest"}),
    "model": ("models", {"mechanism": "ascii", "program": "perl"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    barriers = obstacles()
    if barriers:
        pytest.skip("; ".join(barriers))
    return tmp_path_factory.mktemp("crashes")


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    assert [args for pid, args in started_by(os.getpid()) if alive(pid) and "read -r what" not in args] == []


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_a_crash_of_each_family_is_made_and_is_what_its_truth_says(kind: str, folder: Path) -> None:
    name, wanted = ONE_OF_EACH[kind]
    if "service" in kind and ingest.obstacle():
        pytest.skip(str(ingest.obstacle()))
    if kind == "emulated" and emulated.obstacle():
        pytest.skip(str(emulated.obstacle()))
    orders = first(name, **wanted)
    if not orders and zoo.left_out("bugs"):
        pytest.skip(f"not on this machine: {', '.join(zoo.left_out('bugs'))}")
    place = folder / kind.replace(" ", "_")
    place.mkdir()
    counts = make([Quest(kind, orders[:MOST_TRIALS], 1)], place, jobs=1)
    (truth,) = truths(place)
    assert counts[kind]["crashed"] == 1
    assert (truth.family, truth.core) in {(order.family, order.core) for order in orders}
    assert signal_in(place / truth.core) == truth.signal
    assert sorted(path.name for path in place.iterdir()) == sorted(["bin", OUTCOMES, "truth.jsonl", truth.core])
    assert (place / truth.core).stat().st_size < 64 << 20
    if truth.expected:
        binaries = Binaries(tuple(str(path) for path in (place / "bin", *(place / "bin").iterdir()) if path.is_dir()))
        assert case_at(str(place / truth.core), binaries).mechanism in truth.expected


def test_the_same_seed_strikes_the_service_at_the_same_pass(folder: Path) -> None:
    if ingest.obstacle():
        pytest.skip(str(ingest.obstacle()))
    for attempt in ("one", "two"):
        (folder / attempt).mkdir()
        make([Quest("race", first("ingest", family="race", build="26.2")[:1], 1)], folder / attempt, jobs=1)
    one, two = (next(truths(folder / attempt)) for attempt in ("one", "two"))
    assert one.parameters == two.parameters == {"pass": one.parameters["pass"]}


def test_the_program_of_a_release_is_named_ingest_and_is_unlike_that_of_another(folder: Path) -> None:
    if ingest.obstacle():
        pytest.skip(str(ingest.obstacle()))
    workshop = Workshop(folder / "releases")
    old, new = (ingest.program(workshop, release) for release in ("26.1", "26.2"))
    assert (new.name, new.parent.name, new.parent.parent.name) == ("ingest", "26.2", "bin")
    assert old.read_bytes() != new.read_bytes()
    with pytest.raises(UsageError, match="no release 27"):
        ingest.program(workshop, "27.0")


def test_survivors_are_counted_and_tried_again_until_enough_have_crashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Random(SEED)

    def maker(order: Order, workshop: Workshop) -> Truth | NotMade:
        if draw.random() < 0.5:
            return NotMade("survived")
        fields = {"program": order.program, "build": order.build, "runtime": "Perl", "signal": 11}
        return Truth(core=order.core, cause="hardware", family="fault", mechanism=order.mechanism, **fields)

    monkeypatch.setitem(sets.MAKERS, "fault", maker)
    quest = sets.SETS["faults"](Asked(4, SEED, ("perl",)))[0]
    counts = make([quest], tmp_path, jobs=1)
    assert counts == {quest.kind: {"crashed": 4, "survived": counts[quest.kind]["survived"]}}
    assert counts[quest.kind]["survived"] > 0
    assert json.loads((tmp_path / OUTCOMES).read_text()) == counts
    assert len(list(truths(tmp_path))) == 4


def test_a_fault_that_nobody_feels_is_not_tried_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sets.MAKERS, "fault", lambda order, workshop: NotMade("survived"))
    quest = sets.SETS["faults"](Asked(2, SEED, ("perl",)))[0]
    assert make([quest], tmp_path, jobs=1) == {quest.kind: {"survived": 2 * sets.TRIES_PER_CRASH}}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_lab_that_is_ended_early_leaves_no_process(tmp_path: Path, how: signal.Signals, folder: Path) -> None:
    words = ("lab", "crash", "faults", "--victim", "perl", "--only", "lost", "--per-kind", "50", "--jobs", "2")
    command = [sys.executable, "-m", "broadstreet", *words, "-o", str(tmp_path / "out")]
    lab = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    victims = until(lambda: [one for one in started_by(lab.pid) if "srand" in one[1]])
    assert victims, "no victim was started"
    os.kill(lab.pid, how)
    assert lab.wait(LONGEST_SECONDS) != 0
    assert until(lambda: not any(alive(pid) for pid, _ in victims))
    if how == signal.SIGINT:
        assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


Seen = TypeVar("Seen")


def until(what: Callable[[], Seen]) -> Seen:
    """What is seen as soon as it is something; the last that was seen if it never is."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not (seen := what()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def started_by(parent: int) -> list[tuple[int, str]]:
    """Its children: number and command line."""
    rows = subprocess.check_output(["ps", "-eo", "ppid,pid,args"], text=True).splitlines()[1:]
    split = [line.split(maxsplit=2) for line in rows]
    return [(int(pid), args) for ppid, pid, args in split if int(ppid) == parent]


def alive(pid: int) -> bool:
    """Whether it runs; one that only waits to be counted by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
