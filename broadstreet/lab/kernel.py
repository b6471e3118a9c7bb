"""What the kernel must allow so that a crash leaves a core dump where it can be found.

A plain name in core_pattern puts it into the folder of the process. Anything else (a pipe to a collector, another
folder) is changed while the lab runs, which needs root, and put back after the last lab on this machine ends. A file
keeps what stood there, so that a lab that was killed is mended by the next.
"""

import fcntl
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broadstreet.errors import UsageError

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
NO_ATTACH = 3  # Documentation/admin-guide/LSM/Yama.rst
OURS = "core\n"
COREDUMP_FILTER = Path("/proc/self/coredump_filter")  # inherited by what is started, core(5)
PRIVATE_FILE_PAGES = 1 << 2


class CannotDump(UsageError):
    """This machine would not write a core dump where it can be found."""

    def __init__(self, what: str, hint: str = "broadstreet lab list says what this machine lacks.") -> None:
        super().__init__(what, hint)


@contextmanager
def code_is_dumped_too() -> Iterator[None]:
    """Inside, the core dumps of new processes hold the unmodified pages of files too, code among them."""
    before = COREDUMP_FILTER.read_text().strip()
    COREDUMP_FILTER.write_text(hex(int(before, 16) | PRIVATE_FILE_PAGES))
    try:
        yield
    finally:
        COREDUMP_FILTER.write_text(f"0x{before}")


@contextmanager
def the_kernel_dumps() -> Iterator[None]:
    """Inside, a process that crashes leaves a core dump in its own folder. Changes core_pattern only if it must."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != resource.RLIM_INFINITY:
        raise CannotDump(f"the hard limit for core dumps is {hard} bytes", "Raise it first: ulimit -Hc unlimited")
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    if _stays_in_its_folder(CORE_PATTERN.read_text()) and not _saved().exists():
        yield
        return
    with _lock().open("w") as users:
        with _alone():
            _change()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with _alone():
                _restore_if_last(users.fileno())


def obstacles() -> list[str]:
    """What this machine will not let the lab do, in words; none: all of it can be done."""
    found = []
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        found.append("no core dumps: the hard limit for them is too low (ulimit -Hc unlimited)")
    pattern = CORE_PATTERN.read_text()
    if not _stays_in_its_folder(pattern) and not os.access(CORE_PATTERN, os.W_OK):
        found.append(f"no core dumps: core_pattern is {pattern.strip()!r}, and only root may change it")
    if YAMA.exists() and int(YAMA.read_text()) >= NO_ATTACH:
        found.append("no injected faults and no race: the kernel forbids ptrace (yama/ptrace_scope)")
    return found


def _stays_in_its_folder(pattern: str) -> bool:
    return bool(pattern.strip()) and "|" not in pattern and "/" not in pattern and not pattern.startswith("@")


@contextmanager
def _alone() -> Iterator[None]:
    # Held only while core_pattern changes; each lab that runs shares the other lock for as long as it runs.
    with _lock().with_suffix(".change").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock() -> Path:
    return Path(tempfile.gettempdir()) / f"broadstreet-core-pattern.{os.getuid()}.lock"


def _saved() -> Path:
    return _lock().with_suffix(".saved")


def _change() -> None:
    found = CORE_PATTERN.read_text()
    if _stays_in_its_folder(found):
        return
    _saved().write_text(found)
    try:
        CORE_PATTERN.write_text(OURS)
    except OSError as reason:
        _saved().unlink()
        raise CannotDump(
            f"core_pattern is {found.strip()!r} and cannot be changed ({reason.strerror})",
            f"Run this as root, or let root do it first: echo core > {CORE_PATTERN}",
        ) from reason


def _restore_if_last(users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another lab still runs, and will do it
    if _saved().exists():
        CORE_PATTERN.write_text(_saved().read_text())
        _saved().unlink()
