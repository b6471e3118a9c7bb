"""Scans that are killed again and again, then left alone; and what is wrong with what they leave."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from broadstreet.store.casebook import exists, open_tables
from tests.store.chaos.kills import Extent, Kill, extent_of, killed, planned
from tests.store.chaos.population import laid_out
from tests.store.chaos.running import scan
from tests.store.chaos.whole import broken, told

Told = dict[str, list[str]]
OF_A_BATCH = ("traces", "modules", "cases", "findings", "evidence", "specimens")
MOST_KILLS = 6  # of one casebook, before its scan is left alone
TRACEBACK = "Traceback (most recent call last)"


@dataclass
class Tally:
    """What the kills came to."""

    kills: int = 0
    missed: int = 0
    casebooks: int = 0
    victims: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    cut_within_commit: int = 0
    left_running: int = 0
    tracebacks: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Trials:
    """Trials over one folder of core dumps; each with a casebook of its own."""

    folder: Path
    crashes: int
    batches: tuple[int | None, ...]
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self.cores = laid_out(self.folder / "cores", self.crashes)
        self.extents: dict[int | None, Extent] = {
            batch: extent_of(self.cores, self.folder / f"measured-{batch}", batch) for batch in self.batches
        }
        undisturbed = scan(self.cores, self.folder / "undisturbed")
        assert undisturbed.returncode == 0
        self.printed = sorted(undisturbed.stdout.splitlines())
        self.told = told(self.folder / "undisturbed")

    def run(self, random: Random, kills: int) -> Tally:
        """So many kills, each seen to strike, on as many casebooks as that takes."""
        while self.tally.kills < kills:
            self.trial(random, min(random.randint(1, MOST_KILLS), kills - self.tally.kills))
        return self.tally

    def trial(self, random: Random, kills: int) -> None:
        """Kill the scans of one casebook; then scan, and compare with the undisturbed one."""
        casebook = self.folder / f"killed-{self.tally.casebooks}"
        self.tally.casebooks += 1
        plans = []
        for _ in range(kills):
            plans.append(planned(random, self.extents))
            self.tally.wrong += [f"{plans}: {what}" for what in self._kill(plans[-1], casebook)]
        wrong = list(self._resumed(casebook, random.choice(self.batches)))
        self.tally.wrong += [f"{plans}, then scanned: {what}" for what in wrong]
        if not wrong:
            shutil.rmtree(casebook)

    def _kill(self, kill: Kill, casebook: Path) -> Iterator[str]:
        done = killed(kill, self.cores, casebook)
        if not done.struck:
            self.tally.missed += 1
        else:
            self.tally.kills += 1
            self.tally.victims[kill.victim] += 1
            self.tally.moments["clock" if kill.events is None else "event"] += 1
        self.tally.left_running += bool(done.left_over)
        self.tally.tracebacks += TRACEBACK in done.errors
        if done.left_over:
            yield f"still running: {done.left_over}"
        if TRACEBACK in done.errors:
            yield done.errors
        if exists(str(casebook)):
            self.tally.cut_within_commit += _cut_within_commit(casebook)
            yield from broken(casebook)

    def _resumed(self, casebook: Path, batch: int | None) -> Iterator[str]:
        for turn in ("resumed", "scanned once more"):
            done = scan(self.cores, casebook, batch=batch)
            if done.returncode or TRACEBACK in done.stderr.decode():
                yield f"{turn}: exit status {done.returncode}, {done.stderr.decode()}"
            if sorted(done.stdout.splitlines()) != self.printed:
                yield f"{turn}: prints other cases"
        yield from broken(casebook)
        yield from differing(told(casebook), self.told)


def differing(found: Told, wanted: Told) -> Iterator[str]:
    """Rows that are missing, too many or others, view by view."""
    for view, rows in wanted.items():
        if found[view] != rows:
            more, fewer = Counter(found[view]) - Counter(rows), Counter(rows) - Counter(found[view])
            yield f"{view}: {sum(fewer.values())} rows lost, {sum(more.values())} too many: {[*fewer, *more][:1]}"


def _cut_within_commit(casebook: Path) -> bool:
    """Whether rows lie there that no version of the casebook names."""
    versions = {path.parent.name: _newest(path) for path in casebook.glob("*/_delta_log")}
    named = _named(casebook)
    return any(versions.get(table, 0) > version for table, version in named.items())


def _newest(log: Path) -> int:
    return max((int(path.stem) for path in log.glob("*.json") if path.stem.isdigit()), default=0)


def _named(casebook: Path) -> dict[str, int]:
    tables = {**dict.fromkeys(OF_A_BATCH, 0), **open_tables(str(casebook))[1].tables}
    return {name: tables[name] for name in OF_A_BATCH}
