"""Arrow schemas of the tables, from the declared columns.

Delta Lake has no unsigned integers: addresses lie as signed 64-bit numbers, two's complement, and are unsigned again
in every view and export.
"""

import pyarrow as pa

from broadstreet.records.columns import Column, Table

FORMAT = 1  # a later one is refused; columns that are only added do not change it
_TYPES: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int64(),
    "address": pa.int64(),
    "text": pa.string(),
    "time": pa.timestamp("us", "UTC"),
    "float": pa.float64(),
    "bytes": pa.binary(),
    "ints": pa.list_(pa.int64()),
    "texts": pa.list_(pa.string()),
    "labels": pa.map_(pa.string(), pa.string()),
    "registers": pa.map_(pa.string(), pa.int64()),
}


def field(column: Column) -> pa.Field:
    """The column as it is stored."""
    return pa.field(column.name, _TYPES[column.type])


def schema(table: Table) -> pa.Schema:
    """All columns of a table as they are stored."""
    return pa.schema([field(column) for column in table.columns])
