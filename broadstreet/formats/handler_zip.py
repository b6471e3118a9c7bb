"""What IBM's core-dump-handler writes beside a core dump into its zip: core-dump-composer/src/config.rs, main.rs.

Members are NAME-dump-info.json, NAME.core, and, where the container runtime answered, NAME-pod-info.json (of `crictl
pods`), NAME-ps-info.json (of `crictl ps`) and NAME-N-image-info.json; NAME is a template that an operator may change.
`hostname` is the pod's, `node_hostname` the machine's. NAME-runtime-info.json holds the environment, and NAME-N.log
what the program said: neither is read.
"""

import re
from typing import Any

import msgspec

from broadstreet.formats.collectors import Collected

Place = tuple[str | int, ...]

DUMP_INFO, POD_INFO, PS_INFO, IMAGE_INFO = "-dump-info.json", "-pod-info.json", "-ps-info.json", "-image-info.json"
TOLD = (DUMP_INFO, POD_INFO, PS_INFO, IMAGE_INFO)
HOST: tuple[str, Place] = (DUMP_INFO, ("node_hostname",))
TIME: tuple[str, Place] = (DUMP_INFO, ("timestamp",))  # %t: seconds since 1970
PID: tuple[str, Place] = (DUMP_INFO, ("real_pid",))
COMM: tuple[str, Place] = (DUMP_INFO, ("exe",))
EXECUTABLE: tuple[str, Place] = (DUMP_INFO, ("path",))  # %E: with ! for each /
LABELS: tuple[tuple[str, str, Place], ...] = (
    ("pod", POD_INFO, ("metadata", "name")),
    ("namespace", POD_INFO, ("metadata", "namespace")),
    ("container", PS_INFO, ("containers", 0, "metadata", "name")),
    ("image", IMAGE_INFO, ("repoTags", 0)),
    ("image", PS_INFO, ("containers", 0, "image", "image")),
)
_ZIP = re.compile(r"-dump-\d{9,}-.*\.zip$")


def is_named_like_one(name: str) -> bool:
    """Whether a file name is one that its default template gives, or says that it holds a core dump."""
    return _ZIP.search(name) is not None or (name.endswith(".zip") and "core" in name)


def is_core(member: str) -> bool:
    """Whether this member is the core dump."""
    return member.endswith(".core")


def is_told(member: str) -> bool:
    """Whether this member is one of those that say where and when."""
    return member.endswith(TOLD)


def said(texts: dict[str, bytes]) -> Collected:
    """What these members say, each by its name; what does not have the expected form says nothing."""
    known: dict[str, Any] = {}
    for name, text in texts.items():
        kind = next(ending for ending in TOLD if name.endswith(ending))
        try:
            known.setdefault(kind, msgspec.json.decode(text))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    seconds, pid, path = (_text(known, *place) for place in (TIME, PID, EXECUTABLE))
    labels: dict[str, str] = {}
    for label, kind, place in LABELS:
        value = _text(known, kind, place)
        if value and value != "unknown":
            labels.setdefault(label, value)
    return Collected(
        comm=_text(known, *COMM),
        pid=_number(pid),
        host=_text(known, *HOST),
        executable=path.replace("!", "/") if path else None,
        time_microseconds=None if (stamp := _number(seconds)) is None else stamp * 1_000_000,
        labels=tuple(sorted(labels.items())),
    )


def _text(known: dict[str, Any], kind: str, place: Place) -> str | None:
    value = known.get(kind)
    for step in place:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 13 else None
