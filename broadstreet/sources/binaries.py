"""Binaries by build id, or by the path that they were mapped from.

Sources, in order: what was looked up before; folders given by the operator (a `.build-id` tree, a sysroot, or a plain
folder, indexed once); the store that `broadstreet binaries add` fills; the path itself on this machine; debuginfod
where configured. A binary is used only if its build id is the wanted one; the reader checks again.
"""

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import elf
from broadstreet.formats.binary import Binary, Tables
from broadstreet.records.wanted import BinaryWanted
from broadstreet.sources.debuginfod import Debuginfod
from broadstreet.sources.table_cache import TableCache

LONGEST_INDEX = 200_000  # files of a plain folder; a whole sysroot has about this many
HEAD_BYTES = 4096
COMPRESSED = ".zst"  # entries of a `.build-id` tree may be compressed
LONGEST_UNPACKED = 1 << 30
MOST_WINDOW = 128 << 20


class Binaries:
    """Finds binaries and keeps them open. One per process; never shared between processes."""

    def __init__(self, folders: Sequence[str] = (), store: str | None = None, debuginfod: Sequence[str] = ()) -> None:
        self._folders = [Path(folder) for folder in folders]
        self._store = Path(store) if store else None
        self._debuginfod = Debuginfod(debuginfod, self._store) if debuginfod else None
        self._tables = TableCache(self._store / "tables") if self._store else None
        self._by_id: dict[str, Binary | None] = {}
        self._by_path: dict[str, tuple[tuple[int, int, int], Binary | None]] = {}
        self._index: dict[str, Path] | None = None

    def find(self, wanted: BinaryWanted) -> Binary | None:
        """The binary with this build id; by path alone where no build id is known."""
        if wanted.build_id is None:
            return self._at_path(wanted.path)
        if wanted.build_id not in self._by_id:
            self._by_id[wanted.build_id] = self._search(wanted)
        return self._by_id[wanted.build_id]

    def _search(self, wanted: BinaryWanted) -> Binary | None:
        build_id = wanted.build_id or ""
        for candidate in self._candidates(build_id):
            binary = self._opened(candidate)
            if binary is not None and binary.build_id == build_id:
                return binary
        at_path = self._at_path(wanted.path)
        if at_path is not None and at_path.build_id == build_id:
            return at_path
        if self._debuginfod is not None:
            fetched = self._debuginfod.executable(build_id)
            binary = self._opened(fetched) if fetched else None
            return binary if binary is not None and binary.build_id == build_id else None
        return None

    def _opened(self, path: Path) -> Binary | None:
        return _opened(path, self._tables)

    def _candidates(self, build_id: str) -> list[Path]:
        if len(build_id) < 3:
            return []
        relative = Path(".build-id") / build_id[:2] / build_id[2:]
        places = [folder / f"{relative}{suffix}" for folder in self._folders for suffix in ("", COMPRESSED)]
        places += [folder / "usr/lib/debug" / relative for folder in self._folders]
        if self._store is not None:
            places.append(self._store / relative)
        found = [place for place in places if place.is_file()]
        indexed = self._indexed().get(build_id)
        return [*found, indexed] if indexed is not None else found

    def _indexed(self) -> dict[str, Path]:
        if self._index is None:
            self._index = {}
            for folder in self._folders:
                for path in files_below(folder):
                    build_id = build_id_of(path)
                    if build_id is not None:
                        self._index.setdefault(build_id, path)
        return self._index

    def _at_path(self, path: str) -> Binary | None:
        clean = path.removesuffix(" (deleted)")
        if not clean.startswith("/"):
            return None
        for place in [*(f"{folder}{clean}" for folder in self._folders), clean]:
            try:
                status = os.stat(place)
            except (OSError, ValueError):
                continue
            key = (status.st_ino, status.st_size, status.st_mtime_ns)
            kept = self._by_path.get(place)
            if kept is None or kept[0] != key:
                kept = self._by_path[place] = (key, self._opened(Path(place)))
            if kept[1] is not None:
                return kept[1]
        return None


def build_id_of(path: Path) -> str | None:
    """The build id of a file with code; null where it is another file, or has none."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        return elf.build_id(head) if elf.has_code(head) else None
    except (OSError, UnreadableSpecimen):
        return None


def _opened(path: Path, tables: Tables | None) -> Binary | None:
    try:
        if not path.is_file() or path.stat().st_size < elf.ELF_HEADER.size:
            return None  # asked before it is opened: a core dump may name a pipe, which would wait for a writer
        with path.open("rb") as file:
            if path.suffix == COMPRESSED:
                return Binary(_unpacked(file), None, tables)
            return Binary(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ), str(path), tables)
    except (OSError, ValueError, EOFError, UnreadableSpecimen):
        return None


def _unpacked(file: BinaryIO) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW).stream_reader(file, closefd=False) as reader:
            data = reader.read(LONGEST_UNPACKED + 1)
    except zstandard.ZstdError as error:
        raise EOFError(str(error)) from error
    if len(data) > LONGEST_UNPACKED:
        raise EOFError("longer than any binary")
    return bytes(data)


def files_below(folder: Path) -> list[Path]:
    """Every regular file below a folder, up to a bound."""
    found: list[Path] = []
    for parent, _folders, names in os.walk(folder):
        found += [Path(parent, name) for name in names]
        if len(found) > LONGEST_INDEX:
            break
    return [path for path in found if path.is_file() and not path.is_symlink()]
