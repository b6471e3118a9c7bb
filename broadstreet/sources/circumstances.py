"""Where and when a specimen says it happened.

What was written for us counts first: sidecar, extended attributes, the layout of the source, what the collector wrote
beside or around the core dump, the file name, the modification time.

A Linux core dump holds neither time nor host, so each comes with its source, best first. A modification time never
dates an onset: a copied core has the time of the copy.
"""

import os
from datetime import UTC, datetime

import msgspec

from broadstreet.errors import UsageError
from broadstreet.formats.collectors import XATTR_PREFIX, XATTRS, Collected, from_attributes, from_name
from broadstreet.records.exposure import Circumstances, HostSource, TimeSource
from broadstreet.records.specimen import Specimen
from broadstreet.sources.objects import is_remote
from broadstreet.sources.specimens import asked_sidecar, specimen_at


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
    specimen = specimen_at(path)
    return circumstances_of(specimen, Collected(), asked_sidecar(specimen)())


def circumstances_of(specimen: Specimen, said: Collected, beside: bytes | None) -> Circumstances:
    """What its sidecar, attributes, listing, collector and name say, in this order; `said` is the collector's part."""
    path = specimen.location
    sidecar = Sidecar() if beside is None else _sidecar(specimen.sidecar or f"{path}.json", beside)
    local = not is_remote(path)
    attributes = from_attributes(_attributes(path) if local else {})
    name = from_name(path.rpartition("/")[2])
    given = specimen.given or Circumstances(path=path)
    time, time_source = _time(path, sidecar, attributes, given, said, name)
    host, host_source = _host(sidecar, attributes, given, said)
    return Circumstances(
        path=path,
        executable=attributes.executable or said.executable or attributes.comm or said.comm or name.comm,
        pid=_first(sidecar.pid, attributes.pid, given.pid, said.pid, name.pid),
        tid=_first(attributes.tid, said.tid),
        uid=_first(attributes.uid, said.uid, name.uid),
        kernel_release=said.kernel_release,
        time=time,
        time_source=time_source,
        host=host,
        host_source=host_source,
        boot_id=name.boot_id,
        service=sidecar.service or given.service,
        service_release=sidecar.service_release or given.service_release,
        workload=sidecar.workload or given.workload,
        region=sidecar.region or given.region,
        labels=tuple(
            sorted({**dict(said.labels), **dict(given.labels), **dict(attributes.labels), **sidecar.labels}.items())
        ),
    )


def _sidecar(place: str, content: bytes) -> Sidecar:
    try:
        sidecar = msgspec.json.decode(content, type=Sidecar)
        return msgspec.structs.replace(sidecar, time=sidecar.time and _utc(sidecar.time))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:  # deep nests, year 10000
        raise UsageError(f"{place}: {error}", "Mend or remove the sidecar file.") from error


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


def _time(
    path: str, sidecar: Sidecar, attributes: Collected, given: Circumstances, said: Collected, name: Collected
) -> tuple[str | None, TimeSource]:
    if sidecar.time is not None:
        return _iso(sidecar.time), "sidecar"
    if (stamp := _microseconds(attributes)) is not None:
        return stamp, "xattr"
    if given.time is not None and given.time_source == "layout":
        return given.time, "layout"
    if (stamp := _microseconds(said)) is not None:
        return stamp, "collector"
    if (stamp := _microseconds(name)) is not None:
        return stamp, "file_name"
    if given.time is not None:
        return given.time, given.time_source
    try:
        return _iso(datetime.fromtimestamp(os.stat(path).st_mtime, UTC)), "mtime"
    except (OSError, OverflowError, ValueError):
        return None, "unknown"


def _microseconds(collected: Collected) -> str | None:
    try:
        stamp = collected.time_microseconds
        return None if stamp is None else _iso(datetime.fromtimestamp(stamp / 1e6, UTC))
    except (OverflowError, ValueError):
        return None


def _host(
    sidecar: Sidecar, attributes: Collected, given: Circumstances, said: Collected
) -> tuple[str | None, HostSource]:
    if sidecar.host is not None:
        return sidecar.host, "sidecar"
    if attributes.host is not None:
        return attributes.host, "xattr"
    if given.host is not None:
        return given.host, given.host_source
    return (said.host, "collector") if said.host is not None else (None, "unknown")


def _utc(stamp: datetime) -> datetime:
    return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _iso(stamp: datetime) -> str:
    return stamp.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
