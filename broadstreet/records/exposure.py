"""Where and when a crash happened. Labels never see this."""

from dataclasses import dataclass
from typing import Literal

TimeSource = Literal["sidecar", "xattr", "layout", "collector", "file_name", "mtime", "unknown"]
HostSource = Literal["sidecar", "xattr", "layout", "collector", "file_name", "unknown"]


SIMULATED = ("fleet", "simulated")
"""The label of a sidecar that says so: the crash is real and was made in the lab, where and when it is made up."""


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
