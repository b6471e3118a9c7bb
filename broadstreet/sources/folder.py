"""Which files of a folder are core dumps: by their first bytes, not by their names."""

import os
import re
from collections.abc import Collection, Iterator

from broadstreet.formats import apport, elf, handler_zip, zip_archive
from broadstreet.formats.collectors import (
    PROBLEM_CORE,
    PROBLEM_ELEMENTS,
    PROBLEM_MARKS,
    Collected,
    from_elements,
)
from broadstreet.sources.compression import SUFFIXES, compression

NEVER = ("core_backtrace",)  # ABRT's, which is text
_CORE_WORD = re.compile(r"(?:^|[^A-Za-z])core(?:dump|[^A-Za-z]|$)")
LONGEST_ELEMENT = 4 << 10


def core_dumps(place: str) -> Iterator[str]:
    """Every core dump below a folder, sorted, or the file itself. Links are not followed; other files are left out."""
    if not os.path.isdir(place):
        yield place
        return
    for parent, folders, names in os.walk(place):
        folders.sort()
        problem = _is_problem(names)
        for name in sorted(names):
            path = os.path.join(parent, name)
            if _is_problem_core(name) if problem else _is_candidate(path, name):
                yield path


def is_named_like_one(name: str) -> bool:
    """Whether a name alone is that of a core dump, or of what holds one; for a listing that shows no bytes."""
    held = name.endswith(".crash") or handler_zip.is_named_like_one(name)
    return held or _is_named_core(name) or (_CORE_WORD.search(name) is not None and not _is_never(name))


def problem_elements(path: str) -> Collected | None:
    """What ABRT's files beside a core dump say; null where it does not lie in a problem folder."""
    parent, name = os.path.split(path)
    if not _is_problem_core(name) or not all(os.path.isfile(os.path.join(parent, mark)) for mark in PROBLEM_MARKS):
        return None
    elements = {}
    for element in PROBLEM_ELEMENTS:
        try:
            with open(os.path.join(parent, element), "rb") as file:
                elements[element] = file.read(LONGEST_ELEMENT).decode("utf-8", "backslashreplace").strip()
        except OSError:
            continue
    return from_elements(elements)


def _is_never(name: str) -> bool:
    return name.endswith((".json", ".jsonl")) or name in NEVER


def _is_named_core(name: str) -> bool:
    if _is_never(name):
        return False
    return name.startswith("core") or ".core" in name or (name.endswith(SUFFIXES) and "core" in name)


def _is_problem(names: Collection[str]) -> bool:
    return all(mark in names for mark in PROBLEM_MARKS) and any(map(_is_problem_core, names))


def _is_problem_core(name: str) -> bool:
    return name == PROBLEM_CORE or (name.startswith(f"{PROBLEM_CORE}.") and name.endswith(SUFFIXES))


def _is_candidate(path: str, name: str) -> bool:
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return False
        with open(path, "rb", buffering=0) as file:
            head = file.read(len(apport.CRASH))
    except OSError:
        return True  # named as unreadable by the scan
    if head[:4] == elf.MAGIC:
        return len(head) < 18 or head[16] == elf.ET_CORE
    if head.startswith(apport.MAGIC):
        return head == apport.CRASH
    if head.startswith(zip_archive.MAGIC):
        return handler_zip.is_named_like_one(name)
    return _is_named_core(name) or (compression(head) is not None and "core" in name)
