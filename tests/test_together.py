"""Many objects at once in one process: waiting is shared, computing is not."""

import threading
import time
from pathlib import Path

import pytest

from broadstreet.formats.binary import Binary
from broadstreet.pipeline.together import AT_ONCE, examine_together, examined_again
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.records.wanted import BinaryWanted
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.specimens import specimens
from tests import synth
from tests.reading.specimens import core
from tests.sources.range_server import Behaviour
from tests.sources.test_bucket import bucket


class Watched(Binaries):
    """Says whether two threads ever looked for binaries at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.overlapped = False
        self._inside = False

    def find(self, wanted: BinaryWanted) -> Binary | None:
        self.asked += 1
        self.overlapped |= self._inside
        self._inside = True
        time.sleep(0.002)
        self._inside = False
        return super().find(wanted)


def filled(folder: Path, count: int) -> Path:
    for number in range(count):
        (folder / f"core.{number:02}").write_bytes(synth.core_dump(core()))
    return folder


def test_one_thread_computes_while_others_wait_for_bytes(tmp_path: Path) -> None:
    with bucket(filled(tmp_path, 24), Behaviour(latency=0.01)) as server:
        waiting, most, lock = 0, 0, threading.Lock()
        answer = server.fault

        def counted(key: str) -> str | None:
            nonlocal waiting, most
            with lock:
                waiting += 1
                most = max(most, waiting)
            time.sleep(0.05)
            with lock:
                waiting -= 1
            return answer(key)

        server.fault = counted  # type: ignore[method-assign]
        binaries = Watched()
        read = list(examine_together(specimens("s3://cores"), binaries))
    assert len({one.specimen for one in read}) == 24
    assert all(isinstance(one.outcome, Case) for one in read)
    assert binaries.asked
    assert not binaries.overlapped
    assert 4 < most <= AT_ONCE


def test_a_listing_is_taken_as_it_is_needed(tmp_path: Path) -> None:
    taken = []

    def listing() -> object:
        for specimen in specimens("s3://cores"):
            taken.append(specimen)
            yield specimen

    with bucket(filled(tmp_path, 60)):
        reading = examine_together(listing(), Binaries())  # type: ignore[arg-type]
        next(reading)
        assert len(taken) <= AT_ONCE
        assert len(list(reading)) == 59


def test_a_listing_that_breaks_off_is_not_hidden() -> None:
    def listing() -> object:
        yield Specimen("/nowhere/core", 0, "")
        raise KeyboardInterrupt

    reading = examine_together(listing(), Binaries())  # type: ignore[arg-type]
    assert isinstance(next(reading).outcome, Unreadable)
    with pytest.raises(KeyboardInterrupt):
        next(reading)


def test_what_cannot_be_helped_is_not_tried_again() -> None:
    passes = []

    def examined(some: object) -> object:
        listed = list(some)  # type: ignore[call-overload]
        passes.append(len(listed))
        for specimen in listed:
            yield Examined(specimen, Unreadable(specimen.location, "forbidden", "because"))

    listed = [Specimen(f"s3://b/{number}", 1, "t") for number in range(3)]
    assert len(list(examined_again(examined, listed))) == 3  # type: ignore[arg-type]
    assert passes == [3]
