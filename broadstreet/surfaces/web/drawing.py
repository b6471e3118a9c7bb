"""Draw the atlas of one version of a casebook into the cache, in a process of its own; what is drawn already stays.

    python -m broadstreet.surfaces.web.drawing URL VERSION

It prints the folder. The analysis of a million cases takes gigabytes, which the server must not keep.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import msgspec

from broadstreet import __version__
from broadstreet.errors import BroadStreetError
from broadstreet.pipeline.atlas import draw
from broadstreet.pipeline.investigation import Inquiry
from broadstreet.records.atlas import TABLES
from broadstreet.store.atlas import ABOUT
from broadstreet.store.mirror import cache_home
from broadstreet.store.place import place
from broadstreet.surfaces.investigation_json import MOST_IDS, investigation_json

FORMAT = 3  # of the files of an atlas; a new one is drawn where this changed
INVESTIGATION, CAPTURE = "investigation.json", "capture.json"
KEPT = 3  # atlases of a casebook; older ones go
REFUSED = 3  # the exit status where the casebook cannot be read; stderr says why


def folder_of(url: str, version: int) -> Path:
    """Where the atlas of a version lies, or will."""
    return home_of(url) / f"{version}-{FORMAT}-{__version__}"


def home_of(url: str) -> Path:
    """Where all atlases of a casebook lie."""
    name = hashlib.blake2b(place(url).url.encode(), digest_size=8).hexdigest()
    return Path(cache_home()) / "atlases" / name


def drawn(url: str, version: int) -> Path | None:
    """The atlas of a version; null where it is not drawn yet."""
    folder = folder_of(url, version)
    return (
        folder if all((folder / name).exists() for name in (ABOUT, *(f"{table}.parquet" for table in TABLES))) else None
    )


def draw_into_cache(url: str, version: int) -> Path:
    """The atlas of a version, drawn if it is not; there is none until it is whole."""
    known = drawn(url, version)
    if known is not None:
        return known
    folder = folder_of(url, version)
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        about, found, inquiry = draw(url, version, str(partial))
        _put(partial / INVESTIGATION, investigation_json(found, MOST_IDS))
        _put(partial / CAPTURE, _capture(inquiry))
        _put(partial / ABOUT, about)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _tidy(folder)
    return folder


def _capture(inquiry: Inquiry) -> object:
    return inquiry.capture


def _put(path: Path, value: object) -> None:
    path.write_bytes(msgspec.json.encode(value))


def _tidy(newest: Path) -> None:
    """Those that were drawn longest ago go; one that a server still has open stays readable to it."""
    others = [one for one in newest.parent.iterdir() if one != newest]
    for old in sorted(others, key=lambda one: one.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def main() -> None:
    """Draw, and print the folder; an operator's error in two lines."""
    url, version = sys.argv[1], int(sys.argv[2])
    try:
        print(draw_into_cache(url, version))
    except BroadStreetError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
