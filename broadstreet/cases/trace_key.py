"""The exact key of a trace: its trusted frames, so written that every build of the same code writes them alike.

A function keeps the name that the linker gives it, without what a compiler adds when it clones one (`.cold`, `.isra.0`)
or a linker when it calls through a table (`@plt`). Where no name is known, the module's file name without its minor
version and the offset stand for it. Recursion is folded. Not part of the key: a program counter in no module, and one
that the unwinder could not leave but by searching the stack, since a wild jump leads anywhere. What an unwound signal
handler interrupted stands behind `<signal>`. Where the innermost frame does not count, or none was unwound but only
searched for, the calls that had just returned (`below_sp`) join the key, marked `~`: the function that returned astray
stands only there.

The key knows no rules and no population, so it never changes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
from numpy.typing import NDArray

SIGNAL = "<signal>"
BELOW = "~"
KEY_BYTES = 8
LONGEST_CYCLE = 4  # frames of mutual recursion that are folded
SIGNAL_FRAME = 1  # of `kinds` (records/columns.py)
NO_TRACE = -1

_CLONE = re.compile(r"(?:\.(?:cold|part|isra|constprop|lto_priv|localalias|llvm|clone)(?:\.\d+)*)+$")
_VERSIONED = re.compile(r"@@?[\w.]*$")
_RUST_HASH = re.compile(r"(?:17h[0-9a-f]{16}E|::h[0-9a-f]{16})$")
_DESTRUCTOR = re.compile(r"D[0-2]Ev$")  # the complete, the deleting and the base form are one function to its author
_SONAME = re.compile(r"(\.so\.\d+)[.\d]*$")
_DASHED = re.compile(r"-\d[.\d]*\.so$")


@dataclass(frozen=True, eq=False)
class Keyed:
    """The exact key of each trace, as a code into `keys`; -1: it has no trusted frame. `frames` go with `keys`."""

    codes: NDArray[np.int32]
    keys: Sequence[str]
    frames: Sequence[tuple[str, ...]]


@lru_cache(maxsize=1 << 16)
def plain_function(name: str) -> str:
    """A function without what compilers and linkers append to it."""
    plain = _CLONE.sub("", _VERSIONED.sub("", name))
    return _DESTRUCTOR.sub("D1Ev", _RUST_HASH.sub("", plain)) or name


@lru_cache(maxsize=1 << 12)
def plain_module(path: str) -> str:
    """A file name without folder and minor version."""
    name = path.removesuffix(" (deleted)").rsplit("/", 1)[-1]
    return _DASHED.sub(".so", _SONAME.sub(r"\1", name))


def folded(frames: Sequence[int]) -> tuple[int, ...]:
    """Frames in which what calls itself, at once or in a circle, stands once."""
    kept = list(frames)
    for length in range(1, LONGEST_CYCLE + 1):
        if len(set(kept)) == len(kept):
            break
        at = length
        while at + length <= len(kept):
            if kept[at : at + length] == kept[at - length : at]:
                del kept[at : at + length]
            else:
                at += 1
    return tuple(kept)


def key_of(frames: Sequence[str]) -> str:
    """The exact key of normalised frames."""
    return blake2b("\n".join(frames).encode("utf-8", "backslashreplace"), digest_size=KEY_BYTES).hexdigest()


def keyed(traces: pa.Table) -> Keyed:
    """The exact keys of rows of the table `traces`."""
    tokens, names = _tokens(traces)
    bounds = _bounds(traces["parts"])
    codes = np.full(traces.num_rows, NO_TRACE, np.int32)
    as_read: dict[bytes, int] = {}
    by_frames: dict[tuple[int, ...], int] = {}
    for row, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
        own = tokens[start:end]
        read = own.tobytes()
        code = as_read.get(read)
        if code is None:
            frames = folded([token for token in own.tolist() if token >= 0])
            code = by_frames.setdefault(frames, len(by_frames)) if frames else NO_TRACE
            as_read[read] = code
        codes[row] = code
    said = [tuple(names[token] for token in frames) for frames in by_frames]
    return Keyed(codes, [key_of(frames) for frames in said], said)


def _tokens(traces: pa.Table) -> tuple[NDArray[np.int32], list[str]]:
    """A number for each frame of all traces, -1 for one that does not count; and what the numbers mean."""
    part, trust = (_coded(traces[name]) for name in ("parts", "trusts"))
    function, module = (_coded(traces[name]) for name in ("functions", "module_paths"))
    offset = _flat(traces["offsets"]).fill_null(-1).to_numpy(zero_copy_only=False)
    signal = (_flat(traces["kinds"]).to_numpy(zero_copy_only=False) & SIGNAL_FRAME) != 0
    names: dict[str, int] = {}
    tokens = _numbered(function.codes, [plain_function(name) for name in function.values], names)
    placed = (tokens < 0) & (module.codes >= 0) & (offset >= 0)
    tokens[placed] = _places(module, offset, placed, names)
    tokens[(tokens >= 0) & signal & (part.codes == part.code("frames"))] = names.setdefault(SIGNAL, len(names))
    first = np.zeros(len(tokens), bool)
    bounds = _bounds(traces["parts"])
    starts = bounds[:-1][bounds[:-1] < bounds[1:]]
    first[starts] = True
    stack = part.codes == part.code("frames")
    scanned = (trust.codes == trust.code("stack_scan")) & stack
    followed = np.append(scanned[1:], False)
    tokens[first & (function.codes < 0) & followed] = NO_TRACE  # a jump to data, or to an address that is no code
    row = np.repeat(np.arange(traces.num_rows), np.diff(bounds))
    unwound = stack & ~scanned & (tokens >= 0)
    searched = np.bincount(row[unwound], minlength=traces.num_rows) == 0
    below = part.codes == part.code("below_sp")
    astray = np.zeros(traces.num_rows, bool)
    astray[row[starts]] = tokens[starts] < 0
    weak = below & (tokens >= 0) & (searched | astray)[row]
    tokens[~stack & ~weak] = NO_TRACE
    said = list(names)
    marked, codes = np.unique(tokens[weak], return_inverse=True)
    tokens[weak] = np.array([names.setdefault(BELOW + said[one], len(names)) for one in marked], np.int32)[codes]
    return tokens, list(names)


@dataclass(frozen=True, eq=False)
class _Coded:
    codes: NDArray[np.int32]
    values: list[str]

    def code(self, value: str) -> int:
        return self.values.index(value) if value in self.values else -2


def _flat(column: pa.ChunkedArray) -> Any:
    return column.combine_chunks().flatten() if column.num_chunks != 1 else column.chunk(0).flatten()


def _bounds(column: pa.ChunkedArray) -> NDArray[np.int64]:
    sizes = compute.list_value_length(column).fill_null(0).to_numpy()
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def _coded(column: pa.ChunkedArray) -> _Coded:
    encoded = _flat(column).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return _Coded(codes, encoded.dictionary.to_pylist())


def _numbered(codes: NDArray[np.int32], values: Sequence[str], names: dict[str, int]) -> NDArray[np.int32]:
    table = np.array([*(names.setdefault(value, len(names)) for value in values), NO_TRACE], np.int32)
    return table[codes]


def _places(
    module: _Coded, offset: NDArray[np.int64], chosen: NDArray[np.bool_], names: dict[str, int]
) -> NDArray[np.int32]:
    pairs, codes = np.unique(
        np.stack([module.codes[chosen].astype(np.int64), offset[chosen]]), axis=1, return_inverse=True
    )
    said = [f"{plain_module(module.values[m])}+{at:#x}" for m, at in pairs.T.tolist()]
    return np.array([names.setdefault(one, len(names)) for one in said], np.int32)[codes.reshape(-1)]
