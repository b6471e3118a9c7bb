"""Counts over one set of judged crashes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from broadstreet.lab.score.judged import Judged
from broadstreet.lab.score.ratios import HARDWARE_FINDING, counted, held
from broadstreet.records.weights import STRICT, Count

UNLABELLED = "unlabelled"
NOT_JUDGED, UNCLASSIFIED = "not_judged", "unclassified"


@dataclass
class Tally:
    """What became of the crashes of a set.

    `bugs` are those of software that imitate nothing. `right`, `wrong` and `not_judged` count those of which a label
    was claimed. `confusions` are pairs of what was expected and what was found. `hits` are hardware findings per
    kind; `imitators` name the mechanisms of bugs whose planted mechanism is a hardware finding itself, which are in no
    rate; `false_findings` name the crashes of software that have one though no perfect reader would.
    """

    crashes: int = 0
    bugs: int = 0
    claimed: int = 0
    right: int = 0
    not_judged: int = 0
    wrong: list[Judged] = field(default_factory=list)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)
    builds: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    contexts: Counter[tuple[str, str]] = field(default_factory=Counter)
    hits: dict[str, Count] = field(default_factory=dict)
    false_findings: list[Judged] = field(default_factory=list)
    imitators: list[str] = field(default_factory=list)

    @property
    def mean_hits(self) -> float:
        """The share with a hardware finding, averaged over kinds."""
        counts = [count for count in self.hits.values() if count.judged]
        return sum(count.held / count.judged for count in counts) / len(counts) if counts else 0.0


def tally(crashes: Iterable[Judged]) -> Tally:
    """Count a set."""
    every = list(crashes)
    counts = Tally(crashes=len(every))
    counts.bugs = sum(one.truth.cause == "software" and not one.is_imitator for one in every)
    counts.imitators = [
        one.truth.mechanism
        for one in every
        if one.truth.cause == "software" and one.is_imitator and one.truth.family != "imitator"
    ]
    for one in every:
        if one.truth.expected is not None:
            _claimed(counts, one, one.truth.expected)
        if one.truth.cause == "software" and not one.is_imitator and one.holds & set(STRICT):
            counts.false_findings.append(one)
    counts.hits = counted(every, HARDWARE_FINDING, lambda one: one.truth.mechanism)
    for one in every:
        if held(one, HARDWARE_FINDING) is None:  # a miss, for whoever asks how many are found
            kind = one.truth.mechanism
            before = counts.hits.get(kind, Count(0, 0))
            counts.hits[kind] = Count(before.held, before.judged + 1)
    return counts


def _claimed(counts: Tally, one: Judged, expected: tuple[str, ...]) -> None:
    counts.claimed += 1
    found = UNLABELLED if one.case.mechanism == UNCLASSIFIED else one.case.mechanism
    outcome = "not judged" if found == NOT_JUDGED else "right" if found in expected else "wrong"
    counts.builds[one.truth.program, one.truth.build][outcome] += 1
    counts.confusions[found if outcome == "right" else expected[0], found] += 1
    if outcome == "right":
        counts.right += 1
    elif outcome == "not judged":
        counts.not_judged += 1
    else:
        counts.wrong.append(one)
    for label in one.truth.context:
        counts.contexts[label, f"{one.states.get(label, NOT_JUDGED).replace('_', ' ')} where true"] += 1
    for label in one.truth.context_not:
        if one.states.get(label) == "holds":
            counts.contexts[label, "holds where false"] += 1


def tally_of(parts: Iterable[Tally]) -> Tally:
    """The hits of several sets together."""
    hits: dict[str, Count] = {}
    for one in parts:
        for kind, count in one.hits.items():
            before = hits.get(kind, Count(0, 0))
            hits[kind] = Count(before.held + count.held, before.judged + count.judged)
    return Tally(hits=hits)


def matrix(crashes: Iterable[Judged]) -> Iterator[tuple[str, str, str, str, int]]:
    """How often what was planted was found as what: program, build, planted, found, crashes. Abstentions are rows."""
    counts = Counter((one.truth.program, one.truth.build, one.truth.mechanism, one.case.mechanism) for one in crashes)
    for (program, build, planted, found), number in sorted(counts.items()):
        yield program, build, planted, found, number
