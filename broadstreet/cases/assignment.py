"""Traces into syndromes, one after another in the order in which they first happened.

A trace joins the syndrome of the trace that it is most alike, if that probably has the same cause; else it founds one.
Where it is so alike to two syndromes, they become one: the younger is another name of the elder. So what comes out does
not hang on what came first, but for the names. Candidates come from an index on the most telling frames.

What was decided before stays; a person's word outweighs everything: syndromes that a person split are never joined.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Literal, NamedTuple

from broadstreet.cases.alignment import Weighed, similarity, weighed
from broadstreet.cases.frame_rules import FrameRules
from broadstreet.cases.relevance import Population, Relevant, relevant

ALGORITHM = "1"
SAME = 0.8  # probability from which two traces are one syndrome
ASK = 0.4  # and from which the nearest syndrome is worth a person's look
INDEXED = 8  # most telling frames of a trace under which it is found
POSTINGS = 64  # traces that are found under one frame
OF_ONE_SYNDROME = 4  # of them, of one syndrome
CANDIDATES = 24  # that are compared
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
    rival: str | None
    margin: float | None


class Merge(NamedTuple):
    """Two syndromes that a later trace showed to be one; `trace` is that one."""

    syndrome: str
    into: str
    trace: str


class Candidate(NamedTuple):
    """A trace that was compared, by its number."""

    similarity: float
    stack: int


@dataclass
class Syndromes:
    """The syndromes so far. `calibrated` gives the probability of a similarity, `apart` pairs that never are one."""

    population: Population
    calibrated: Callable[[float], float]
    apart: set[frozenset[str]] = field(default_factory=set)
    _stacks: list[Weighed] = field(default_factory=list)
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
        if self.now(syndrome) != self.now(into):
            self._into[self.now(syndrome)] = self.now(into)

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
            return Assignment(trace, own, "same", 1.0, 1.0, self._trace_of[known], None, None), []
        weighted = weighed(stack, self.population)
        best = self._best(weighted)
        if not best or self.calibrated(best[0][1].similarity) < SAME:
            return self._founded(trace, stack, weighted, best), []
        (own, first), rest = best[0], best[1:]
        merges = []
        for other, second in rest:
            if self.calibrated(second.similarity) >= SAME and not self._kept_apart(own, other):
                elder, younger = sorted((own, other), key=self._born.__getitem__)
                merges.append(Merge(younger, elder, trace))
                self._join(younger, elder)
                own = elder
        left = [(other, one) for other, one in rest if self.now(other) != own]
        chance = self.calibrated(first.similarity)
        rival, margin = self._rival(left, chance)
        self._file(trace, stack, own, weighted)
        nearest = self._trace_of[first.stack]
        return Assignment(trace, own, "same", first.similarity, chance, nearest, rival, margin), merges

    def _founded(self, trace: str, stack: Relevant, weighted: Weighed, best: list[tuple[str, Candidate]]) -> Assignment:
        own = next(one for one in (f"S-{trace[:n]}" for n in ID_DIGITS) if one not in self._born)
        rival, margin = self._rival(best, 0.0)
        self._born[own] = len(self._born)
        self._file(trace, stack, own, weighted)
        asks = bool(best) and self.calibrated(best[0][1].similarity) >= ASK
        return Assignment(trace, own, "ask" if asks else "new", None, None, None, rival, margin)

    def _rival(self, best: list[tuple[str, Candidate]], chance: float) -> tuple[str | None, float | None]:
        if not best:
            return None, None
        return best[0][0], chance - self.calibrated(best[0][1].similarity)

    def _kept_apart(self, one: str, other: str) -> bool:
        return frozenset((one, other)) in self.apart

    def _join(self, younger: str, elder: str) -> None:
        self._into[younger] = elder
        moved = {pair for pair in self.apart if younger in pair}
        self.apart |= {frozenset((elder, *(pair - {younger}))) for pair in moved}

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
        chosen = nlargest(CANDIDATES, hits.items(), key=lambda item: (item[1], -item[0]))
        return (stack for stack, _ in chosen)

    def _file(self, trace: str, stack: Relevant, syndrome: str, weighted: Weighed | None = None) -> None:
        weighted = weighted or weighed(stack, self.population)
        number = len(self._stacks)
        self._number[stack] = number
        self._stacks.append(weighted)
        self._trace_of.append(trace)
        self._syndrome_of.append(syndrome)
        if weighted.kind == "nothing":
            return
        for frame, _ in _telling(weighted):
            there = self._index.setdefault(frame, [])
            times = self._filed.get((frame, syndrome), 0)
            if times < OF_ONE_SYNDROME and len(there) < POSTINGS:
                there.append(number)
                self._filed[frame, syndrome] = times + 1


def _telling(weighted: Weighed) -> list[tuple[str, float]]:
    return nlargest(INDEXED, weighted.weights.items(), key=lambda item: (item[1], item[0]))


def assigned(
    traces: Sequence[tuple[str, Sequence[str]]],
    before: Mapping[str, str],
    rules: FrameRules,
    calibrated: Callable[[float], float],
    merged: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
) -> tuple[list[Assignment], list[Merge]]:
    """What becomes of the traces, exact key and frames in the order of time, that have no syndrome in `before`."""
    stacks = [relevant(frames, rules) for _, frames in traces]
    syndromes = Syndromes(Population(list(dict.fromkeys(stacks))), calibrated, {frozenset(pair) for pair in apart})
    for syndrome, into in merged:
        syndromes.merge(syndrome, into)
    for (trace, _), stack in zip(traces, stacks, strict=True):
        if trace in before:
            syndromes.place(trace, stack, before[trace])
    decided: list[Assignment] = []
    merges: list[Merge] = []
    for (trace, _), stack in zip(traces, stacks, strict=True):
        if trace not in before:
            one, also = syndromes.assign(trace, stack)
            decided.append(one)
            merges += also
    old = set(before.values())
    kept = [merge for merge in merges if merge.syndrome in old]
    return [one._replace(syndrome=_as_kept(one.syndrome, old, syndromes)) for one in decided], kept


def _as_kept(syndrome: str, old: set[str], syndromes: Syndromes) -> str:
    """A syndrome that nobody saw yet needs no second name."""
    return syndrome if syndrome in old else syndromes.now(syndrome)
