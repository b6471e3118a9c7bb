"""Keep what reading needs of binaries, by build id: headers, code, unwind tables and names; no debug sections.

An entry is a valid ELF file of the same layout, with everything else left as holes, so that the same reader serves it
and a sparse file costs only what was kept.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import elf
from broadstreet.formats.binary import Binary
from broadstreet.sources.binaries import build_id_of, files_below

KEPT_SECTIONS = (
    ".symtab",
    ".strtab",
    ".dynsym",
    ".dynstr",
    ".eh_frame",
    ".eh_frame_hdr",
    ".gnu_debugdata",
    ".shstrtab",
)
STORE_VARIABLE = "BROADSTREET_BINARIES"


def store_path() -> str:
    """The folder of the binary store: BROADSTREET_BINARIES, else the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get(STORE_VARIABLE) or os.path.join(cache, "broadstreet", "binaries")


class Added(NamedTuple):
    """What happened to one file; `reason` is null where it was kept."""

    path: str
    build_id: str | None
    reason: str | None


def add(place: str, store: str) -> Iterator[Added]:
    """Keep every binary below a folder, or one file."""
    root = Path(place)
    for path in files_below(root) if root.is_dir() else [root]:
        if not _is_elf(path):
            continue
        build_id = build_id_of(path)
        if build_id is None:
            yield Added(str(path), None, "no build id, or no code")
            continue
        try:
            _keep(path, Path(store) / ".build-id" / build_id[:2] / build_id[2:])
        except (OSError, UnreadableSpecimen) as error:
            yield Added(str(path), build_id, str(error))
            continue
        yield Added(str(path), build_id, None)


def _is_elf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(18)
    except OSError:
        return False
    return head[:4] == elf.MAGIC and head[16:18] in (b"\x02\0", b"\x03\0")


def _keep(path: Path, target: Path) -> None:
    if target.exists():
        return
    data = path.read_bytes()
    binary = Binary(data)
    head = elf.header(data)
    pieces = [(0, 64), (head.program_headers, 56 * head.program_header_count)]
    pieces.append((head.section_headers, 64 * head.section_header_count))
    pieces += [(s.offset, s.file_size) for s in binary.loads if not s.flags & elf.PF_W]
    pieces += [
        (h.offset, h.size) for name, h in binary.sections() if name in KEPT_SECTIONS and h.type != elf.SHT_NOBITS
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    with partial.open("wb") as file:
        for offset, size in pieces:
            if offset < len(data):
                file.seek(offset)
                file.write(data[offset : offset + size])
        file.truncate(len(data))
    shutil.move(partial, target)
