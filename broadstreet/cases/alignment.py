"""How alike two traces are: frames of both, matched in order of their depth, each by what it tells.

A trace is *contained* in another as far as what it tells stands there too, nearly as deep; the same crash seen with
one more frame inside (a callee that was inlined elsewhere, a stack that could be read further) is contained. Two traces
that each have something telling that the other lacks are not. How much they *share* is what the matched frames tell
together: two stacks that have nothing in common but `run_loop` share almost nothing, however well they match.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from broadstreet.cases.relevance import Kind, Population, Relevant

GAP = 0.05  # of depth: a frame that is one deeper in the other trace counts exp(-GAP)
MATCHED: dict[str, Callable[[float, float], float]] = {"code": max, "shared": min}  # an interpreter contains much
HALF = 0.02  # what two traces must share for the similarity to be half of how far one is contained in the other


class Counted(NamedTuple):
    """A frame of a trace: how deep it lies, its share by the rules, and what it counts in all."""

    depth: float
    share: float
    weight: float


class Weighed(NamedTuple):
    """A trace with what each of its frames counts."""

    frames: dict[str, Counted]
    total: float
    ending: str
    kind: Kind


class Alignment(NamedTuple):
    """How alike two traces are. `frames` are those of both, with what each counts."""

    similarity: float
    contained: float
    shared: float
    frames: tuple[tuple[str, float], ...]


NOTHING = Alignment(0.0, 0.0, 0.0, ())


def weighed(trace: Relevant, population: Population) -> Weighed:
    """The trace, each frame by what it tells and how near it is to the crash."""
    frames = {}
    depth = total = 0.0
    for frame, share in zip(trace.frames, trace.shares, strict=True):
        weight = share * population.tells.get(frame, 1.0) / (1.0 + depth)
        frames[frame] = Counted(depth, share, weight)
        total += weight
        depth += share
    return Weighed(frames, total, trace.ending, trace.kind)


def similarity(one: Weighed, other: Weighed) -> float:
    """From 0, nothing in common, to 1."""
    return _measured(one, other)[0]


def alignment(one: Weighed, other: Weighed) -> Alignment:
    """How alike two traces are, and by which frames."""
    near, contained, shared = _measured(one, other)
    if not shared:
        return NOTHING
    both = [(frame, first, other.frames[frame]) for frame, first in one.frames.items() if frame in other.frames]
    counts = tuple((frame, min(first.weight, second.weight) * _near(first, second)) for frame, first, second in both)
    return Alignment(near, contained, shared, counts)


def _measured(one: Weighed, other: Weighed) -> tuple[float, float, float]:
    """Similarity, how far the one is contained in the other, and what they share."""
    if one.ending != other.ending or one.kind == "nothing" or other.kind == "nothing":
        return 0.0, 0.0, 0.0
    mine = theirs = shared = 0.0
    find = other.frames.get
    for frame, first in one.frames.items():
        second = find(frame)
        if second is None:
            continue
        near = 1.0 if first.depth == second.depth else _near(first, second)
        weight, also = first.weight * near, second.weight * near
        shared += weight if weight < also else also
        if first.share > second.share:
            weight *= second.share / first.share
        elif second.share > first.share:
            also *= first.share / second.share
        mine += weight
        theirs += also
    if shared <= 0.0:
        return 0.0, 0.0, 0.0
    both = "code" if one.kind == other.kind == "code" else "shared"
    contained = MATCHED[both](mine / one.total, theirs / other.total)
    return contained * shared / (shared + HALF), contained, shared


def _near(first: Counted, second: Counted) -> float:
    return math.exp(-GAP * abs(first.depth - second.depth))
