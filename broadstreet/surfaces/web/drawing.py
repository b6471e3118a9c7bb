"""Draw the atlas of one version of a casebook into the cache, in a process of its own; what is drawn already stays.

    python -m broadstreet.surfaces.web.drawing URL VERSION

It prints the folder. The analysis of a million cases takes gigabytes, which the server must not keep.
"""

import os
import shutil
import sys
from pathlib import Path

import msgspec

from broadstreet.errors import BroadStreetError
from broadstreet.pipeline.atlas import draw
from broadstreet.store.atlas import ABOUT
from broadstreet.store.atlases import folder_of, is_whole, tidy
from broadstreet.surfaces.investigation_json import MOST_IDS, again_json, investigation_json

INVESTIGATION, AGAIN, CAPTURE = "investigation.json", "again.json", "capture.json"
NICE = 5  # readers of the last version come first
REFUSED = 3  # the exit status where the casebook cannot be read; stderr says why


def draw_into_cache(url: str, version: int) -> Path:
    """The atlas of a version, drawn if it is not; there is none until it is whole."""
    folder = folder_of(url, version)
    if is_whole(folder):
        return folder
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.parent.chmod(0o700)  # others on this machine need not read it; whose folder it is must be this user
    partial.mkdir()
    try:
        about, found, inquiry = draw(url, version, str(partial))
        _put(partial / INVESTIGATION, investigation_json(found, MOST_IDS))
        _put(partial / AGAIN, {one.outbreak.id: again_json(one) for one in found.verdicts})
        _put(partial / CAPTURE, inquiry.capture)
        _put(partial / ABOUT, about)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    tidy(folder)
    return folder


def _put(path: Path, value: object) -> None:
    path.write_bytes(msgspec.json.encode(value))


def main() -> None:
    """Draw, and print the folder; an operator's error in two lines."""
    url, version = sys.argv[1], int(sys.argv[2])
    os.nice(NICE)
    try:
        print(draw_into_cache(url, version))
    except BroadStreetError as error:
        print(error, file=sys.stderr)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
