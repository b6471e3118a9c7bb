"""Function names for people: demangled, without what nobody reads."""

from functools import lru_cache

LONGEST = 2000  # a mangled name beyond this is shown as it is: the demangler recurses
LONGEST_SHOWN = 20_000  # and so is one that says itself over and over: 200 bytes can stand for terabytes


@lru_cache(maxsize=16384)
def demangled(name: str) -> str:
    """The name as its author wrote it; as stored where it is not a C++ or old Rust name, or is damaged.

    What a compiler cut off a function (`.cold`, `.part.0`) is a clone of it, as binutils have it.
    """
    if not name.startswith("_Z") or len(name) > LONGEST:
        return name
    whole, dot, clone = name.partition(".")
    if dot:
        shown = demangled(whole)
        return name if shown == whole else f"{shown} [clone {dot}{clone}]"
    try:
        tree = _parsed(name)
        return name if tree is None or _length(tree, {}) > LONGEST_SHOWN else str(tree)
    except (NotImplementedError, ValueError, LookupError, RecursionError, AttributeError, TypeError):
        return name


def _parsed(name: str) -> object:
    import itanium_demangler as demangler

    cursor = demangler._Cursor(name)
    resolved = cursor.resolve_subst
    known: dict[int, int] = {}
    left = LONGEST_SHOWN

    def resolve(number: int) -> object:
        nonlocal left
        node = resolved(number)
        left -= _length(node, known)
        if left < 0:
            raise ValueError("each substitution doubles the last")
        return node

    cursor.resolve_subst = resolve  # the library unfolds what was substituted, before anyone could measure it
    tree = demangler._parse_mangled_name(cursor)
    return None if tree is None else demangler._expand_arg_packs(tree)


def _length(node: object, known: dict[int, int]) -> int:
    if isinstance(node, str):
        return len(node)
    if not isinstance(node, tuple):
        return 1
    if id(node) not in known:  # a substitution is the same object again
        known[id(node)] = sum(_length(part, known) for part in node)
    return known[id(node)]
