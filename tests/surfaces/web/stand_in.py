"""An atlas with next to nothing in it, for tests of what surrounds the pages."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from broadstreet.surfaces.web.page import Atlas


class StandIn(NamedTuple):
    casebook: str = "casebook"
    version: int = 7
    simulated: bool = True
    start: str | None = "2026-01-15T00:00:00Z"
    end: str | None = "2026-04-14T00:00:00Z"
    cases: int = 391
    hosts: int | None = 27_921
    captured: int | None = 400
    fatal: int | None = 412
    drawn: datetime = datetime(2026, 4, 14, 12, 0, tzinfo=UTC)

    def read(self, name: str) -> bytes:
        return b"{}"

    def ask(self, select: str, parameters: Sequence[object] = ()) -> pa.Table:
        return duckdb.connect().sql(select, params=list(parameters) or None).to_arrow_table()


class OnShelf(NamedTuple):
    one: Atlas = StandIn()

    def atlas(self) -> Atlas:
        return self.one
