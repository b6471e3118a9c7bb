"""Where the atlases of casebooks lie: in the user's cache, a few of each casebook, and none of what was forgotten.

A folder is named for the version and the identity of its casebook: one that is made again in the same place has the
same numbers and other cases. Who answers from an atlas holds a lock, so that nobody tidies it away.
"""

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from broadstreet import __version__
from broadstreet.records.atlas import TABLES
from broadstreet.records.columns import COMMITS
from broadstreet.store.atlas import ABOUT
from broadstreet.store.casebook import no_casebook
from broadstreet.store.mirror import cache_home
from broadstreet.store.place import Place, place
from broadstreet.store.table import opened

FORMAT = 7  # of the files of an atlas; a new one is drawn where this changed
KEPT = 3  # atlases of a casebook; older ones go
DIGITS = 8  # of the identity of a casebook


def home_of(where: Place) -> Path:
    """Where all atlases of a casebook lie."""
    name = hashlib.blake2b(where.url.encode(), digest_size=8).hexdigest()
    return Path(cache_home()) / "atlases" / name


def folder_of(url: str, version: int) -> Path:
    """Where the atlas of a version lies, or will."""
    where = place(url)
    commits = opened(where, COMMITS)
    if commits is None:
        raise no_casebook(url)
    identity = str(commits.metadata().id)[:DIGITS]
    return home_of(where) / f"{version}-{identity}-{FORMAT}-{__version__}"


def is_whole(folder: Path) -> bool:
    """Whether an atlas lies there; it is moved there when it is whole."""
    return all((folder / name).exists() for name in (ABOUT, *(f"{table}.parquet" for table in TABLES)))


def held(folder: str) -> int:
    """A lock on an atlas, to be closed when it is let go of; it ends with the process."""
    lock = os.open(os.path.join(folder, ABOUT), os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def tidy(newest: Path) -> None:
    """Those that were drawn longest ago go, but for those that somebody answers from."""
    others = [one for one in newest.parent.iterdir() if one != newest]
    for old in sorted(others, key=_age, reverse=True)[KEPT - 1 :]:
        if not _is_held(old):
            shutil.rmtree(old, ignore_errors=True)


def empty(where: Place) -> None:
    """Remove every atlas of a casebook, held or not: it may tell what was forgotten."""
    shutil.rmtree(home_of(where), ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0  # somebody else tidied it


def _is_held(folder: Path) -> bool:
    try:
        lock = os.open(folder / ABOUT, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
