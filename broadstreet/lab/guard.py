"""Ends what the lab started, if the lab itself is killed or interrupted.

A shell reads the numbers of processes from a pipe whose other end only this process holds. When this process is gone,
however it went, the pipe ends, and the shell kills what has not been taken back, with all that it started.
"""

import os
import signal
import subprocess
import threading

# `+ PID` is one more, `- PID` one that has ended. Each is the leader of its own session.
KEEP_AND_KILL = """
while read -r what pid; do
  rest=
  for one in $all; do [ "$one" = "$pid" ] || rest="$rest $one"; done
  all=$rest
  [ "$what" = - ] || all="$all $pid"
done
for one in $all; do kill -9 "-$one"; done
"""

_lock = threading.Lock()
_alive: set[int] = set()
_shell: subprocess.Popen[str] | None = None


def watch(pid: int) -> None:
    """Kill this session if this process ends before it is taken back."""
    with _lock:
        _alive.add(pid)
        _tell(f"+ {pid}\n")


def forget(pid: int) -> None:
    """It has ended."""
    with _lock:
        _alive.discard(pid)
        _tell(f"- {pid}\n")


def end_all() -> None:
    """End what is being watched, so that whoever waits for it goes on."""
    with _lock:
        for pid in _alive:
            try:
                os.killpg(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue


def _tell(line: str) -> None:
    global _shell
    if _shell is None or _shell.poll() is not None:
        _shell = subprocess.Popen(
            ["/bin/sh", "-c", KEEP_AND_KILL],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
            bufsize=1,
        )
    assert _shell.stdin
    _shell.stdin.write(line)
    _shell.stdin.flush()
