"""All crashes of a casebook as one population, in columns, and the time at risk that they are held against.

Everything is coded in whole numbers, so that a question about a million crashes is a count over arrays. Three values:
-1 is "not known" in every column, never a value of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]
States = NDArray[np.int8]
UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Attribute:
    """One exposure, of every crash and of every piece of time at risk, as codes into `values`; -1: not known.

    `at_risk` is null where nothing tells how long each value was at risk.
    """

    name: str
    values: Sequence[str]
    cases: Codes
    at_risk: Codes | None = None


@dataclass(frozen=True, eq=False)
class Sign:
    """One thing that a crash shows, of every crash: 1 it does, 0 it does not, -1 it could not be observed.

    `kind` is mechanism, finding, feature or module; frames are told by `Population.frames`.
    """

    name: str
    kind: str
    cases: States


@dataclass(frozen=True, eq=False)
class AtRisk:
    """Pieces of time during which a crash could happen, each with one value of every exposure.

    `start` and `end` are seconds since 1970; `measures` are host_hours, process_hours, exceptions: those that are told.
    NaN: not counted for this piece. The first of `measures` is the one to use where nothing else is asked for.
    """

    start: Floats
    end: Floats
    measures: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Population:
    """Crashes in the order of their time, the undated last.

    `time` is in seconds since 1970, NaN where it is not known; `dated` is false where the time is only an mtime, which
    never dates an onset. `trace` and `syndrome` are codes into `traces` and `syndromes`; `frames` holds, for each
    trace, its normalised frames, innermost first (the first is the site). `start` and `end` bound what was observed.
    """

    case_ids: Sequence[str]
    time: Floats
    dated: NDArray[np.bool_]
    trace: Codes
    traces: Sequence[str]
    frames: Sequence[Sequence[str]]
    syndrome: Codes
    syndromes: Sequence[str]
    exposures: Mapping[str, Attribute]
    signs: Mapping[str, Sign]
    at_risk: AtRisk | None
    start: float
    end: float
    simulated: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)
