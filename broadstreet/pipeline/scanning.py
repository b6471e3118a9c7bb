"""Scan into a casebook: what was read before is told from there, the rest is read, and kept batch by batch.

Whoever is killed loses no more than the batch at hand, and the next scan goes on from there. At the end the new cases
are put into syndromes, and that is kept: what was decided of a crash does not change because others came later.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from broadstreet import __version__, labels
from broadstreet.errors import BroadStreetError
from broadstreet.pipeline.grouping import keep_new
from broadstreet.pipeline.reading import reading_of
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.reader import READER_VERSION
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.records.wanted import BinaryWanted
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.blob import BytesCore
from broadstreet.store.casebook import Casebook
from broadstreet.store.pages import case_named
from broadstreet.store.questions import Questions
from broadstreet.store.rows import Row

LISTED_AT_ONCE = 2000  # specimens that are looked up together
BATCH = 2000  # specimens, or
BATCH_BYTES = 64 << 20  # of evidence, or
BATCH_SECONDS = 30.0
Tell = Callable[[Examined], None]
Examine = Callable[[Iterable[Specimen]], Iterator[Examined]]


@dataclass
class Scan:
    """One scan into a casebook, and what came of it so far.

    `ungrouped` says why the syndromes of what is new could not be kept; null where they are.
    """

    book: Casebook
    url: str
    sources: tuple[str, ...]
    keep: str
    reread: bool = False
    binaries: Binaries | None = None
    read: int = 0
    known: int = 0
    unreadable: int = 0
    ungrouped: str | None = None
    _before: dict[str, Row] = field(default_factory=dict)  # rows of specimens that are read again
    _arrived: dict[str, bool] = field(default_factory=dict)

    def outcomes(self, specimens: Iterable[Specimen], examine: Examine, tell: Tell) -> Iterator[Examined]:
        """What comes of each specimen that is read now; `tell` is called with each that was read before."""
        batch: list[Examined] = []
        flushed, weight = time.monotonic(), 0
        with Questions(self.url) as before:
            scan = self.book.begin(self.sources, __version__)
            for one in map(self.book.fitting, examine(self._new(specimens, before, tell))):
                batch.append(one)
                weight += len(one.evidence or b"")
                self.read += 1
                self.unreadable += isinstance(one.outcome, Unreadable)
                yield replace(one, evidence=None)
                if self._had_a_case(one):
                    self.known += 1
                    tell(next(_told([(one.specimen, self._before[one.specimen.specimen_id])], before)))
                if len(batch) >= BATCH or weight >= BATCH_BYTES or time.monotonic() - flushed > BATCH_SECONDS:
                    self._keep(batch, scan)
                    batch, flushed, weight = [], time.monotonic(), 0
        self._keep(batch, scan)
        self.book.end(scan, self.sources, __version__, self.read, self.known, self.unreadable)
        try:
            keep_new(self.book, self.url)
        except BroadStreetError as error:  # the cases are kept; the next scan, or a person, groups them
            self.ungrouped = str(error)

    def _new(self, specimens: Iterable[Specimen], before: Questions, tell: Tell) -> Iterator[Specimen]:
        rest = iter(specimens)
        while listed := list(islice(rest, LISTED_AT_ONCE)):
            rows = before.known([specimen.specimen_id for specimen in listed])
            settled: list[tuple[Specimen, Row]] = []
            for specimen in listed:
                row = rows.get(specimen.specimen_id)
                if row is None:
                    yield specimen
                elif row["retry"] or (self.reread and self._is_stale(row)):
                    self._before[specimen.specimen_id] = row
                    yield specimen
                else:
                    settled.append((specimen, row))
            self.known += len(settled)
            for one in _told(settled, before):
                tell(one)

    def _is_stale(self, row: Row) -> bool:
        if row["reader_version"] < READER_VERSION:
            return True
        return any(self._has_arrived(name) for name in row["lacking"] or ())

    def _has_arrived(self, name: str) -> bool:
        if name not in self._arrived:
            wanted = BinaryWanted(name, None) if "/" in name else BinaryWanted("", name)
            self._arrived[name] = self.binaries is not None and self.binaries.find(wanted) is not None
        return self._arrived[name]

    def _keep(self, batch: list[Examined], scan: str) -> None:
        changed = [one for one in batch if not self._tells_no_more(one)]
        again = {one.specimen.specimen_id: self._before.pop(one.specimen.specimen_id, None) for one in changed}
        generations = {name: row["generation"] + 1 for name, row in again.items() if row is not None}
        if changed:
            verb = "reread" if self.reread else "scan"
            self.book.add(changed, scan, self.keep, READER_VERSION, generations, verb)

    def _tells_no_more(self, one: Examined) -> bool:
        row = self._before.get(one.specimen.specimen_id)
        failed = row is not None and isinstance(one.outcome, Unreadable) and row["unreadable"] == one.outcome.kind
        return failed or self._had_a_case(one)

    def _had_a_case(self, one: Examined) -> bool:
        """What cannot be read again keeps the case that it gave: a case is never lost to a failure."""
        row = self._before.get(one.specimen.specimen_id)
        return row is not None and isinstance(one.outcome, Unreadable) and row["unreadable"] is None


def relabel(book: Casebook, url: str) -> Iterator[int]:
    """Judge again, from their stored features, all cases that other rules judged; how many, batch by batch."""
    with Questions(url) as before:
        for stale in before.judged_by(labels.RULES_VERSION):
            yield book.add_judged([(specimen, judged(case)) for specimen, case in stale])


def judged(case: Case) -> Case:
    """The case with the findings that the rules of today make of its features."""
    found = labels.findings(case.features)
    return replace(case, findings=found, mechanism=labels.mechanism(found), rules_version=labels.RULES_VERSION)


def stored_cases(questions: Questions, readings: Sequence[int]) -> Iterator[Case]:
    """Stored cases with the evidence of their findings; those that other rules judged have none."""
    for case in questions.cases_of(readings, labels.RULES_VERSION):
        yield judged(case) if case.rules_version == labels.RULES_VERSION else case


def stored_case(url: str, name: str, binaries: Binaries, number: int | None = None) -> tuple[Case, MachineState | None]:
    """A case by its id or the beginning of it, and the machine state that its evidence gives; null where none is.

    As it is now, or was at version `number`.
    """
    with Questions(url, number) as questions:
        row = case_named(questions, name)
        case = next(stored_cases(questions, [row["reading"]]))
        core = questions.evidence(case.case_id)
    return case, None if core is None else reading_of(BytesCore(core), binaries).state


def _told(settled: list[tuple[Specimen, Row]], before: Questions) -> Iterator[Examined]:
    readable = [row["reading"] for _, row in settled if row["unreadable"] is None]
    cases = stored_cases(before, readable)
    for specimen, row in settled:
        if row["unreadable"] is None:
            yield Examined(specimen, next(cases))
        else:
            yield Examined(
                specimen, Unreadable(specimen.location, row["unreadable"], row["reason"], unsettled=row["retry"])
            )
