"""Parsed symbol tables on disk, by build id, so that the next process need not parse them again.

Reading the symbols of libc or libstdc++ takes 4 to 5 ms, loading them from here a seventh of it. A file that is damaged
or of another version is ignored and written anew; a folder that cannot be written is no error.
"""

import os
from pathlib import Path

import msgspec

from broadstreet.formats.binary import Symbol

VERSION = 1
LONGEST = 256 << 20


class TableCache:
    """Symbol tables below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, build_id: str) -> list[Symbol] | None:
        """The symbols of a binary; null where they were never kept."""
        path = self._path(build_id)
        try:
            if path.stat().st_size > LONGEST:
                return None
            return [Symbol(name, start, size) for start, size, name in _DECODER.decode(path.read_bytes())]
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def save(self, build_id: str, symbols: list[Symbol]) -> None:
        """Keep the symbols of a binary, sorted as they are."""
        path = self._path(build_id)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(_ENCODER.encode([(s.start, s.size, s.name) for s in symbols]))
            partial.replace(path)
        except (OSError, UnicodeEncodeError):
            return

    def _path(self, build_id: str) -> Path:
        return self._folder / build_id[:2] / f"{build_id[2:]}.symbols{VERSION}"


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[tuple[int, int, str]])
