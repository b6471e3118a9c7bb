"""One case from near, as a page shows it again and again: a version of a casebook that stays open.

A casebook takes tenths of a second to open and milliseconds to ask, but only one question at a time. So it is kept
open while its atlas is looked at, behind a lock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Any, NamedTuple

import pyarrow as pa

from broadstreet.cases.close_up import CloseUp, close_up
from broadstreet.errors import NotInCasebook, UnreadableSpecimen
from broadstreet.pipeline.reading import THINKING, BinarySources, reading_of, source_lines
from broadstreet.pipeline.scanning import stored_cases
from broadstreet.records.case import Case
from broadstreet.records.line import Line
from broadstreet.sources.blob import BytesCore
from broadstreet.store import one_case
from broadstreet.store.questions import Questions

MOST_OPEN = 2  # the newest version, and the one before, which somebody may still look at
MOST_SYNDROMES = 200  # whose modules are remembered


class NearCase(NamedTuple):
    """A case and all that its casebook has of it.

    `near` and `lines` are null and empty where no evidence is kept, or where it cannot be read: `damage` says why.
    `readings` are all of this crash, the newest first; `contradictions` the findings in which they differ.
    """

    case: Case
    kept: one_case.Kept | None
    near: CloseUp | None
    lines: Mapping[int, Sequence[Line]]
    damage: str | None
    readings: Sequence[Mapping[str, Any]]
    contradictions: Sequence[Mapping[str, Any]]


@dataclass
class OpenCasebook:
    """One version of a casebook, open; may be asked from several threads, which wait for one another."""

    url: str
    version: int
    sources: BinarySources
    _lock: Any = field(default_factory=RLock)
    _builds: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._questions = Questions(self.url, self.version)
        self._binaries = self.sources.open()

    def close(self) -> None:
        """Let go of its files, once nobody asks."""
        with self._lock:
            self._questions.close()

    def near(self, reading: int, has_evidence: bool = True) -> NearCase:
        """The case of a reading, from near; who knows that no evidence of it is kept spares the look for it."""
        with self._lock:
            case = next(stored_cases(self._questions, [reading]), None)
            if case is None:
                raise NotInCasebook("That case is not in this version of the casebook.", "Load the page again.")
            kept = one_case.kept(self._questions, reading) if has_evidence else None
            near, lines, damage = self._seen(kept.core) if kept else (None, {}, None)
            readings = one_case.readings(self._questions, case.case_id)
            differ = one_case.contradictions(self._questions, case.case_id) if len(readings) > 1 else []
        return NearCase(case, kept, near, lines, damage, readings, differ)

    def evidence(self, case_id: str) -> bytes | None:
        """The slim core dump of a case; null where none is kept."""
        with self._lock:
            return self._questions.evidence(case_id)

    def builds(self, syndrome: str, sets: Callable[[], pa.Table]) -> Mapping[tuple[str, str], int]:
        """How many cases of a syndrome show each build id at each path; `sets` gives its sets of modules."""
        with self._lock:
            if syndrome not in self._builds:
                while len(self._builds) >= MOST_SYNDROMES:
                    self._builds.pop(next(iter(self._builds)))
                self._builds[syndrome] = one_case.builds(self._questions, sets())
            return self._builds[syndrome]

    def boots(self, host: str) -> list[dict[str, Any]]:
        """When a host booted; none where the fleet does not tell."""
        with self._lock:
            return one_case.boots(self._questions, host)

    def _seen(self, core: bytes) -> tuple[CloseUp | None, Mapping[int, Sequence[Line]], str | None]:
        try:
            with THINKING:
                state = reading_of(BytesCore(core), self._binaries).state
                return (None, {}, None) if state is None else (close_up(state), source_lines(state), None)
        except UnreadableSpecimen as error:
            return None, {}, str(error)


_OPEN: dict[tuple[str, int, str, BinarySources], OpenCasebook] = {}
_OPENING = Lock()


def at_hand(url: str, version: int, since: str, sources: BinarySources) -> OpenCasebook:
    """That version, opened if it is not; of several the one that was longest open is closed.

    `since` is when its atlas was drawn: another casebook may lie at this address now, with the same version.
    """
    key = (url, version, since, sources)
    with _OPENING:
        if key not in _OPEN:
            while len(_OPEN) >= MOST_OPEN:
                _OPEN.pop(next(iter(_OPEN))).close()
            _OPEN[key] = OpenCasebook(url, version, sources)
        return _OPEN[key]
