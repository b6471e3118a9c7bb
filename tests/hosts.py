"""Made-up hosts: the files below a root that is none."""

from collections.abc import Mapping
from pathlib import Path

from broadstreet.sources.host import Host

LIMITS = (
    "Limit                     Soft Limit           Hard Limit           Units     \n"
    "Max core file size        unlimited            unlimited            bytes     \n"
)
# A host where nothing is lacking: systemd-coredump as Debian installs it.
WELL = {
    "proc/sys/kernel/core_pattern": "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h\n",
    "proc/sys/kernel/core_pipe_limit": "16\n",
    "proc/sys/kernel/core_uses_pid": "1\n",
    "proc/sys/fs/suid_dumpable": "2\n",
    "proc/self/coredump_filter": "00000033\n",
    "proc/self/limits": LIMITS,
    "proc/1/cgroup": "0::/init.scope\n",
    "proc/1/comm": "systemd\n",
    "usr/lib/systemd/systemd-coredump": "",
    "var/lib/systemd/coredump/.keep": "",
    "etc/systemd/coredump.conf": "[Coredump]\n#Storage=external\n",
}


def made_up(root: Path, files: Mapping[str, str]) -> Host:
    """A host like WELL, but for these files."""
    for name, text in {**WELL, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Host(root)
