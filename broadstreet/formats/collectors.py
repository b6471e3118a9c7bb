"""What collectors write into names and attributes of the core dumps that they keep.

systemd-coredump: `core.COMM.UID.BOOT-ID.PID.MICROSECONDS[.zst]`, src/coredump/coredump.c, and user.coredump.* extended
attributes. The kernel's `core_pattern` may add %p (pid) and %t (seconds), which cannot be told apart with certainty
from a bare number, so only the systemd form is read.
"""

import re
from typing import NamedTuple

_SYSTEMD = re.compile(
    r"^core\.(?P<comm>.+)\.(?P<uid>\d+)\.(?P<boot>[0-9a-f]{32})\.(?P<pid>\d+)\.(?P<time>\d{10,})(?:\.(?:zst|lz4|xz))?$"
)
XATTR_PREFIX = "user.coredump."
XATTRS = ("pid", "uid", "signal", "timestamp", "hostname", "comm", "exe", "tid", "thread_name")


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


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None
