"""A Parquet file without rows for each table, so that a view has every column, whatever the files of a casebook have.

They hold no data and are the same for every casebook, so they stand in the user's cache and are made once; where that
cannot be written, in a folder of their own, which goes when it is let go of.
"""

import os
import shutil
import tempfile
from hashlib import blake2b

from pyarrow import parquet

from broadstreet.records.columns import CASEBOOK, OPTIONAL, Table
from broadstreet.store.mirror import cache_home
from broadstreet.store.schema import schema

_TABLES = (*CASEBOOK, *OPTIONAL)
_NAME = blake2b(repr([schema(table).to_string() for table in _TABLES]).encode(), digest_size=8).hexdigest()


class EmptyTables:
    """The files; `folder` is where they lie."""

    def __init__(self) -> None:
        self.folder = os.path.join(cache_home(), f"columns-{_NAME}")
        self._own = False
        try:
            self._write()
        except OSError:
            self.folder = tempfile.mkdtemp(prefix="broadstreet-")
            self._own = True
            self._write()

    def path(self, table: Table) -> str:
        """The file of one table."""
        return os.path.join(self.folder, f"{table.name}.parquet")

    def close(self) -> None:
        """Let go of them."""
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        os.makedirs(self.folder, exist_ok=True)
        for table in _TABLES:
            path = self.path(table)
            if not os.path.exists(path):
                partial = f"{path}.{os.getpid()}"
                parquet.write_table(schema(table).empty_table(), partial)
                os.replace(partial, path)
