"""How much a finding speaks for a hardware fault and against a software bug, with the counts from which that came."""

from dataclasses import dataclass
from typing import NamedTuple

VERSION = 1
"""Of the layout of `Weights`."""

STRICT = ("misaligned_stack", "wild_stack_pointer", "one_bit_off", "wrong_result", "code_mismatch")
"""The findings that software hardly ever makes. A verdict uses no others: how often bugs make the rest depends on
which bugs a fleet has, and the lab cannot know that."""


class Count(NamedTuple):
    """In how many crashes a finding held, of how many in which it was judged."""

    held: int
    judged: int


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Weight:
    """One finding. Shares are averages over kinds, of faults or of bugs, so that easy ones cannot hide hard ones.

    `ratio` is how many times oftener a hardware fault than a software bug makes the finding; `absent_ratio` is the
    same of its not holding, `ratio_in_same_programs` that against the bugs put into the same programs as the faults.
    They are null where one side was never judged: nothing is known then. `ratio_by_kind` and `ratio_by_runtime` are
    those of one kind of faults, whose crashes are then the sample, or of faults in one runtime. Counts are per cause,
    then kind or runtime.
    """

    finding: str
    hardware: Count
    software: Count
    hardware_share: Interval | None
    software_share: Interval | None
    ratio: Interval | None
    ratio_in_same_programs: Interval | None
    absent_ratio: Interval | None
    ratio_by_kind: dict[str, Interval]
    ratio_by_runtime: dict[str, Interval]
    by_kind: dict[str, dict[str, Count]]
    by_runtime: dict[str, dict[str, Count]]


@dataclass(frozen=True)
class Weights:
    """Everything that a verdict needs to know of single findings, and how to make it again.

    `fitted` are the weights to use; `reported` is the same from other programs and other seeds, as a check.
    """

    version: int
    command: str
    machine: str
    reader_version: int
    rules_version: int
    crashes: int
    sets: dict[str, dict[str, int]]
    fitted: tuple[Weight, ...]
    reported: tuple[Weight, ...]
