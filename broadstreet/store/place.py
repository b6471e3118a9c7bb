"""Where a casebook lies: a folder, or a prefix of a bucket."""

import os
from typing import NamedTuple

from broadstreet.errors import UsageError

NOT_IN_PATHS = frozenset("%[]*?\0")  # Delta Lake reads them as codes, DuckDB as wildcards
SCHEMES = ("s3", "s3a", "az", "abfs", "abfss", "adl", "azure", "gs", "memory", "file")


class Place(NamedTuple):
    """A casebook's address. `folder` is null where it is in a bucket."""

    url: str
    folder: str | None

    def table(self, name: str) -> str:
        """Where one table lies."""
        return f"{self.url}/{name}"


def place(text: str) -> Place:
    """From what an operator wrote; credentials come from the environment, as for every tool of that store."""
    odd = sorted(set(text) & NOT_IN_PATHS)
    if odd:
        raise UsageError(f"the address of a casebook cannot hold {' '.join(odd)}: {text}", "Give it a plainer name.")
    scheme, separator, rest = text.partition("://")
    if not separator:
        folder = os.path.realpath(os.path.expanduser(text))
        return Place(folder, folder)
    if scheme == "file":
        return Place(rest.rstrip("/"), rest.rstrip("/"))
    if scheme not in SCHEMES or not rest.strip("/"):
        raise UsageError(
            f"not the address of a casebook: {text}", "Name a folder, or s3://BUCKET/PREFIX, az://..., gs://..."
        )
    return Place(text.rstrip("/"), None)
