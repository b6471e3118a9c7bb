"""A folder of core dumps to scan: crashes of the sample, two names for one crash, and files that are none."""

import os
import shutil
from pathlib import Path

SAMPLE = Path(__file__).parents[3] / "sample" / "cores"
WRITTEN_NS = 1_770_000_000_000_000_000  # one moment for all: a stamp is part of what a specimen is known by
DOUBLE = 10  # one crash in so many lies there twice


def laid_out(folder: Path, crashes: int, first: int = 0) -> Path:
    """So many crashes and some more files, in a folder; the same each time."""
    folder.mkdir(parents=True)
    originals = sorted(SAMPLE.glob("*.core.zst"))[first : first + crashes]
    assert len(originals) == crashes
    for number, original in enumerate(originals):
        _copy(original, folder / original.name)
        if number % DOUBLE == 0:
            _copy(original, folder / "again" / original.name)
    for name, content in (("cut.core", originals[0].read_bytes()[:200]), ("empty.core", b""), ("bad.core", b"\x7fELF")):
        (folder / name).write_bytes(content)
    for path in folder.rglob("*"):
        os.utime(path, ns=(WRITTEN_NS, WRITTEN_NS))
    return folder


def _copy(original: Path, copy: Path) -> None:
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(original, copy)
    shutil.copy(f"{original}.json", f"{copy}.json")
