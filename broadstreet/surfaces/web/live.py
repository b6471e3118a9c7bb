"""What changes while a page is open, in words, and the stream of it (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from broadstreet.records.running import RunningScan
from broadstreet.surfaces.text import plural, safe

MOST_READERS = 64
LOOK_SECONDS = 0.5
STILL_HERE_SECONDS = 15.0  # so that a connection that is gone is noticed


class News(NamedTuple):
    """Which version is shown, what goes on, and how much of it is done, 0 to 1; null where nobody can tell."""

    version: int | None
    line: str
    share: float | None = None


class Stream:
    """The news, to as many readers as there is room for."""

    def __init__(self, news: Callable[[], News], closed: Callable[[], bool]) -> None:
        self._news, self._closed = news, closed
        self.readers = 0

    async def answer(self, request: Request) -> Response:
        """The stream, until its reader goes."""
        if self.readers >= MOST_READERS:
            raise HTTPException(503, f"{MOST_READERS} pages listen already. Load this one again to see what is new.")
        return StreamingResponse(self._told(), media_type="text/event-stream")

    async def _told(self) -> AsyncIterator[bytes]:
        self.readers += 1
        try:
            last, silent = None, 0.0
            while not self._closed():
                news = self._news()
                if news != last:
                    last, silent = news, 0.0
                    yield b"data: " + msgspec.json.encode(news._asdict()) + b"\n\n"
                elif silent >= STILL_HERE_SECONDS:
                    silent = 0.0
                    yield b": still here\n\n"
                await asyncio.sleep(LOOK_SECONDS)
                silent += LOOK_SECONDS
        finally:
            self.readers -= 1


def scan_line(scan: RunningScan) -> str:
    """A running scan in one sentence."""
    source = safe(scan.sources[0], 80) if scan.sources else "its sources"
    more = f" and {len(scan.sources) - 1} more" if len(scan.sources) > 1 else ""
    since = f"A scan of {source}{more} runs since {clock(scan.started)}"
    if scan.per_second is None:
        return f"{since}; nothing of it is kept yet."
    rate = f"{scan.per_second:,.0f} a second" if scan.per_second >= 1 else f"{scan.per_second * 60:,.0f} a minute"
    kept = f"{plural(scan.specimens, 'core dump')} read, {rate}"
    lost = f"; {scan.unreadable:,} of them could not be" if scan.unreadable else ""
    return f"{since}: {kept}{lost}. How many there are in all is not known."


def drawing_line(seconds: float, before: float | None) -> str:
    """How long an analysis runs, and how long the last one took; null where there was none."""
    usual = "" if before is None else f" The last one took {_span(before)}."
    return f"Analysing for {_span(seconds)}.{usual}"


def clock(time: datetime) -> str:
    """14:02 UTC; with the day where it is another."""
    utc = time.astimezone(UTC)
    return f"{utc:%H:%M} UTC" if utc.date() == datetime.now(UTC).date() else f"{utc:%Y-%m-%d %H:%M} UTC"


def _span(seconds: float) -> str:
    if seconds < 100:
        return plural(max(1, round(seconds)), "second")
    return plural(round(seconds / 60), "minute")
