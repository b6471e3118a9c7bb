"""What the kernel must allow so that a crash leaves a core dump where it can be found.

A plain name in core_pattern puts it into the folder of the process. Anything else (a pipe to a collector, another
folder) is changed while the lab runs, which needs root, and put back after the last lab on this machine ends, also
when it is told to end. A file keeps what stood there, so that a lab that was killed is mended by the next. It lies
where only root may write, for what stands in it becomes a program that the kernel runs as root.
"""

import fcntl
import os
import resource
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from broadstreet.errors import UsageError

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
NO_ATTACH = 3  # Documentation/admin-guide/LSM/Yama.rst
OURS = "core\n"
STATE = Path("/run/broadstreet")
USERS, CHANGE, SAVED = "users", "change", "saved"
ENDINGS = (signal.SIGTERM, signal.SIGHUP)
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
    _make_state()
    with _opened(USERS) as users, _ended_in_order():
        with _alone():
            _change()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with _alone():
                _restore_if_last(users)


def obstacles() -> list[str]:
    """What this machine will not let the lab do, in words; none: all of it can be done."""
    found = []
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        found.append("no core dumps: the hard limit for them is too low (ulimit -Hc unlimited)")
    pattern = CORE_PATTERN.read_text()
    if not _stays_in_its_folder(pattern) and not os.access(CORE_PATTERN, os.W_OK):
        found.append(f"no core dumps: core_pattern is {pattern.strip()!r}, and only root may change it")
    if _saved().exists():
        found.append(f"core_pattern is the lab's while one runs; the next puts back {_saved().read_text().strip()!r}")
    if YAMA.exists() and int(YAMA.read_text()) >= NO_ATTACH:
        found.append("no injected faults and no race: the kernel forbids ptrace (yama/ptrace_scope)")
    return found


def _stays_in_its_folder(pattern: str) -> bool:
    return bool(pattern.strip()) and "|" not in pattern and "/" not in pattern and not pattern.startswith("@")


@contextmanager
def _ended_in_order() -> Iterator[None]:
    # Told to end, this process goes by the same way as after an error, and so puts core_pattern back.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, lambda number, frame: sys.exit(128 + number)) for one in ENDINGS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _alone() -> Iterator[None]:
    # Held only while core_pattern changes; each lab that runs shares the other lock for as long as it runs.
    with _opened(CHANGE) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened(name: str) -> Iterator[int]:
    flags = os.O_RDWR | os.O_CREAT if os.access(STATE, os.W_OK) else os.O_RDONLY
    try:
        file = os.open(STATE / name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as reason:
        raise CannotDump(f"{STATE / name}: {reason.strerror}", "Run this as root.") from reason
    try:
        yield file
    finally:
        os.close(file)


def _saved() -> Path:
    return STATE / SAVED


def _make_state() -> None:
    try:
        STATE.mkdir(mode=0o755, exist_ok=True)
    except OSError:
        _cannot_change(CORE_PATTERN.read_text(), "only root may keep what stands there")
    found = STATE.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == CORE_PATTERN.stat().st_uid
    if not ours or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CannotDump(f"{STATE} is not a folder of root alone", f"See what it is, and remove it: rm -r {STATE}")


def _change() -> None:
    found = CORE_PATTERN.read_text()
    if _stays_in_its_folder(found):
        return
    if not os.access(STATE, os.W_OK):
        _cannot_change(found, "only root may keep what stands there")
    _saved().write_text(found)
    try:
        CORE_PATTERN.write_text(OURS)
    except OSError as reason:
        _saved().unlink()
        _cannot_change(found, reason.strerror or "refused")


def _cannot_change(found: str, why: str) -> NoReturn:
    raise CannotDump(
        f"core_pattern is {found.strip()!r} and cannot be changed ({why})",
        f"Run this as root, or let root do it first: echo core > {CORE_PATTERN}",
    )


def _restore_if_last(users: int) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another lab still runs, and will do it
    if _saved().exists() and os.access(STATE, os.W_OK):
        if CORE_PATTERN.read_text() == OURS:  # else somebody has changed it since, and knows better
            CORE_PATTERN.write_text(_saved().read_text())
        _saved().unlink()
