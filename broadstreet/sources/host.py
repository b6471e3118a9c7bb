"""What this host does with a process that crashes: settings of the kernel and of systemd, and what lies on its disk.

Everything is read below a root, so a made-up one can be asked. Nothing is written, no root is needed, and each file is
read to a limit. A fact is null where it could not be read. In a container the kernel's settings are those of its host,
but the files of systemd are not, so those count as unread.
"""

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from broadstreet.formats.systemd_settings import settings

LONGEST_FILE = 1 << 16
MOST_NAMES = 200_000
MOST_CORES = 100  # that are tried for their permission
SYSTEMD_FOLDER = "/var/lib/systemd/coredump"
# Where the handlers of core_pattern keep what they take, by a part of their name.
FOLDERS = {"systemd-coredump": SYSTEMD_FOLDER, "apport": "/var/crash", "abrt": "/var/spool/abrt"}
# coredump.conf(5): one main file, the first that is found; drop-ins by file name, of which the last folder's counts.
MAIN_FOLDERS = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd")
IN_CONTAINER = (".dockerenv", "run/.containerenv", "run/systemd/container", "var/run/secrets/kubernetes.io")
EXTRAS = {"symbols": "symbolic", "cluster": "distributed"}
UNLIMITED = -1


@dataclass(frozen=True)
class HostFacts:
    """Null is not known. Limits and sizes are in bytes; a limit of UNLIMITED is none."""

    container: str | None  # what tells it; empty: none
    core_pattern: str | None
    handler_exists: bool | None  # of a core_pattern that is a pipe
    core_pipe_limit: int | None
    core_uses_pid: int | None
    suid_dumpable: int | None
    coredump_filter: int | None
    core_limit: tuple[int, int] | None  # soft, hard
    systemd_limit: str | None  # DefaultLimitCORE; empty: not set, or systemd does not run here
    coredump_conf: dict[str, str] | None
    core_folder: str | None  # empty: no one folder
    core_folder_exists: bool | None
    core_disk: tuple[int, int] | None  # free, size
    cores: tuple[int, int] | None  # tried, and of these not readable
    binary_store: str
    binaries: int
    debuginfod: tuple[str, ...]
    extras: dict[str, bool]


@dataclass(frozen=True)
class Host:
    """The files of a host, below a root."""

    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Where a path of that host lies here."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """The beginning of a file; null where it cannot be read."""
        try:
            with self.at(path).open("rb") as file:
                return file.read(LONGEST_FILE).decode("utf-8", "backslashreplace")
        except OSError:
            return None

    def number(self, path: str, base: int = 10) -> int | None:
        """The number that a file holds."""
        try:
            return int(self.text(path) or "", base)
        except ValueError:
            return None

    def settings(self, name: str, section: str) -> dict[str, str]:
        """What systemd's `name.conf` and its drop-ins set."""
        main = next((text for one in MAIN_FOLDERS if (text := self.text(f"{one}/{name}.conf")) is not None), "")
        drop_ins = {}
        for folder in reversed(MAIN_FOLDERS):
            place = f"{folder}/{name}.conf.d"
            drop_ins.update({one: f"{place}/{one}" for one in self._names(place) if one.endswith(".conf")})
        texts = [self.text(path) or "" for _, path in sorted(drop_ins.items())]
        return settings([main, *texts], section)

    def _names(self, folder: str) -> list[str]:
        try:
            with os.scandir(self.at(folder)) as entries:
                return [entry.name for entry in islice(entries, MOST_NAMES)]
        except OSError:
            return []


def host_facts(host: Host, binary_store: str, debuginfod: tuple[str, ...]) -> HostFacts:
    """All that the checks of a host ask for. The store and the servers are those of this command."""
    container = _container(host)
    pattern = host.text("proc/sys/kernel/core_pattern")
    pattern = None if pattern is None else pattern.rstrip("\n")
    folder = None if pattern is None else core_folder(pattern)
    outside = container != ""  # of the host, whose files are not those of this container
    there = None if outside or folder is None else folder != "" and host.at(folder).is_dir()
    return HostFacts(
        container=container,
        core_pattern=pattern,
        handler_exists=None if outside or pattern is None else _handler_exists(host, pattern),
        core_pipe_limit=host.number("proc/sys/kernel/core_pipe_limit"),
        core_uses_pid=host.number("proc/sys/kernel/core_uses_pid"),
        suid_dumpable=host.number("proc/sys/fs/suid_dumpable"),
        coredump_filter=host.number("proc/self/coredump_filter", 16),
        core_limit=_core_limit(host.text("proc/self/limits") or ""),
        systemd_limit=None if outside else _systemd_limit(host),
        coredump_conf=None if outside else host.settings("coredump", "Coredump"),
        core_folder=folder,
        core_folder_exists=there,
        core_disk=_disk(host.at(folder)) if folder and there else None,
        cores=_readable(host.at(folder)) if folder and there else None,
        binary_store=binary_store,
        binaries=_binaries(Path(binary_store)),
        debuginfod=debuginfod,
        extras={name: find_spec(module) is not None for name, module in EXTRAS.items()},
    )


def core_folder(pattern: str) -> str:
    """The one folder that core dumps of this core_pattern are written to; empty where there is none."""
    if pattern.startswith("|"):
        return next((folder for name, folder in FOLDERS.items() if name in pattern.split(" ")[0]), "")
    folder = os.path.dirname(pattern)
    return folder if pattern.startswith("/") and "%" not in folder else ""


def _container(host: Host) -> str | None:
    for path in IN_CONTAINER:
        if os.path.lexists(host.at(path)):
            return f"/{path}"
    groups = host.text("proc/1/cgroup")
    if groups is None:
        return None
    return "/proc/1/cgroup" if re.search(r"docker|kubepods|containerd|libpod|lxc", groups) else ""


def _handler_exists(host: Host, pattern: str) -> bool:
    return pattern.startswith("|") and host.at(pattern[1:].split(" ")[0]).exists()


def _core_limit(limits: str) -> tuple[int, int] | None:
    match = re.search(r"^Max core file size +(unlimited|\d+) +(unlimited|\d+)", limits, re.MULTILINE)
    if match is None:
        return None
    soft, hard = (UNLIMITED if one == "unlimited" else int(one) for one in match.groups())
    return soft, hard


def _systemd_limit(host: Host) -> str | None:
    name = host.text("proc/1/comm")
    if name is None:
        return None
    return host.settings("system", "Manager").get("DefaultLimitCORE", "") if name.strip() == "systemd" else ""


def _disk(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


def _readable(folder: Path) -> tuple[int, int] | None:
    try:
        with os.scandir(folder) as entries:
            files = [entry.path for entry in islice(entries, MOST_CORES) if entry.is_file(follow_symlinks=False)]
    except OSError:
        return None
    return len(files), sum(not os.access(path, os.R_OK) for path in files)


def _binaries(store: Path) -> int:
    found = (entry for entry in store.glob(".build-id/??/*") if not entry.name.endswith(".debug"))
    return sum(1 for _ in islice(found, MOST_NAMES))
