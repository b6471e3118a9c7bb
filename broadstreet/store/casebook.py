"""The casebook: tables of what was read, with every case in it exactly once.

No transaction spans tables. So a batch is written in this order: traces and modules, which never change and are merged
by their identity; cases, findings and evidence, whose rows name the reading that they came of; then one insert-only
merge into `specimens`, which makes the batch visible at once; then a row in `commits`, which names the version of
every table. A reading counts only if its specimen has a row for it. Whoever is killed before the merge leaves rows that
nobody sees; of two writers that read the same specimen the second merges nothing, and its rows stay unseen; whoever is
killed after the merge leaves a version that the next writer names.
"""

import fcntl
import json
import os
import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from broadstreet.errors import CasebookError, UsageError
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.columns import (
    CASEBOOK,
    COMMITS,
    EVIDENCE,
    FINDINGS,
    MODULES,
    OPTIONAL,
    SCANS,
    SPECIMENS,
    STORED_CASES,
    TRACES,
    Table,
)
from broadstreet.records.exposure import SIMULATED
from broadstreet.records.specimen import Examined
from broadstreet.store.files import all_files, named
from broadstreet.store.place import Place, place
from broadstreet.store.rows import Row, Rows, add_case, add_examined, storable
from broadstreet.store.schema import FORMAT, schema
from broadstreet.store.table import append, made, merge_new, opened, refusals

LOCK = ".lock"
MOUNTED = "lost+found"  # is all that a new file system holds
FORMAT_KEY = "broadstreet.format"
MOST_IN_A_BATCH = 1 << 14
BATCH_BITS = 49
MOST_KNOWN_IDS = 1_000_000  # of traces and module sets that a writer remembers
WRONG_FLEET = "of another fleet"


@dataclass(frozen=True)
class Version:
    """One version of the casebook: the version of each table, and the versions that verdicts cite."""

    number: int
    tables: Mapping[str, int]
    pinned: tuple[int, ...] = ()


class Casebook:
    """The tables, open for writing."""

    def __init__(self, where: Place, tables: dict[str, DeltaTable], lock: int | None) -> None:
        self.place = where
        self._lock = lock
        self._tables = tables
        self._known_ids: set[str] = set()
        with refusals(f"{where.url} cannot be read"):
            self._simulated = self._is_simulated()
        self._heal()

    def close(self) -> None:
        """Let others have it alone."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def table(self, table: Table) -> DeltaTable:
        """One table, as this writer last saw it."""
        return self._tables[table.name]

    def tables(self) -> tuple[Table, ...]:
        """The tables that there are."""
        return tuple(table for table in (*CASEBOOK, *OPTIONAL) if table.name in self._tables)

    @property
    def simulated(self) -> bool | None:
        """Whether its cases stand on a simulated fleet; null while it has none."""
        return self._simulated

    def begin(self, sources: Sequence[str], version: str) -> str:
        """Note that a scan starts; its name."""
        scan = secrets.token_hex(8)
        self._note_scan({"scan": scan, "sources": list(sources), "version": version, "started": _now()})
        return scan

    def end(self, scan: str, sources: Sequence[str], version: str, read: int, known: int, unreadable: int) -> None:
        """Note what came of it."""
        now = _now()
        self._note_scan(
            {"scan": scan, "sources": list(sources), "version": version, "started": now, "ended": now}
            | {"read": read, "known": known, "unreadable": unreadable}
        )

    def add(
        self,
        batch: Sequence[Examined],
        scan: str,
        kept: str,
        reader_version: int,
        generations: Mapping[str, int] | None = None,
        verb: str = "scan",
    ) -> int:
        """Add what was read, sorted by time; how many were not there yet.

        `generations` says for specimens that are read again the how-manieth time it is.
        """
        added = 0
        ordered = sorted(batch, key=_time)
        for at in range(0, len(ordered), MOST_IN_A_BATCH):
            rows, base = Rows(), _first_reading()
            own = {"scan": scan, "added": _now(), "reader_version": reader_version, "kept": kept}
            for index, one in enumerate(ordered[at : at + MOST_IN_A_BATCH]):
                generation = (generations or {}).get(one.specimen.specimen_id, 0)
                add_examined(rows, self.fitting(one), base + index, generation, own)
            added += self.write(rows, verb, scan)
        return added

    def add_judged(self, judged: Sequence[tuple[Row, Case]]) -> int:
        """Add cases that were judged again from their stored features; each with the row of its specimen."""
        rows, base = Rows(), _first_reading()
        for index, (specimen, case) in enumerate(judged):
            own = {"reading": base + index, "generation": specimen["generation"] + 1, "added": _now()}
            rows.add(SPECIMENS, specimen | own)
            add_case(rows, case, base + index, specimen["evidence"])
        return self.write(rows, "relabel", f"{len(judged):,} cases")

    def write(self, rows: Rows, verb: str, note: str) -> int:
        """Write one batch, children first; how many specimens became visible."""
        new = rows.ids - self._known_ids
        if new:
            for table in (TRACES, MODULES):
                merge_new(self.table(table), table, rows.arrow(table))
            self._known_ids = new if len(self._known_ids) > MOST_KNOWN_IDS else self._known_ids | new
        for table in (STORED_CASES, FINDINGS, EVIDENCE):
            append(self.table(table), table, rows.arrow(table))
        added = merge_new(self.table(SPECIMENS), SPECIMENS, rows.arrow(SPECIMENS))
        if added:
            self.commit(verb, note)
        return added

    def commit(self, verb: str, note: str, pinned: Iterable[int] | None = None, cited: int | None = None) -> int:
        """Name the tables as they are now: a new version of the casebook; its number.

        Versions that were pinned stay so, unless `pinned` names others; the one that is `cited` now is pinned too.
        """
        commits = self.table(COMMITS)
        while True:
            commits.update_incremental()
            last = version_of(commits)
            versions = {}
            self._find(last.tables)
            for name in (SPECIMENS.name, *(one for one in self._tables if one not in (SPECIMENS.name, COMMITS.name))):
                self._tables[name].update_incremental()  # children after specimens: what is visible is whole
                versions[name] = self._tables[name].version()
            number = last.number + 1
            kept = {*(last.pinned if pinned is None else pinned), *(() if cited is None else (cited,))}
            row = {
                "number": [number],
                "made": [_now()],
                "verb": [verb],
                "tables": [json.dumps(versions)],
                "note": [storable(note)],
                "pinned": [sorted(kept)],
            }
            if merge_new(commits, COMMITS, pa.table(row, schema=schema(COMMITS))):
                return number

    def _find(self, names: Iterable[str]) -> None:
        # Tables that another writer made since this one began.
        for table in OPTIONAL:
            if table.name in names and table.name not in self._tables:
                self._tables[table.name] = made(self.place, table)

    def optional_table(self, table: Table) -> DeltaTable:
        """A table that not every casebook has, made where there was none."""
        if table.name not in self._tables:
            self._tables[table.name] = made(self.place, table)
        return self._tables[table.name]

    def version(self) -> Version:
        """The newest version."""
        self.table(COMMITS).update_incremental()
        return version_of(self.table(COMMITS))

    def _heal(self) -> None:
        named = version_of(self.table(COMMITS)).tables.get(SPECIMENS.name, 0)
        if self.table(SPECIMENS).version() > named:
            self.commit("scan", "named after a writer was cut off")

    def _note_scan(self, row: Mapping[str, object]) -> None:
        columns = {column.name: [storable(row.get(column.name))] for column in SCANS.columns}
        append(self.table(SCANS), SCANS, pa.table(columns, schema=schema(SCANS)))

    def _is_simulated(self) -> bool | None:
        # Not through a pyarrow dataset: one that is left after its first row reads on, and may do so at exit.
        asked = QueryBuilder().register("cases", self.table(STORED_CASES))
        first = pa.table(asked.execute("SELECT labels FROM cases LIMIT 1"))
        return SIMULATED in first["labels"][0].as_py() if first.num_rows else None

    def fitting(self, one: Examined) -> Examined:
        """Simulated and real crashes never stand in one casebook."""
        if isinstance(one.outcome, Unreadable):
            return one
        simulated = SIMULATED in one.outcome.circumstances.labels
        if self._simulated is None:
            self._simulated = simulated
        if simulated == self._simulated:
            return one
        which = ("simulated", "real") if simulated else ("real", "simulated")
        reason = f"a crash of a {which[0]} fleet; this casebook holds those of a {which[1]} one"
        return Examined(one.specimen, Unreadable(one.specimen.location, WRONG_FLEET, reason, unsettled=True))


def open_for_writing(url: str, alone: bool = False) -> Casebook:
    """The casebook at this address, made where there is none, upgraded where it is older.

    It is not made among other files; those of a writer that was cut off are its own. In a folder, whoever wants it
    `alone` is refused while others write, and they while it is had alone; in a bucket nobody can know.
    """
    where = place(url)
    if where.folder is not None and _is_other(where.folder):
        raise no_casebook(url)
    lock = None if where.folder is None else _locked(where.folder, alone)
    _check_whole(where)
    tables = {table.name: made(where, table) for table in CASEBOOK if table is not COMMITS}
    tables[COMMITS.name] = made(where, COMMITS, {FORMAT_KEY: str(FORMAT)})  # last: who finds it finds all tables
    tables |= {table.name: found for table in OPTIONAL if (found := opened(where, table)) is not None}
    for table in (*CASEBOOK, *OPTIONAL):
        if table.name in tables:
            _upgrade(tables[table.name], table)
    return Casebook(where, tables, lock)


def no_casebook(url: str) -> UsageError:
    """What is said where none lies there: that nothing does, or that it is something else."""
    folder = place(url).folder
    if folder is not None and _is_other(folder):
        return UsageError(f"{url} is no casebook", "Name one, or a new folder: broadstreet scan DIR --casebook NEW")
    return UsageError(f"no casebook at {url}", f"broadstreet scan DIR --casebook {url}")


def _is_other(folder: str) -> bool:
    """Whether something is there that neither is a casebook nor can become one."""
    if not os.path.isdir(folder):
        return os.path.lexists(folder)
    if os.path.isdir(os.path.join(folder, COMMITS.name)):
        return False
    own = {MOUNTED, *(table.name for table in (*CASEBOOK, *OPTIONAL))}
    return any(name not in own and not name.startswith(".") for name in os.listdir(folder))


def _check_whole(where: Place) -> None:
    # A table that a version names is never made anew: that would hide its loss.
    commits = opened(where, COMMITS)
    if commits is None:
        specimens = opened(where, SPECIMENS)
        if specimens is not None and specimens.version() > 0:
            raise CasebookError(f"{where.table(COMMITS.name)} is missing")
        return
    check_format(commits, where)
    named = version_of(commits).tables
    for table in (*CASEBOOK, *OPTIONAL):
        if table.name in named and opened(where, table) is None:
            raise CasebookError(f"{where.table(table.name)} is missing")


def _locked(folder: str, alone: bool) -> int:
    """An advisory lock, which ends with the process."""
    try:
        os.makedirs(folder, exist_ok=True)
        lock = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise CasebookError(f"{folder} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_NB | (fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
    except OSError as error:
        os.close(lock)
        what = "somebody is writing to this casebook" if alone else "this casebook is being tidied"
        raise UsageError(what, "Try again when that has ended.") from error
    return lock


def open_tables(url: str, number: int | None = None) -> tuple[Place, Version, dict[str, DeltaTable]]:
    """The tables of one version of the casebook, else of the newest, for reading; nothing is written."""
    where = place(url)
    commits = opened(where, COMMITS)
    if commits is None:
        raise no_casebook(url)
    check_format(commits, where)
    while True:
        version = version_of(commits, number)
        found = _tables_at(where, commits, version)
        if found is not None and (number is None or _is_whole(where, found)):
            return where, version, found
        commits.update_incremental()
        newest = version_of(commits).number
        if number is None and newest > version.number:
            continue  # it was tidied between two looks
        if version.number < newest:
            raise UsageError(
                f"version {version.number} of this casebook cannot be read any more: it was tidied since",
                "Versions that a verdict cites stay readable.",
            )
        named = {table: version.tables.get(table.name, 0) for table in CASEBOOK if table is not COMMITS}
        lost = [table.name for table, at in named.items() if opened(where, table, at) is None]
        raise CasebookError(f"{where.table(lost[0] if lost else 'a table')} is missing")


def _tables_at(where: Place, commits: DeltaTable, version: Version) -> dict[str, DeltaTable] | None:
    """The tables as a version names them; null where one is not there."""
    found = {COMMITS.name: commits}
    for table in (*CASEBOOK, *OPTIONAL):
        if table is COMMITS or (table in OPTIONAL and table.name not in version.tables):
            continue
        delta = opened(where, table, version.tables.get(table.name, 0))
        if delta is None:
            return None
        found[table.name] = delta
    return found


def _is_whole(where: Place, tables: Mapping[str, DeltaTable]) -> bool:
    """Whether the files that a version names are still there: its logs outlive them while any version is cited."""
    there = {file.path for file in all_files(where)}
    return all(there.issuperset(named(where, delta)) for delta in tables.values())


def exists(url: str) -> bool:
    """Whether a casebook lies there."""
    return opened(place(url), COMMITS) is not None


def check_format(commits: DeltaTable, where: Place) -> None:
    """A casebook of a later format is refused: what it means is not known here."""
    said = commits.metadata().configuration.get(FORMAT_KEY, "0")
    if not said.isdigit() or int(said) > FORMAT:
        raise UsageError(
            f"{where.url} has format {said}; this broadstreet knows {FORMAT}", "pip install --upgrade broadstreet"
        )


def version_of(commits: DeltaTable, number: int | None = None) -> Version:
    """A version by its number, else the newest; 0 is the empty casebook."""
    highest = max((n for n in _column(commits, "max.number") if n is not None), default=0)
    wanted = highest if number is None else number
    if wanted == 0:
        return Version(0, {})
    with refusals(f"{commits.table_uri} cannot be read"):
        rows = commits.to_pyarrow_table(columns=["tables", "pinned"], filters=[("number", "=", wanted)]).to_pylist()
    if not rows:
        raise UsageError(f"there is no version {wanted} of this casebook", f"It has the versions up to {highest}.")
    return Version(wanted, json.loads(rows[0]["tables"]), tuple(rows[0]["pinned"]))


def _column(delta: DeltaTable, name: str) -> list[int | None]:
    actions = pa.table(delta.get_add_actions(flatten=True))
    return actions[name].to_pylist() if name in actions.column_names else []


def _upgrade(delta: DeltaTable, table: Table) -> None:
    """Columns that a later release declared are added; the rows that are there did not observe them."""
    from deltalake import Schema

    present = {one.name for one in delta.schema().fields}
    missing = [one for one in schema(table) if one.name not in present]
    if missing:
        delta.alter.add_columns(Schema.from_arrow(pa.schema(missing)).fields)


def _time(one: Examined) -> str:
    time = one.outcome.circumstances.time if isinstance(one.outcome, Case) else None
    return time or ""


def _first_reading() -> int:
    return random.SystemRandom().getrandbits(BATCH_BITS) << 14


def _now() -> datetime:
    return datetime.now(UTC)
