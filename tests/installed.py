"""ELF files that this machine has: libraries of the running interpreter, and those of the cross compiler."""

import re
import sys
from pathlib import Path

_NAMES = {"libc": r"/libc(-2\.\d+)?\.so(\.6)?$", "ld.so": r"/ld-[^/]*\.so(\.\d)?$", "python": r"/libpython[^/]*$"}
ARM_LIBC = Path("/usr/aarch64-linux-gnu/lib/libc.so.6")


def binaries() -> dict[str, Path]:
    """libc, ld.so and libpython (or the interpreter, where it is linked into it), as mapped into this process."""
    mapped = {line.split(maxsplit=5)[-1] for line in Path("/proc/self/maps").read_text().splitlines()}
    found = {}
    for name, pattern in _NAMES.items():
        paths = sorted(path for path in mapped if re.search(pattern, path))
        if paths:
            found[name] = Path(paths[0])
    found.setdefault("python", Path(sys.executable).resolve())
    if ARM_LIBC.exists():
        found["aarch64 libc"] = ARM_LIBC.resolve()
    return found
