"""Which files of a folder are core dumps: by their first bytes, not by their names."""

import os
from collections.abc import Iterator

from broadstreet.formats import elf
from broadstreet.sources.compression import SUFFIXES, compression


def core_dumps(place: str) -> Iterator[str]:
    """Every core dump below a folder, sorted, or the file itself. Links are not followed; other files are left out."""
    if not os.path.isdir(place):
        yield place
        return
    for parent, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            if _is_candidate(path, name):
                yield path


def is_named_like_one(name: str) -> bool:
    """Whether a name alone is that of a core dump; for a listing that shows no bytes."""
    if name.endswith((".json", ".jsonl")):
        return False
    return name.startswith("core") or ".core" in name or ("core" in name and name.endswith(SUFFIXES))


def _is_candidate(path: str, name: str) -> bool:
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return False
        with open(path, "rb", buffering=0) as file:
            head = file.read(18)
    except OSError:
        return True  # named as unreadable by the scan
    if head[:4] == elf.MAGIC:
        return len(head) < 18 or head[16] == elf.ET_CORE
    return is_named_like_one(name) or (compression(head) is not None and "core" in name)
