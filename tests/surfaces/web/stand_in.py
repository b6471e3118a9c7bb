"""An atlas with next to nothing in it, for tests of what surrounds the pages."""

from typing import Any, NamedTuple

import duckdb

from broadstreet.records.atlas import About
from broadstreet.store.atlas import Answer

ABOUT = About(
    casebook="casebook",
    version=7,
    broadstreet_version="0.1.0",
    simulated=True,
    start="2026-01-15T00:00:00Z",
    end="2026-04-14T00:00:00Z",
    newest="2026-04-14T00:00:00Z",
    drawn="2026-04-14T12:00:00+00:00",
    seconds=1.5,
    cases=391,
    dated=391,
    episodes=391,
    syndromes=3,
    hosts=27_921,
    machines=1_260,
    measures=("host_hours",),
    at_risk=1e6,
    captured=400,
    fatal=412,
    columns=(),
)


class StandIn(NamedTuple):
    about: About = ABOUT

    def read(self, name: str) -> bytes:
        return b"{}"

    def ask(self, select: str) -> Answer:
        return Answer(duckdb.connect().sql(select).to_arrow_table(), select)


class OnShelf(NamedTuple):
    one: Any = StandIn()

    def atlas(self) -> Any:
        return self.one
