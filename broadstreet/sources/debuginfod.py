"""Binaries from a debuginfod server, only where the operator configured one.

It never blocks a result for long: five seconds in all for a scan's process, and a build id that was not there is not
asked for again. Nothing is fetched by default.
"""

import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

BUDGET_SECONDS = 5.0
LONGEST_BINARY = 1 << 30
CHUNK = 1 << 20


class Debuginfod:
    """Asks the configured servers for executables and keeps them in the store."""

    def __init__(self, servers: Sequence[str], store: Path | None) -> None:
        self._servers = [server.rstrip("/") for server in servers]
        self._store = store or Path(tempfile.gettempdir()) / f"broadstreet-{os.getuid()}"
        self._left = BUDGET_SECONDS

    def executable(self, build_id: str) -> Path | None:
        """The path of the fetched executable; null where no server has it or the time is spent."""
        target = self._store / ".build-id" / build_id[:2] / build_id[2:]
        absent = target.with_name(target.name + ".absent")
        if absent.exists() or self._left <= 0:
            return None
        for server in self._servers:
            started = time.monotonic()
            try:
                answered = self._fetched(f"{server}/buildid/{build_id}/executable", target)
            except (OSError, urllib.error.URLError, ValueError):
                answered = None
            self._left -= time.monotonic() - started
            if answered:
                return target
            if answered is None or self._left <= 0:
                return None  # no answer is not "not there": ask again another day
        absent.parent.mkdir(parents=True, exist_ok=True)
        absent.touch()
        return None

    def _fetched(self, url: str, target: Path) -> bool | None:
        deadline = time.monotonic() + self._left
        try:
            with urllib.request.urlopen(url, timeout=max(0.1, self._left)) as answer:
                target.parent.mkdir(parents=True, exist_ok=True)
                partial = target.with_name(f"{target.name}.{os.getpid()}")
                size = 0
                with partial.open("wb") as file:
                    while chunk := answer.read(CHUNK):
                        file.write(chunk)
                        size += len(chunk)
                        if size > LONGEST_BINARY or time.monotonic() > deadline:
                            partial.unlink()
                            return None
                partial.replace(target)
                return True
        except urllib.error.HTTPError as error:
            return False if error.code == 404 else None
