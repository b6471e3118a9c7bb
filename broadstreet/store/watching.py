"""Watch a casebook: which version is the newest, and which scans are running. Cheap where nothing has changed.

Every look opens the log anew: a casebook may go away, come back, or be made again in the same place.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from broadstreet.records.columns import COMMITS, SCANS, SPECIMENS, Table
from broadstreet.records.running import RunningScan
from broadstreet.store.casebook import check_format, no_casebook
from broadstreet.store.place import place
from broadstreet.store.table import opened, refusals

FORGET = "forget"
# A scan keeps what it has at least every 30 seconds; one that was silent for longer than the slowest source waits
# for an answer was killed. It cannot be told from one that waits, so it is only no longer spoken of.
SILENT = timedelta(minutes=10)


class Newest(NamedTuple):
    """The newest version: of which casebook (made again, it is another), and the last that forgot something."""

    identity: str
    number: int
    forgot: int


class Watch:
    """One casebook, watched by one thread."""

    def __init__(self, url: str) -> None:
        self._place = place(url)
        self._url = url
        self._seen: tuple[str, int] | None = None
        self._newest: Newest | None = None
        self._scans: dict[str, Any] = {}
        self._scans_at: tuple[str, int] | None = None

    def newest(self) -> Newest:
        """The newest version; a UsageError where no casebook is, a CasebookError where it cannot be read."""
        commits = self._opened(COMMITS)
        if commits is None:
            self._seen = None
            raise no_casebook(self._url)
        with refusals(f"{self._place.url} cannot be read"):
            seen = (str(commits.metadata().id), commits.version())
        if self._newest is None or seen != self._seen:
            check_format(commits, self._place)
            select = f"SELECT max(number) AS number, max(CASE WHEN verb = '{FORGET}' THEN number END) AS forgot FROM t"
            row = self._asked(commits, select)[0]
            self._newest, self._seen = Newest(seen[0], row["number"] or 0, row["forgot"] or 0), seen
        return self._newest

    def running(self, now: datetime) -> tuple[RunningScan, ...]:
        """Scans that began and did not end, and told of themselves not long ago."""
        scans = self._opened(SCANS)
        if scans is None:
            return ()
        with refusals(f"{self._place.url} cannot be read"):
            at = (str(scans.metadata().id), scans.version())
        if at != self._scans_at:
            rows = self._asked(scans, "SELECT scan, sources, started, ended FROM t")
            over = {row["scan"] for row in rows if row["ended"] is not None}
            self._scans = {row["scan"]: row for row in rows if row["scan"] not in over}
            self._scans_at = at
        recent = [row for row in self._scans.values() if now - row["started"] < timedelta(days=7)]
        found = self._kept_by([row["scan"] for row in recent]) if recent else {}
        running = (_running(row, found.get(row["scan"])) for row in recent)
        return tuple(one for one in running if now - (one.newest or one.started) < SILENT)

    def _kept_by(self, scans: list[str]) -> dict[str, dict[str, Any]]:
        specimens = self._opened(SPECIMENS)
        if specimens is None:
            return {}
        names = ", ".join("'" + scan.replace("'", "''") + "'" for scan in scans)
        rows = self._asked(
            specimens,
            "SELECT scan, count(*) AS specimens, count(unreadable) AS unreadable, max(added) AS newest "
            f"FROM t WHERE scan IN ({names}) GROUP BY scan",
        )
        return {row["scan"]: row for row in rows}

    def _asked(self, delta: DeltaTable, select: str) -> list[dict[str, Any]]:
        with refusals(f"{self._place.url} cannot be read"):
            rows: list[dict[str, Any]] = pa.table(QueryBuilder().register("t", delta).execute(select)).to_pylist()
        return rows

    def _opened(self, table: Table) -> DeltaTable | None:
        return opened(self._place, table)


def _running(row: dict[str, Any], kept: dict[str, Any] | None) -> RunningScan:
    return RunningScan(
        scan=row["scan"],
        sources=tuple(row["sources"]),
        started=row["started"],
        newest=kept["newest"] if kept else None,
        specimens=kept["specimens"] if kept else 0,
        unreadable=kept["unreadable"] if kept else 0,
    )
