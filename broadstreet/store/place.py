"""Where a casebook lies: a folder, or a prefix of a bucket."""

import os
from typing import NamedTuple
from urllib.parse import unquote

from broadstreet.errors import UsageError

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
    scheme, separator, rest = text.partition("://")
    if not separator:
        folder = os.path.abspath(os.path.expanduser(text))
        if unquote(folder) != folder:
            raise UsageError(f"a casebook's path cannot hold %xx: {folder}", "Delta Lake takes it for another name.")
        return Place(folder, folder)
    if scheme == "file":
        return Place(rest.rstrip("/"), rest.rstrip("/"))
    if scheme not in SCHEMES or not rest.strip("/"):
        raise UsageError(
            f"not the address of a casebook: {text}", "Name a folder, or s3://BUCKET/PREFIX, az://..., gs://..."
        )
    return Place(text.rstrip("/"), None)
