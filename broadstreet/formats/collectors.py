"""What collectors write into names and attributes of the core dumps that they keep.

systemd-coredump: `core.COMM.UID.BOOT-ID.PID.MICROSECONDS[.zst]`, src/coredump/coredump.c, and user.coredump.* extended
attributes. The kernel's `core_pattern` may add %p (pid) and %t (seconds), which cannot be told apart with certainty
from a bare number, so only the systemd form is read.

ABRT: a folder for each problem, with one file for each element; abrt's doc/problem-data and satyr. The elements that
hold a command line, an environment, open files or logs are never read.
"""

import re
from typing import NamedTuple

_SYSTEMD = re.compile(
    r"^core\.(?P<comm>.+)\.(?P<uid>\d+)\.(?P<boot>[0-9a-f]{32})\.(?P<pid>\d+)\.(?P<time>\d{10,})(?:\.(?:zst|lz4|xz))?$"
)
XATTR_PREFIX = "user.coredump."
XATTRS = ("pid", "uid", "signal", "timestamp", "hostname", "comm", "exe", "tid", "thread_name")

PROBLEM_CORE = "coredump"
PROBLEM_MARKS = ("time", "type")  # elements that every problem folder has
PROBLEM_LABELS = (("package", "package"), ("reason", "reason"), ("container_id", "container"))
PROBLEM_ELEMENTS = (
    *("time", "hostname", "executable", "pid", "tid", "uid", "kernel"),
    *(element for element, _ in PROBLEM_LABELS),
)


class Collected(NamedTuple):
    """What a collector said of a crash; null where it did not. The time is in microseconds since 1970."""

    comm: str | None = None
    uid: int | None = None
    pid: int | None = None
    boot_id: str | None = None
    host: str | None = None
    executable: str | None = None
    time_microseconds: int | None = None
    tid: int | None = None
    kernel_release: str | None = None
    labels: tuple[tuple[str, str], ...] = ()


def from_name(name: str) -> Collected:
    """What the file name says."""
    match = _SYSTEMD.match(name)
    if match is None:
        return Collected()
    digits = match["time"]
    microseconds = int(digits) if len(digits) > 13 else int(digits) * 1_000_000
    comm = re.sub(r"\\x([0-9a-f]{2})", lambda hexed: chr(int(hexed[1], 16)), match["comm"])
    return Collected(comm, int(match["uid"]), int(match["pid"]), match["boot"], time_microseconds=microseconds)


def from_attributes(attributes: dict[str, str]) -> Collected:
    """What the extended attributes say."""
    stamp = _number(attributes.get("timestamp"))
    if stamp is not None and stamp < 10**13:
        stamp *= 1_000_000
    return Collected(
        comm=attributes.get("comm"),
        uid=_number(attributes.get("uid")),
        pid=_number(attributes.get("pid")),
        host=attributes.get("hostname"),
        executable=attributes.get("exe"),
        time_microseconds=stamp,
        tid=_number(attributes.get("tid")),
        labels=tuple((name, attributes[name]) for name in ("thread_name",) if attributes.get(name)),
    )


def from_elements(elements: dict[str, str]) -> Collected:
    """What the elements of a problem folder say."""
    stamp = _number(elements.get("time"))
    return Collected(
        uid=_number(elements.get("uid")),
        pid=_number(elements.get("pid")),
        tid=_number(elements.get("tid")),
        host=elements.get("hostname") or None,
        executable=elements.get("executable") or None,
        time_microseconds=None if stamp is None else stamp * 1_000_000,
        kernel_release=elements.get("kernel") or None,
        labels=tuple((label, elements[name]) for name, label in PROBLEM_LABELS if elements.get(name)),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None
