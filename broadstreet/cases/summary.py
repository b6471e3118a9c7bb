"""What a scan adds up to: mechanisms, what was unreadable, and which binaries would unlock the most."""

from collections import Counter
from dataclasses import dataclass, field

from broadstreet.labels import MECHANISMS, SELDOM_JUDGED
from broadstreet.records.case import Case, Outcome, Unreadable
from broadstreet.records.exposure import SIMULATED


@dataclass
class Summary:
    """Counts of a scan so far."""

    cases: int = 0
    mechanisms: Counter[str] = field(default_factory=Counter)
    contexts: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    bytes_read: int = 0
    bytes_present: int = 0
    missing_binaries: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    incomplete: int = 0
    known: int = 0  # of all, read before
    simulated: int = 0

    def add(self, outcome: Outcome, known: bool = False) -> None:
        """Count one more outcome; `known`: it was read before, and no byte of it now."""
        self.known += known
        if isinstance(outcome, Unreadable):
            self.unreadable[outcome.kind] += 1
            return
        self.cases += 1
        self.mechanisms[outcome.mechanism] += 1
        if not known:
            self.bytes_read += outcome.bytes_read
            self.bytes_present += outcome.bytes_present
        self.simulated += SIMULATED in outcome.circumstances.labels
        self.incomplete += any(gap.what in _DAMAGE for gap in outcome.missing)
        for finding in outcome.findings[len(MECHANISMS) :]:
            self.contexts[finding.label] += finding.state == "holds"
        if any(f.state == "not_judged" and f.label not in SELDOM_JUDGED for f in outcome.findings):
            self.missing_binaries.update(_wanted(outcome))


_DAMAGE = ("memory", "notes", "program headers", "registers")


def _wanted(case: Case) -> set[tuple[str, str | None]]:
    """The binaries that this case asked for in vain: path and build id."""
    asked = {gap.what.removeprefix("binary ") for gap in case.missing if gap.what.startswith("binary ")}
    return {(module.path, module.build_id) for module in case.modules if module.path in asked and not module.found}
