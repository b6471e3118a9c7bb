"""How a process of ours is started so that it is this same package, whatever folder it is started in."""

import os
import sys
from pathlib import Path

import broadstreet


def command(module: str) -> tuple[str, ...]:
    """What runs a module; the current folder is not looked in, where anything may lie."""
    return (sys.executable, "-P", "-m", module)


def import_path() -> str:
    """Where it finds the package."""
    root = str(Path(broadstreet.__file__).parent.parent)
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
