"""Many stacks as one: each frame with the share of cases that have it, in the order in which they lie.

Stacks that crashed in one place have most frames in common, but not at the same depth: one is walked from its register,
another from a scan. So frames are merged by what they are, and ordered by their middle place, the crash first. What had
returned already stands before that: it lay below the stack pointer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from broadstreet.records.frame import Trust

BELOW = "below_sp"


class Stack(NamedTuple):
    """One distinct stack, innermost first, and how many cases have it. A frame is what it is called, and its trust."""

    cases: int
    frames: tuple[tuple[str, str, Trust], ...]  # name, module, trust


@dataclass(frozen=True)
class MergedFrame:
    """A frame that `cases` cases have, at the middle of the places where it stood; `trust` is the commonest one.

    `returned`: it lay below the stack pointer. `trusted` of the cases have it with that trust.
    """

    name: str
    module: str
    trust: Trust
    returned: bool
    cases: int
    trusted: int
    place: float


@dataclass(frozen=True)
class Merged:
    """The commonest frames in their order; `others` are further ones, at least one of them in `others_cases` cases."""

    cases: int
    frames: tuple[MergedFrame, ...]
    others: int
    others_cases: int


def merged(stacks: Sequence[Stack], most: int) -> Merged:
    """So many frames of these stacks, those that most cases have."""
    count: Counter[tuple[str, str, bool]] = Counter()
    trusts: dict[tuple[str, str, bool], Counter[Trust]] = {}
    places: dict[tuple[str, str, bool], Counter[int]] = {}
    for stack in stacks:
        seen = set()
        inside = below = 0
        for name, module, trust in stack.frames:
            returned = trust == BELOW
            place = -1 - below if returned else inside
            below, inside = below + returned, inside + (not returned)
            key = (name, module, returned)
            if key in seen:
                continue  # a recursion is one frame
            seen.add(key)
            count[key] += stack.cases
            trusts.setdefault(key, Counter())[trust] += stack.cases
            places.setdefault(key, Counter())[place] += stack.cases
    shown = sorted(count, key=lambda key: (-count[key], key))[:most]
    frames = []
    for key in shown:
        trust, trusted = trusts[key].most_common(1)[0]
        name, module, returned = key
        frames.append(MergedFrame(name, module, trust, returned, count[key], trusted, _middle(places[key])))
    rest = set(count) - set(shown)
    with_rest = sum(one.cases for one in stacks if any((n, m, t == BELOW) in rest for n, m, t in one.frames))
    ordered = tuple(sorted(frames, key=lambda one: (not one.returned, one.place, -one.cases, one.name)))
    return Merged(sum(one.cases for one in stacks), ordered, len(rest), with_rest)


def _middle(places: Counter[int]) -> float:
    """The median."""
    half, seen = sum(places.values()) / 2, 0
    for place in sorted(places):
        seen += places[place]
        if seen >= half:
            return float(place)
    return 0.0
