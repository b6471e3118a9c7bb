"""Parquet."""

from collections.abc import Iterator

import numpy as np
import pyarrow as arrow
from pyarrow import parquet

from broadstreet.errors import UsageError
from broadstreet.sources.fleet.batches import ROWS_PER_BATCH, Batch, check_header

MAGIC = b"PAR1"


def columnar(path: str) -> Iterator[Batch]:
    """The rows of a Parquet file; the first is row 1."""
    following = 1
    try:
        with open(path, "rb") as file, parquet.ParquetFile(file) as table:
            names = [name.strip() for name in table.schema_arrow.names]
            check_header(path, names)
            for kind in table.schema_arrow.types:
                _ = kind.tz if arrow.types.is_timestamp(kind) else None  # of a damaged file it may be no text: raises
            for found in table.iter_batches(ROWS_PER_BATCH):
                rows = np.arange(following, following + found.num_rows, dtype=np.int64)
                following += found.num_rows
                yield Batch(rows, dict(zip(names, found.columns, strict=True)))
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = str(error).splitlines()[0]
        raise UsageError(
            f"{path}: not a whole Parquet file: {said}", "Write it again; was a copy cut short?"
        ) from error
