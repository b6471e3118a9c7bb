"""A pattern that takes host, time, service and more out of a path: `{region}/{host}/{time:%Y-%m-%dT%H%M%S}-*`.

It is held against the whole path relative to the source. `{name}` is the shortest text without a slash that fits, `*`
any text without one, `**` any text. `{time}` is ISO 8601 or seconds since 1970, `{time:...}` a strptime format; a time
without a zone is UTC. Names that no column has become labels.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from broadstreet.errors import UsageError
from broadstreet.records.exposure import Circumstances

KNOWN = ("host", "service", "service_release", "region", "workload")
EXAMPLE = "--layout '{region}/{host}/{service}/{service_release}/{time:%Y-%m-%dT%H%M%S}-*'"
# strptime's directives, and the text that each may be; the table in the Python manual, datetime
DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "m": r"\d{1,2}",
    "d": r"\d{1,2}",
    "H": r"\d{1,2}",
    "M": r"\d{1,2}",
    "S": r"\d{1,2}",
    "f": r"\d{1,6}",
    "j": r"\d{1,3}",
    "b": r"[A-Za-z]{3}",
    "z": r"(?:Z|[+-]\d{2}:?\d{2})",
    "s": r"\d{9,11}",  # seconds since 1970, which strptime does not know
}
_FIELD = re.compile(r"\{(?P<name>[^{}:]*)(?::(?P<form>[^{}]*))?\}|(?P<any>\*\*?)|(?P<text>[^{}*]+)|(?P<stray>.)")


@dataclass(frozen=True)
class PathLayout:
    """A pattern that was understood."""

    pattern: str
    expression: re.Pattern[str]
    time_form: str | None

    def circumstances(self, name: str, bare: Circumstances) -> Circumstances | None:
        """What this path, relative to its source, says, put into `bare`; null where it does not fit the pattern."""
        match = self.expression.fullmatch(name)
        if match is None:
            return None
        found = {key: value for key, value in match.groupdict().items() if value}
        time = _iso(found.pop("time", ""), self.time_form)
        pid = found.pop("pid", "")
        known: dict[str, Any] = {key: found.pop(key) for key in KNOWN if key in found}
        placed = replace(bare, **known, labels=tuple(sorted({**dict(bare.labels), **found}.items())))
        if "host" in known:
            placed = replace(placed, host_source="layout")
        if pid.isascii() and pid.isdigit() and len(pid) < 11:
            placed = replace(placed, pid=int(pid))
        return replace(placed, time=time, time_source="layout") if time else placed


def path_layout(pattern: str) -> PathLayout:
    """The layout that a pattern means; a UsageError where it means none."""
    expression, form = "", None
    names: set[str] = set()
    for part in _FIELD.finditer(pattern):
        name = part["name"]
        if part["text"]:
            expression += re.escape(part["text"])
        elif part["any"]:
            expression += ".*" if part["any"] == "**" else "[^/]*"
        elif name is None or not name.isidentifier() or (part["form"] is not None and name != "time"):
            raise UsageError(f"--layout {pattern}: {part[0]} is no field", EXAMPLE)
        elif name in names:
            raise UsageError(f"--layout {pattern}: {{{name}}} stands there twice", "Name one of them otherwise, or *.")
        else:
            names.add(name)
            form = part["form"] or form
            text = _expression(pattern, part["form"]) if part["form"] else "[^/]+?"
            expression += f"(?P<{name}>{text})"
    if not names:
        raise UsageError(f"--layout {pattern} names nothing", EXAMPLE)
    return PathLayout(pattern, re.compile(expression, re.DOTALL), form)


def _expression(pattern: str, form: str) -> str:
    found = ""
    for piece in re.findall(r"%.?|[^%]+", form, re.DOTALL):
        if not piece.startswith("%"):
            found += re.escape(piece)
        elif piece == "%%":
            found += "%"
        elif piece[1:] in DIRECTIVES:
            found += DIRECTIVES[piece[1:]]
        else:
            raise UsageError(
                f"--layout {pattern}: {piece} is not known in a time",
                f"Known are {', '.join(f'%{d}' for d in DIRECTIVES)}.",
            )
    return found


def _iso(text: str, form: str | None) -> str | None:
    try:
        if text.isascii() and text.isdigit() and (form in (None, "%s")):
            stamp = datetime.fromtimestamp(int(text), UTC)
        else:
            stamp = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
            stamp = stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        return stamp.isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None
