"""Settings files of systemd: sections, `Key=value`, and drop-ins that override. systemd.syntax(7), coredump.conf(5)."""

import re
from collections.abc import Iterable

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGTPE]?)B?$")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def settings(texts: Iterable[str], section: str) -> dict[str, str]:
    """The settings of one section, the last file's first in rank; an empty value gives the default back."""
    found: dict[str, str] = {}
    for text in texts:
        here = False
        for line in map(str.strip, text.splitlines()):
            if line.startswith("["):
                here = line == f"[{section}]"
            elif here and line[:1] not in ("#", ";", "") and "=" in line:
                key, _, value = (part.strip() for part in line.partition("="))
                found.pop(key, None)
                if value:
                    found[key] = value
    return found


def size(text: str) -> int | None:
    """A size in bytes; null where it has none, as `infinity`. The units are powers of 1024."""
    match = _SIZE.match(text)
    return int(float(match[1]) * 1024 ** _POWERS[match[2]]) if match else None
