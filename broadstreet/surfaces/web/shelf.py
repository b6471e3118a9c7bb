"""The shelf: the newest atlas of a casebook, drawn in a process of its own while the last good one goes on answering.

A thread looks at the casebook every few seconds. Whatever fails, a casebook that cannot be read, an analysis that was
killed for its memory, the last good version stays, and the pages say what failed and since when.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from broadstreet.errors import BroadStreetError, CasebookError
from broadstreet.store.atlas import Atlas
from broadstreet.store.atlases import held
from broadstreet.store.place import place
from broadstreet.store.watching import Newest, Watch
from broadstreet.surfaces.text import safe
from broadstreet.surfaces.web.child import command, import_path
from broadstreet.surfaces.web.live import News, clock, drawing_line, scan_line
from broadstreet.surfaces.web.standing import Standing, State

EVERY_SECONDS, EVERY_SECONDS_REMOTE = 2.0, 15.0  # a look at a bucket costs money
WHILE_DRAWING_SECONDS = 0.2
AGAIN_SECONDS = 60.0  # after an analysis failed; it would fail again
REFUSED = 3  # what `drawing` exits with where the casebook cannot be read
DRAWING = command("broadstreet.surfaces.web.drawing")


class _Drawing(NamedTuple):
    child: subprocess.Popen[bytes]
    newest: Newest
    began: float


class Shelf:
    """The newest atlas of one casebook, or that of one version."""

    def __init__(self, url: str, at: int | None = None, drawing: Sequence[str] = DRAWING) -> None:
        self.fixed = at is not None
        self.closed = False
        self._url, self._at, self._command = url, at, tuple(drawing)
        self._every = EVERY_SECONDS if place(url).folder is not None else EVERY_SECONDS_REMOTE
        self._watch = Watch(url)
        self._atlas: Atlas | None = None
        self._shown: Newest | None = None
        self._locks: list[int] = []
        self._drawing: _Drawing | None = None
        self._failed: tuple[str, datetime] | None = None
        self._failed_at: tuple[Newest, float] | None = None
        self._lines: tuple[str, ...] = ()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="shelf", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Look no more, and end an analysis that runs."""
        self.closed = True
        self._wake.set()
        drawing = self._drawing
        if drawing is not None and drawing.child.poll() is None:
            drawing.child.kill()

    def look(self) -> None:
        """Look for a newer version at once."""
        self._wake.set()

    def standing(self) -> Standing:
        """What there is now."""
        atlas, failed, drawing = self._atlas, self._failed, self._drawing
        if atlas is not None:
            return Standing(atlas, self._beside(atlas, failed, drawing))
        if failed is not None:
            why, since = failed
            hint = f"{why} That was at {clock(since)}. This server changed nothing; it is tried again."
            return Standing(None, State("Error", "The casebook cannot be read.", hint))
        seconds = 0.0 if drawing is None else time.monotonic() - drawing.began
        which = "The casebook" if drawing is None else f"Version {drawing.newest.number:,}"
        hint = f"{drawing_line(seconds, None)} This page shows it as soon as that is done."
        return Standing(None, State("Reading", f"{which} is being analysed.", hint))

    def news(self) -> News:
        """What changes while a page is open."""
        atlas, drawing = self._atlas, self._drawing
        lines, share = list(self._lines), None
        if self._failed is not None:
            lines.append(f"The casebook cannot be read since {clock(self._failed[1])}.")
        if drawing is not None:
            before = None if atlas is None else atlas.about.seconds
            seconds = time.monotonic() - drawing.began
            lines.append(f"Version {drawing.newest.number:,}: {drawing_line(seconds, before)}")
            share = min(seconds / before, 0.99) if before else None
        return News(None if atlas is None else atlas.about.version, " ".join(lines), share)

    def _beside(self, atlas: Atlas, failed: tuple[str, datetime] | None, drawing: _Drawing | None) -> State | None:
        shown = f"Shown is version {atlas.about.version:,}."
        if failed is not None:
            what = f"The casebook cannot be read since {clock(failed[1])}."
            return State("Error", what, f"{failed[0]} This server changed nothing; it is tried again. {shown}")
        if drawing is not None:
            return State("Reading", "A newer version is being read.", shown)
        return None

    def _look_on(self) -> None:
        while not self.closed:
            try:
                self._look_once()
            except (BroadStreetError, OSError) as error:
                self._fail(str(error))
            self._wake.wait(WHILE_DRAWING_SECONDS if self._drawing is not None else self._every)
            self._wake.clear()

    def _look_once(self) -> None:
        if self._drawing is not None:
            self._finish(self._drawing)
            return
        if self.fixed and self._atlas is not None:
            return
        newest = self._watch.newest()
        if self._at is not None:
            newest = newest._replace(number=self._at)
        self._lines = tuple(scan_line(one) for one in self._watch.running(datetime.now(UTC)))
        if self._shown is not None and (newest.identity != self._shown.identity or newest.forgot > self._shown.forgot):
            self._atlas = self._shown = None  # what it tells is forgotten, or of another casebook
        if newest == self._shown:
            self._failed = None
        elif not self._failed_lately(newest):
            self._begin(newest)

    def _failed_lately(self, newest: Newest) -> bool:
        if self._failed_at is None or self._failed_at[0] != newest:
            return False
        return time.monotonic() - self._failed_at[1] < AGAIN_SECONDS

    def _begin(self, newest: Newest) -> None:
        child = subprocess.Popen(
            [*self._command, self._url, str(newest.number)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": import_path()},
        )
        self._drawing = _Drawing(child, newest, time.monotonic())

    def _finish(self, drawing: _Drawing) -> None:
        try:
            out, err = drawing.child.communicate(timeout=WHILE_DRAWING_SECONDS)
        except subprocess.TimeoutExpired:
            return
        self._drawing = None
        if self.closed:
            return
        if drawing.child.returncode != 0:
            self._failed_at = (drawing.newest, time.monotonic())
            said = err.decode(errors="replace").strip().splitlines()
            if drawing.child.returncode == REFUSED and said:
                raise CasebookError(said[-1])
            sys.stderr.write("".join(f"{safe(line, 2000)}\n" for line in said))
            raise CasebookError(f"The analysis of version {drawing.newest.number:,} ended with {_how(drawing.child)}.")
        folder = out.decode().strip()
        lock = held(folder)
        self._atlas, self._shown, self._failed = Atlas(folder), drawing.newest, None
        self._locks.append(lock)
        for old in self._locks[:-2]:  # answers of the version before may still be on their way
            os.close(old)
        del self._locks[:-2]

    def _fail(self, why: str) -> None:
        why = safe(why if why.endswith(".") else f"{why}.", 400)
        since = self._failed[1] if self._failed is not None else datetime.now(UTC)
        self._failed = (why[:1].upper() + why[1:], since)


def _how(child: subprocess.Popen[bytes]) -> str:
    status = child.returncode
    return f"status {status}" if status >= 0 else f"signal {-status}; 9 is often want of memory"
