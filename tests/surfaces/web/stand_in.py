"""An atlas with next to nothing in it, for tests of what surrounds the pages."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
from starlette.testclient import TestClient

from broadstreet.records.atlas import About
from broadstreet.store.atlas import Answer
from broadstreet.surfaces.web.app import app
from broadstreet.surfaces.web.live import News
from broadstreet.surfaces.web.page import Change, Page
from broadstreet.surfaces.web.pages import CHANGES, PAGES
from broadstreet.surfaces.web.standing import Standing, State

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
    state: State | None = None
    fixed: bool = False

    def standing(self) -> Standing:
        return Standing(self.one, self.state)

    closed: bool = False

    def news(self) -> News:
        return News(self.one.about.version, "")

    def look(self) -> None:
        pass


def reader(shelf: Any = None, *pages: Page, changes: Sequence[Change] = CHANGES) -> TestClient:
    """A client of the application with its own pages and these."""
    answering = app(OnShelf() if shelf is None else shelf, (*PAGES, *pages), changes)
    return TestClient(answering, base_url="http://localhost:1854", raise_server_exceptions=False)
