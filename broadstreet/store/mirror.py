"""The Parquet files of a table as local files: where they lie, or fetched once into the cache.

Files of a Delta table never change, so one that is in the cache is good for ever; forgetting empties the cache.
"""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

from deltalake import DeltaTable

from broadstreet.errors import CasebookError
from broadstreet.store.place import Place

AT_ONCE = 16
CHUNK = 4 << 20


def files(place: Place, delta: DeltaTable) -> list[str]:
    """Local paths of the files that make up this version of a table."""
    found = names(place, delta)
    if place.folder is not None:
        return [os.path.join(place.folder, name) for name in found]
    cache = _cache(place)
    missing = [name for name in found if not os.path.exists(os.path.join(cache, name))]
    if missing:
        _fetch(place, cache, missing)
    return [os.path.join(cache, name) for name in found]


def names(place: Place, delta: DeltaTable) -> list[str]:
    """The files that make up this version of a table, as paths from the casebook."""
    root = place.url if place.folder is None else place.folder
    paths = [unquote(uri.removeprefix("file://")) if place.folder else uri for uri in delta.file_uris()]
    return [path.removeprefix(root).lstrip("/") for path in paths]


def folders(place: Place) -> list[str]:
    """Where those files may lie."""
    return [place.folder if place.folder is not None else _cache(place)]


def empty(place: Place) -> None:
    """Remove what was fetched of this casebook."""
    if place.folder is None:
        shutil.rmtree(_cache(place), ignore_errors=True)


def cache_home() -> str:
    """The folder of what can be had again."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "broadstreet")


def _cache(place: Place) -> str:
    name = hashlib.blake2b(place.url.encode(), digest_size=8).hexdigest()
    return os.path.join(cache_home(), "casebooks", name)


def _fetch(place: Place, cache: str, names: list[str]) -> None:
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    store = from_url(place.url)
    os.makedirs(cache, exist_ok=True)
    os.chmod(cache, 0o700)  # it is no business of others on this machine

    def fetch(name: str) -> None:
        path = os.path.join(cache, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        partial = f"{path}.{os.getpid()}"
        with open(partial, "wb") as file:
            for chunk in store.get(name).stream(min_chunk_size=CHUNK):
                file.write(chunk)
        os.replace(partial, path)

    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(fetch, names))
    except BaseError as error:
        raise CasebookError(f"{place.url} cannot be read: {' '.join(str(error).split())}") from error
