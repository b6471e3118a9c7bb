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
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from threading import Thread

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
        denied = 0
        for server in self._servers:
            started = time.monotonic()
            answered = self._answered(f"{server}/buildid/{build_id}/executable", target)
            self._left -= time.monotonic() - started
            if answered:
                return target
            denied += answered is False
        if denied == len(self._servers):  # no answer is not "not there": ask again another day
            with suppress(OSError):  # a store that cannot be written forgets, no more
                absent.parent.mkdir(parents=True, exist_ok=True)
                absent.touch()
        return None

    def _answered(self, url: str, target: Path) -> bool | None:
        if self._left <= 0:
            return None
        deadline = time.monotonic() + self._left
        answers: list[bool | None] = []
        # In a thread, for a server that sends a byte at a time keeps within every timeout of a socket.
        asking = Thread(target=lambda: answers.append(_fetched(url, target, deadline)), daemon=True)
        asking.start()
        asking.join(self._left)
        return answers[0] if answers else None


def _fetched(url: str, target: Path, deadline: float) -> bool | None:
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        with urllib.request.urlopen(url, timeout=max(0.1, deadline - time.monotonic())) as answer:
            target.parent.mkdir(parents=True, exist_ok=True)
            size = 0
            with partial.open("wb") as file:
                while chunk := answer.read1(CHUNK):
                    file.write(chunk)
                    size += len(chunk)
                    if size > LONGEST_BINARY or time.monotonic() > deadline:
                        return None
            if size != int(answer.headers.get("Content-Length", size)):
                return None  # cut off: half a binary must not be kept
            partial.replace(target)
            return True
    except urllib.error.HTTPError as error:
        return False if error.code == HTTPStatus.NOT_FOUND else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        with suppress(OSError):
            partial.unlink()
