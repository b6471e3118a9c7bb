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


class Weighed(NamedTuple):
    """A trace with the depth, the share and the weight of each frame."""

    depths: dict[str, float]
    shares: dict[str, float]
    weights: dict[str, float]
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
    depths, weights = {}, {}
    depth = 0.0
    for frame, share in zip(trace.frames, trace.shares, strict=True):
        depths[frame] = depth
        weights[frame] = share * population.tells.get(frame, 1.0) / (1.0 + depth)
        depth += share
    shares = dict(zip(trace.frames, trace.shares, strict=True))
    return Weighed(depths, shares, weights, sum(weights.values()), trace.ending, trace.kind)


def similarity(one: Weighed, other: Weighed) -> float:
    """From 0, nothing in common, to 1."""
    return alignment(one, other).similarity


def alignment(one: Weighed, other: Weighed) -> Alignment:
    """How alike two traces are, and by which frames."""
    if "nothing" in (one.kind, other.kind) or one.ending != other.ending:
        return NOTHING
    mine = theirs = shared = 0.0
    frames = []
    for frame, weight in one.weights.items():
        second = other.weights.get(frame)
        if second is None:
            continue
        near = math.exp(-GAP * abs(one.depths[frame] - other.depths[frame]))
        share, also = one.shares[frame], other.shares[frame]
        mine += weight * near * min(1.0, also / share)
        theirs += second * near * min(1.0, share / also)
        counts = min(weight, second) * near
        shared += counts
        frames.append((frame, counts))
    if shared <= 0.0:
        return NOTHING
    both = "code" if one.kind == other.kind == "code" else "shared"
    contained = MATCHED[both](mine / one.total, theirs / other.total)
    return Alignment(contained * shared / (shared + HALF), contained, shared, tuple(frames))
