"""Function names for people: demangled, without what nobody reads."""

from functools import lru_cache

LONGEST = 2000  # a mangled name beyond this is shown as it is: the demangler recurses


@lru_cache(maxsize=16384)
def demangled(name: str) -> str:
    """The name as its author wrote it; as stored where it is not a C++ or old Rust name, or is damaged."""
    if not name.startswith("_Z") or len(name) > LONGEST:
        return name
    from itanium_demangler import parse

    try:
        tree = parse(name)
    except (NotImplementedError, ValueError, IndexError, RecursionError, AttributeError, TypeError):
        return name
    return name if tree is None else str(tree)
