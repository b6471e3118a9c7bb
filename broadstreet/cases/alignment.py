"""How alike two traces are: frames of both, matched in order of their depth, each by what it tells.

A trace is *contained* in another as far as what it tells stands there too, nearly as deep; the same crash seen with
one more frame inside (a callee that was inlined elsewhere, a stack that could be read further) is contained. Two traces
that each have something telling that the other lacks are not. How much they *share* is what the matched frames tell
together: two stacks that have nothing in common but `run_loop` share almost nothing, however well they match.
"""

import math
from typing import NamedTuple

from broadstreet.cases.relevance import Population, Relevant

GAP = 0.1  # of depth: a frame that is one deeper in the other trace counts exp(-GAP)
HALF = 0.02  # what two traces must share for the similarity to be half of how far one is contained in the other


class Weighed(NamedTuple):
    """A trace with the depth and weight of each frame."""

    depths: dict[str, float]
    weights: dict[str, float]
    total: float
    ending: str
    alone: bool


class Alignment(NamedTuple):
    """How alike two traces are. `frames` are those of both, with what each counts."""

    similarity: float
    contained: float
    shared: float
    frames: tuple[tuple[str, float], ...]


def weighed(trace: Relevant, population: Population) -> Weighed:
    """The trace, each frame by what it tells and how near it is to the crash."""
    depths, weights = {}, {}
    depth = 0.0
    for frame, share in zip(trace.frames, trace.shares, strict=True):
        depths[frame] = depth
        weights[frame] = share * population.tells.get(frame, 1.0) / (1.0 + depth)
        depth += share
    return Weighed(depths, weights, sum(weights.values()), trace.ending, trace.alone)


def similarity(one: Weighed, other: Weighed) -> float:
    """From 0, nothing in common, to 1."""
    if one.alone or other.alone or one.ending != other.ending:
        return 0.0
    mine = theirs = shared = 0.0
    for frame, weight in one.weights.items():
        second = other.weights.get(frame)
        if second is None:
            continue
        near = math.exp(-GAP * abs(one.depths[frame] - other.depths[frame]))
        mine += weight * near
        theirs += second * near
        shared += min(weight, second) * near
    if shared <= 0.0:
        return 0.0
    return max(mine / one.total, theirs / other.total) * shared / (shared + HALF)


def alignment(one: Weighed, other: Weighed) -> Alignment:
    """The same, with the frames that make it up."""
    frames = []
    mine = theirs = 0.0
    for frame, weight in one.weights.items():
        second = other.weights.get(frame)
        if second is not None:
            near = math.exp(-GAP * abs(one.depths[frame] - other.depths[frame]))
            mine, theirs = mine + weight * near, theirs + second * near
            frames.append((frame, min(weight, second) * near))
    contained = max(mine / one.total, theirs / other.total) if frames else 0.0
    return Alignment(similarity(one, other), contained, sum(counts for _, counts in frames), tuple(frames))
