"""Traces into syndromes, one after another in the order in which they first happened.

A trace joins the syndrome of the trace that it is most alike, if that probably has the same cause; else it founds one.
Where it is so alike to two syndromes, they become one: the younger is another name of the elder. So what comes out does
not hang on what came first, but for the names. Candidates come from an index on the most telling frames.

What was decided before stays; a person's word outweighs everything: syndromes that a person split are never joined.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Literal, NamedTuple

from broadstreet.cases.alignment import HALF, Weighed, alignment, similarity, weighed
from broadstreet.cases.frame_rules import FrameRules
from broadstreet.cases.relevance import Population, Relevant, relevant

ALGORITHM = "1"
SAME = 0.8  # probability from which two traces are one syndrome
ASK = 0.4  # and from which the nearest syndrome is worth a person's look
INDEXED = 8  # most telling frames of a trace under which it is found
POSTINGS = 64  # traces that are found under one frame
OF_ONE_SYNDROME = 4  # of them, of one syndrome
CANDIDATES = 16  # that are compared
LEAST_SHARED = HALF / 4  # else no similarity is above 0.2
ID_DIGITS = (8, 12, 16)

Outcome = Literal["same", "new", "ask"]


class Assignment(NamedTuple):
    """One trace and its syndrome. `nearest` is the trace that it is most alike, `rival` the nearest other syndrome."""

    trace: str
    syndrome: str
    outcome: Outcome
    similarity: float | None
    probability: float | None
    nearest: str | None
    aligned: tuple[tuple[str, float], ...] | None
    rival: str | None
    margin: float | None


class Split(NamedTuple):
    """What a person took out of a syndrome: `frame` is one that its traces have; null: only those that were named."""

    parent: str
    child: str
    frame: str | None


class Merge(NamedTuple):
    """Two syndromes that a later trace showed to be one; `trace` is that one."""

    syndrome: str
    into: str
    trace: str
    probability: float


class Candidate(NamedTuple):
    """A trace that was compared, by its number."""

    similarity: float
    stack: int


@dataclass
class Syndromes:
    """The syndromes so far. `calibrated` gives the probability of one cause at a similarity."""

    population: Population
    calibrated: Callable[[float], float]
    _apart: set[frozenset[str]] = field(default_factory=set)
    _stacks: dict[int, Weighed] = field(default_factory=dict)
    _trace_of: list[str] = field(default_factory=list)
    _syndrome_of: list[str] = field(default_factory=list)
    _number: dict[Relevant, int] = field(default_factory=dict)
    _index: dict[str, list[int]] = field(default_factory=dict)
    _filed: dict[tuple[str, str], int] = field(default_factory=dict)
    _born: dict[str, int] = field(default_factory=dict)
    _into: dict[str, str] = field(default_factory=dict)

    def now(self, syndrome: str) -> str:
        """The name under which a syndrome goes now."""
        while syndrome in self._into:
            syndrome = self._into[syndrome]
        return syndrome

    def merge(self, syndrome: str, into: str) -> None:
        """From now on the one is another name of the other."""
        for one in (into, syndrome):
            self._born.setdefault(one, len(self._born))
        self._into[syndrome] = into

    def avoid(self, syndrome: str) -> None:
        """A name that is not to be given."""
        self._born.setdefault(syndrome, len(self._born))

    def keep_apart(self, one: str, other: str) -> None:
        """A person split these: no trace makes them one again."""
        self._apart.add(frozenset((self.now(one), self.now(other))))

    def place(self, trace: str, stack: Relevant, syndrome: str) -> None:
        """What was decided before."""
        self._born.setdefault(syndrome, len(self._born))
        if stack not in self._number:
            self._file(trace, stack, syndrome)

    def assign(self, trace: str, stack: Relevant) -> tuple[Assignment, list[Merge]]:
        """Decide on one trace; the merges that it makes come along."""
        known = self._number.get(stack)
        if known is not None:
            own = self.now(self._syndrome_of[known])
            return Assignment(trace, own, "same", 1.0, 1.0, self._trace_of[known], None, None, None), []
        weighted = weighed(stack, self.population)
        best = self._best(weighted)
        if not best or self.calibrated(best[0][1].similarity) < SAME:
            return self._founded(trace, stack, weighted, best), []
        (own, first), rest = best[0], best[1:]
        merges = []
        for other, second in rest:
            if self.calibrated(second.similarity) >= SAME and not self._kept_apart(own, other):
                elder, younger = sorted((own, other), key=self._born.__getitem__)
                merges.append(Merge(younger, elder, trace, self.calibrated(second.similarity)))
                self._join(younger, elder)
                own = elder
        left = [(other, one) for other, one in rest if self.now(other) != own]
        chance = self.calibrated(first.similarity)
        rival, margin = self._rival(left, chance)
        self._file(trace, stack, own, weighted)
        nearest, both = self._trace_of[first.stack], alignment(weighted, self._stacks[first.stack]).frames
        return Assignment(trace, own, "same", first.similarity, chance, nearest, both, rival, margin), merges

    def _founded(self, trace: str, stack: Relevant, weighted: Weighed, best: list[tuple[str, Candidate]]) -> Assignment:
        own = next(one for one in (f"S-{trace[:n]}" for n in ID_DIGITS) if one not in self._born)
        rival, margin = self._rival(best, 0.0)
        self._born[own] = len(self._born)
        self._file(trace, stack, own, weighted)
        asks = bool(best) and self.calibrated(best[0][1].similarity) >= ASK
        return Assignment(trace, own, "ask" if asks else "new", None, None, None, None, rival, margin)

    def _rival(self, best: list[tuple[str, Candidate]], chance: float) -> tuple[str | None, float | None]:
        if not best:
            return None, None
        return best[0][0], chance - self.calibrated(best[0][1].similarity)

    def _kept_apart(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self._apart

    def _join(self, younger: str, elder: str) -> None:
        self._into[younger] = elder
        moved = {pair for pair in self._apart if younger in pair}
        self._apart |= {frozenset((elder, *(pair - {younger}))) for pair in moved}

    def _best(self, weighted: Weighed) -> list[tuple[str, Candidate]]:
        """The nearest trace of each syndrome that came up, the nearest syndrome first, the elder of two as near."""
        found: dict[str, Candidate] = {}
        for stack in self._candidates(weighted):
            near = similarity(weighted, self._stacks[stack])
            own = self.now(self._syndrome_of[stack])
            if near > 0.0 and (own not in found or near > found[own].similarity):
                found[own] = Candidate(near, stack)
        return sorted(found.items(), key=lambda item: (-item[1].similarity, item[1].stack))

    def _candidates(self, weighted: Weighed) -> Iterator[int]:
        hits: dict[int, float] = {}
        for frame, weight in _telling(weighted):
            for stack in self._index.get(frame, ()):
                hits[stack] = hits.get(stack, 0.0) + weight
        worth = [(weight, -stack) for stack, weight in hits.items() if weight > LEAST_SHARED]
        return (-stack for _, stack in nlargest(CANDIDATES, worth))

    def _file(self, trace: str, stack: Relevant, syndrome: str, weighted: Weighed | None = None) -> None:
        weighted = weighted or weighed(stack, self.population)
        number = len(self._trace_of)
        self._number[stack] = number
        self._trace_of.append(trace)
        self._syndrome_of.append(syndrome)
        if weighted.kind == "nothing":
            return
        for frame, _ in _telling(weighted):
            there = self._index.setdefault(frame, [])
            times = self._filed.get((frame, syndrome), 0)
            if times < OF_ONE_SYNDROME and len(there) < POSTINGS:
                there.append(number)
                self._stacks[number] = weighted
                self._filed[frame, syndrome] = times + 1


def _telling(weighted: Weighed) -> list[tuple[str, float]]:
    frames = [(frame, counted.weight) for frame, counted in weighted.frames.items()]
    return frames if len(frames) <= INDEXED else nlargest(INDEXED, frames, key=lambda item: (item[1], item[0]))


def assigned(
    traces: Sequence[tuple[str, Sequence[str]]],
    before: Mapping[str, str],
    rules: FrameRules,
    calibrated: Callable[[float], float],
    into: Mapping[str, str] | None = None,
    splits: Sequence[Split] = (),
    taken: Collection[str] = (),
) -> tuple[list[Assignment], list[Merge]]:
    """What becomes of the traces, exact key and frames in the order of time, that have no syndrome in `before`.

    `into` are the other names that syndromes go by now. No such name is given again, nor one that is `taken`.
    """
    stacks = [relevant(frames, rules) for _, frames in traces]
    syndromes = Syndromes(Population(list(dict.fromkeys(stacks))), calibrated)
    for syndrome, other in (into or {}).items():
        syndromes.merge(syndrome, other)
    for name in taken:
        syndromes.avoid(name)
    for split in splits:
        syndromes.keep_apart(split.parent, split.child)
    for (trace, _), stack in zip(traces, stacks, strict=True):
        if trace in before:
            syndromes.place(trace, stack, before[trace])
    decided: list[Assignment] = []
    merges: list[Merge] = []
    for (trace, frames), stack in zip(traces, stacks, strict=True):
        if trace not in before:
            one, also = syndromes.assign(trace, stack)
            decided.append(_split(one, frames, splits, syndromes))
            merges += also
    old = set(before.values())
    by = {merge.syndrome: merge for merge in merges}
    decided = [_as_kept(one, old, by, syndromes) for one in decided]
    return decided, [merge for merge in merges if merge.syndrome in old]


def _split(one: Assignment, frames: Sequence[str], splits: Sequence[Split], syndromes: Syndromes) -> Assignment:
    for split in splits:
        child = syndromes.now(split.child)
        if split.frame is None or one.syndrome not in (child, syndromes.now(split.parent)):
            continue
        one = one._replace(syndrome=child if split.frame in frames else syndromes.now(split.parent))
    return one


def _as_kept(one: Assignment, old: set[str], by: Mapping[str, Merge], syndromes: Syndromes) -> Assignment:
    """A syndrome that nobody saw yet needs no second name."""
    merge = by.get(one.syndrome)
    if one.syndrome in old or merge is None:
        return one
    own = syndromes.now(one.syndrome)
    if one.outcome == "same":
        return one._replace(syndrome=own)
    return one._replace(syndrome=own, outcome="same", probability=merge.probability, nearest=merge.trace)
