"""What the doctor asks of a casebook, answered by one."""

from collections.abc import Mapping, Sequence

from broadstreet import labels
from broadstreet.reading.reader import READER_VERSION
from broadstreet.records.columns import FLEET
from broadstreet.store import coverage
from broadstreet.store.questions import Questions


class CasebookFacts:
    """One open casebook."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def missing_binaries(self) -> Sequence[tuple[str, str | None, int]]:
        """Path, build id and the number of cases that each would unlock, the most first."""
        return coverage.missing_binaries(self._questions)

    def coverage(self) -> Mapping[str, int]:
        """How many cases there are, and how many of them lack what."""
        return coverage.coverage(self._questions, READER_VERSION, labels.RULES_VERSION)

    def fleet_rows(self) -> Mapping[str, int]:
        """How many rows each table of the fleet has; one that is not there has none."""
        return {name: coverage.rows(self._questions, name) for name in FLEET}

    def hosts_unknown_to_fleet(self) -> Sequence[tuple[str, int]]:
        """Hosts of cases that the table `hosts` does not have, with their cases, the most first."""
        return coverage.hosts_unknown_to_fleet(self._questions)
