"""Where and when a specimen says it happened: sidecar, extended attributes, file name, modification time.

A Linux core dump holds neither time nor host, so each comes with its source, best first. A modification time never
dates an onset: a copied core has the time of the copy.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from broadstreet.errors import UsageError
from broadstreet.formats.collectors import XATTR_PREFIX, XATTRS, Collected, from_attributes, from_name
from broadstreet.records.exposure import Circumstances, HostSource, TimeSource

LONGEST_SIDECAR = 1 << 20


class Sidecar(msgspec.Struct, frozen=True):
    """NAME.json beside a core dump; all optional, unknown keys are ignored."""

    time: datetime | None = None
    host: str | None = None
    pid: int | None = None
    service: str | None = None
    service_release: str | None = None
    workload: str | None = None
    region: str | None = None
    labels: dict[str, str] = {}


def circumstances(path: str) -> Circumstances:
    """What stands beside and around the core dump at this path."""
    sidecar = _sidecar(path)
    attributes = from_attributes(_attributes(path))
    name = from_name(os.path.basename(path))
    time, time_source = _time(path, sidecar, attributes, name)
    host, host_source = _host(sidecar, attributes)
    return Circumstances(
        path=path,
        executable=attributes.executable or attributes.comm or name.comm,
        pid=_first(sidecar.pid, attributes.pid, name.pid),
        uid=_first(attributes.uid, name.uid),
        time=time,
        time_source=time_source,
        host=host,
        host_source=host_source,
        boot_id=name.boot_id,
        service=sidecar.service,
        service_release=sidecar.service_release,
        workload=sidecar.workload,
        region=sidecar.region,
        labels=tuple(sorted(sidecar.labels.items())),
    )


def _sidecar(path: str) -> Sidecar:
    place = Path(f"{path}.json")
    try:
        if not place.is_file() or place.stat().st_size > LONGEST_SIDECAR:
            return Sidecar()
        sidecar = msgspec.json.decode(place.read_bytes(), type=Sidecar)
        return msgspec.structs.replace(sidecar, time=sidecar.time and _utc(sidecar.time))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:  # deep nests, year 10000
        raise UsageError(f"{place}: {error}", "Mend or remove the sidecar file.") from error
    except OSError:
        return Sidecar()


def _attributes(path: str) -> dict[str, str]:
    found = {}
    try:
        present = set(os.listxattr(path))
    except OSError:
        return {}
    for name in XATTRS:
        if XATTR_PREFIX + name in present:
            try:
                found[name] = os.getxattr(path, XATTR_PREFIX + name).decode("utf-8", "backslashreplace").rstrip("\0")
            except OSError:
                continue
    return found


def _time(path: str, sidecar: Sidecar, attributes: Collected, name: Collected) -> tuple[str | None, TimeSource]:
    if sidecar.time is not None:
        return _iso(sidecar.time), "sidecar"
    for collected, source in ((attributes, "xattr"), (name, "file_name")):
        if collected.time_microseconds is not None:
            try:
                return _iso(datetime.fromtimestamp(collected.time_microseconds / 1e6, UTC)), source  # type: ignore[return-value]
            except (OverflowError, ValueError):
                continue
    try:
        return _iso(datetime.fromtimestamp(os.stat(path).st_mtime, UTC)), "mtime"
    except (OSError, OverflowError, ValueError):
        return None, "unknown"


def _host(sidecar: Sidecar, attributes: Collected) -> tuple[str | None, HostSource]:
    if sidecar.host is not None:
        return sidecar.host, "sidecar"
    return (attributes.host, "xattr") if attributes.host is not None else (None, "unknown")


def _utc(stamp: datetime) -> datetime:
    return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _iso(stamp: datetime) -> str:
    return stamp.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
