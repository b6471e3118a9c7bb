"""A casebook of any number of crashes on the sample's fleet of ten thousand hosts.

The crashes are the sample's, each many times with an identity, a host, a time and labels of its own; host and time are
drawn from time at risk. The rows are written as they lie in the tables: nothing is read again.
"""

import shutil
from pathlib import Path

import duckdb

from broadstreet.records.columns import SPECIMENS, STORED_CASES, Table
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
from broadstreet.store.schema import schema
from broadstreet.store.table import append

CHUNK = 100_000
LABELS = 32  # free labels of 2 to 64 values, which with what the fleet tells makes fifty exposures
SEED = 0.1854
_LABELS = ", ".join(f"'key{n}': 'v' || floor(random() * {2 * n + 2})::INT" for n in range(LABELS))
OF_CASES = {
    "reading": "number",
    "case_id": "md5(number::VARCHAR)",
    "path": "'/cores/' || number",
    "time": "make_timestamptz(epoch_us(start) + (random() * (epoch_us(stop) - epoch_us(start)))::BIGINT)",
    "host": "place.host",
    "service_release": "place.release",
    "workload": "place.work",
    "region": "NULL",
    "labels": f"MAP {{'fleet': 'simulated', {_LABELS}}}",
    "registers": "MAP {}",
    "threads": "[]",
    "evidence": "NULL",
}
OF_SPECIMENS = {"specimen_id": "md5('/' || number)", "reading": "number", "generation": "0", "location": "NULL"}


def multiplied(sample: str, url: Path, cases: int) -> None:
    """Make the casebook; `sample` is that of the sample, with its fleet."""
    shutil.copytree(sample, url)
    with Questions(sample) as questions:
        known = {name: questions.answer(f"SELECT * FROM {name}") for name in ("raw_cases", "raw_specimens", "at_risk")}
    duck = duckdb.connect()
    for name, rows in known.items():
        duck.register(f"_{name}", rows)
    duck.execute(f"SET TimeZone = 'UTC'; SELECT setseed({SEED})")
    duck.execute("CREATE TABLE raw_cases AS SELECT *, row_number() OVER () AS original FROM _raw_cases")
    duck.execute("CREATE TABLE raw_specimens AS SELECT * FROM _raw_specimens LIMIT 1")
    duck.execute(
        """CREATE TABLE places AS SELECT host, service_release AS release, workload AS work, "from" AS start,
        "to" AS stop, row_number() OVER () AS row FROM _at_risk"""
    )
    book = open_for_writing(str(url))
    for first in range(1, cases + 1, CHUNK):
        size = min(CHUNK, cases + 1 - first)
        duck.execute(
            f"""CREATE OR REPLACE TABLE chosen AS SELECT {first} + range AS number,
            1 + floor(random() * {known["raw_cases"].num_rows})::BIGINT AS original,
            1 + floor(random() * {known["at_risk"].num_rows})::BIGINT AS row FROM range({size})"""
        )
        _append(book.table(STORED_CASES), duck, STORED_CASES, OF_CASES)
        _append(book.table(SPECIMENS), duck, SPECIMENS, OF_SPECIMENS)
    book.commit("scan", f"{cases:,} made")
    book.close()


def _append(delta: object, duck: duckdb.DuckDBPyConnection, table: Table, made: dict[str, str]) -> None:
    columns = ", ".join(
        f'{made[c.name]} AS "{c.name}"' if c.name in made else f'known."{c.name}" AS "{c.name}"' for c in table.columns
    )
    whole = "raw_cases known USING (original)" if table is STORED_CASES else "raw_specimens known ON true"
    rows = duck.sql(f"SELECT {columns} FROM chosen JOIN {whole} JOIN places place USING (row)").to_arrow_table()
    append(delta, table, rows.cast(schema(table)))
