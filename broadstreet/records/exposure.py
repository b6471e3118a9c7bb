"""Where and when a crash happened. Labels never see this."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

TimeSource = Literal["sidecar", "xattr", "layout", "collector", "file_name", "mtime", "unknown"]
HostSource = Literal["sidecar", "xattr", "layout", "collector", "file_name", "unknown"]


SIMULATED = ("fleet", "simulated")
"""The label of a sidecar that says so: the crash is real and was made in the lab, where and when it is made up."""


class UptimeBand(NamedTuple):
    """Hosts that have been up for less than this, and not for less than the band before; null: for longer."""

    name: str
    below_seconds: int | None


UPTIME_BANDS = (
    UptimeBand("under an hour", 3600),
    UptimeBand("under a day", 86_400),
    UptimeBand("under 7 days", 7 * 86_400),
    UptimeBand("under 30 days", 30 * 86_400),
    UptimeBand("30 days and more", None),
)


@dataclass(frozen=True)
class Circumstances:
    """The exposure of one specimen; null is not observed. `cpu` and `numa_node` are where the thread last ran."""

    path: str
    executable: str | None = None
    pid: int | None = None
    tid: int | None = None
    uid: int | None = None
    cpu: int | None = None
    numa_node: int | None = None
    kernel_release: str | None = None
    time: str | None = None
    time_source: TimeSource = "unknown"
    host: str | None = None
    host_source: HostSource = "unknown"
    boot_id: str | None = None
    service: str | None = None
    service_release: str | None = None
    workload: str | None = None
    region: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
