"""Which frames of a trace tell where it is from, and how much each tells.

What the rules drop is dropped. What is left counts by what the population says of it: a frame in a hundred different
stacks (`run_loop`) tells little, one in two tells much. Counted are *cores*: distinct sequences of relevant frames, not
crashes, so that one bug that crashes a million times does not make its own frames count for nothing, and not traces, so
that a processor that leaves its threads in a thousand places does not either. A frame that many telling frames call is
a helper (`set_flags`), and counts less by their number: the same helper crashes for each caller's own reason.

A small population cannot tell what is common. So it is counted as if PSEUDO other cores stood beside it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple

from broadstreet.cases.frame_rules import FrameRules
from broadstreet.cases.trace_key import BELOW, SIGNAL

PSEUDO = 200
EXPONENT = 5  # of the information of a frame; from the lab's development set (docs/grouping.md)
SHARED_CODE = 0.05  # what a frame of the rules' `prefix` counts, against a relevant one
HELPERS = 4  # calls below a helper that are still its own
RETURNED = 0.5  # what one counts that had already returned


Kind = Literal["code", "shared", "nothing"]


class Relevant(NamedTuple):
    """What counts of a trace: frames, each with its share, and the frame by which the program ended itself, or ''.

    Its kind is what these frames are: `code` of some program; `shared`, that of libraries and interpreters alone; or
    `nothing` that tells one place from another.
    """

    frames: tuple[str, ...]
    shares: tuple[float, ...]
    ending: str
    kind: Kind = "code"

    @property
    def core(self) -> tuple[str, ...]:
        return (
            ()
            if self.kind == "shared"
            else tuple(frame for frame, share in zip(self.frames, self.shares, strict=True) if share == 1)
        )


class Dropped(NamedTuple):
    """A frame that does not count, and the rule."""

    frame: str
    why: str


def relevant(frames: Sequence[str], rules: FrameRules) -> Relevant:
    """What counts of the frames of an exact key."""
    return sifted(frames, rules)[0]


def sifted(frames: Sequence[str], rules: FrameRules) -> tuple[Relevant, list[Dropped]]:
    """What counts, and why the rest does not."""
    left, dropped = _outside_of_signal(list(frames), rules)
    ending = ""
    for at in range(len(left) - 1, -1, -1):
        role = rules.role(left[at])
        if role in ("sentinel", "checker"):
            ending = left[at] if role == "sentinel" else ""
            dropped += [Dropped(frame, f"inside of {left[at]}, a {role}") for frame in left[:at]]
            dropped.append(Dropped(left[at], role))
            left = left[at + 1 :]
            break
    kept: dict[str, float] = {}
    for frame in left:
        name = frame.removeprefix(BELOW)
        role = rules.role(name)
        if role not in ("relevant", "prefix"):
            dropped.append(Dropped(frame, role))
            continue
        kept.setdefault(name, (RETURNED if frame != name else 1.0) * (SHARED_CODE if role == "prefix" else 1.0))
    if not kept:
        return Relevant(tuple(frames), tuple(1.0 for _ in frames), ending, "nothing"), dropped
    if max(kept.values()) <= SHARED_CODE:  # it is all there is to go by
        shares = tuple(share / SHARED_CODE for share in kept.values())
        return Relevant(tuple(kept), shares, ending, "shared"), dropped
    return Relevant(tuple(kept), tuple(kept.values()), ending), dropped


def _outside_of_signal(frames: list[str], rules: FrameRules) -> tuple[list[str], list[Dropped]]:
    if SIGNAL not in frames:
        return frames, []
    at = frames.index(SIGNAL)
    if not any(rules.role(frame) == "relevant" for frame in frames[:at]):
        return frames, []
    below = [frame for frame in frames[at:] if frame.startswith(BELOW)]
    gone = [frame for frame in frames[at + 1 :] if not frame.startswith(BELOW)]
    return frames[:at] + below, [Dropped(frame, "interrupted by the signal") for frame in gone]


@dataclass(frozen=True, eq=False)
class Population:
    """How much each frame tells, learnt from all traces that there are."""

    stacks: Sequence[Relevant]

    @cached_property
    def tells(self) -> Mapping[str, float]:
        """From 0, nothing, to 1."""
        cores = {one.core for one in self.stacks}
        count = Counter(frame for core in cores for frame in set(core))
        count.update(_others(self.stacks, count))
        most = math.log(len(cores) + PSEUDO)
        alone = {
            frame: (max(0.0, math.log((len(cores) + PSEUDO) / times)) / most) ** EXPONENT
            for frame, times in count.items()
        }
        called = _callers(cores, alone)
        return {frame: value / (1.0 + called.get(frame, 0.0)) for frame, value in alone.items()}


def _others(stacks: Iterable[Relevant], known: Mapping[str, int]) -> Counter[str]:
    """How many traces have each frame that stands in no core: shared code, and what had returned."""
    return Counter(frame for one in stacks for frame in set(one.frames) if frame not in known)


def _callers(cores: Iterable[tuple[str, ...]], tells: Mapping[str, float]) -> dict[str, float]:
    """How much the callers of each frame tell together; what only helpers call is as much of a helper."""
    callers: dict[str, list[str]] = {}
    for frame, caller in sorted({pair for core in cores for pair in pairwise(core)}):
        callers.setdefault(frame, []).append(caller)
    called = {frame: sum(tells[caller] for caller in by) for frame, by in callers.items()}
    for _ in range(HELPERS):
        called = {frame: max(called[frame], min(called.get(one, 0.0) for one in by)) for frame, by in callers.items()}
    return called
