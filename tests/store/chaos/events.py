"""The file-system events below a folder, one by one, as the kernel tells them (inotify(7))."""

import ctypes
import os
import select
import struct
from pathlib import Path

CREATE, MODIFY, CLOSED, MOVED = 0x100, 0x2, 0x8, 0x80
EVENT = struct.Struct("iIII")
MOST_BYTES = 1 << 16
_libc = ctypes.CDLL(None, use_errno=True)


class Events:
    """Watches a folder and all that appear in it. A context manager."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders: dict[int, Path] = {}
        self._waiting = 0
        self._watch(folder)

    def __enter__(self) -> "Events":
        return self

    def __exit__(self, *of: object) -> None:
        os.close(self._descriptor)

    def count(self, seconds: float) -> int:
        """How many happened since the last call; waits so long for the first."""
        found, self._waiting = self._waiting, 0
        if not found and not select.select([self._descriptor], [], [], seconds)[0]:
            return 0
        try:
            data = os.read(self._descriptor, MOST_BYTES)
        except BlockingIOError:
            return found
        at = 0
        while at < len(data):
            watch, _, _, length = EVENT.unpack_from(data, at)
            name = data[at + EVENT.size : at + EVENT.size + length].rstrip(b"\0").decode()
            at += EVENT.size + length
            found += 1
            path = self._folders[watch] / name
            if path.is_dir():
                self._watch(path)
        return found

    def _watch(self, folder: Path) -> None:
        watch = _libc.inotify_add_watch(self._descriptor, os.fsencode(folder), CREATE | MODIFY | CLOSED | MOVED)
        if watch < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch", str(folder))
        if watch in self._folders:
            return
        self._folders[watch] = folder
        for path in folder.iterdir():  # what was faster than the watch
            self._waiting += 1
            if path.is_dir():
                self._watch(path)
