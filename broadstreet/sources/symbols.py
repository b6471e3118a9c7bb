"""file:line and inlined functions, with the optional extra `[symbols]` (symbolic). Nothing depends on it."""

from functools import lru_cache
from typing import Any

from broadstreet.formats.binary import Binary
from broadstreet.records.line import Line


def available() -> bool:
    """Whether the extra is installed."""
    try:
        import symbolic  # noqa: F401
    except ImportError:
        return False
    return True


def lines(binary: Binary, address: int) -> list[Line]:
    """The source lines at a link-time address, innermost first; empty without debug information or the extra."""
    cache = _symcache(binary.path) if binary.path and available() else None
    if cache is None:
        return []
    found = [Line(one.symbol, one.full_path or "", one.line) for one in cache.lookup(address)]
    return [line for line in found if line.line]


@lru_cache(maxsize=64)
def _symcache(path: str) -> Any:
    from symbolic.debuginfo import Archive
    from symbolic.exceptions import SymbolicError

    try:
        for one in Archive.open(path).iter_objects():
            if "debug" in one.features:
                return one.make_symcache()
    except (SymbolicError, OSError):
        return None
    return None
