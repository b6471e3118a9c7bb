"""A place that is asked whether it crashes more than its time at risk explains."""

from dataclasses import dataclass

from broadstreet.records.outbreak import Against
from broadstreet.records.weights import Interval


@dataclass(frozen=True)
class Excess:
    """Episodes at a place, how many were expected there, and how many times higher its rate is than elsewhere.

    `p` is the chance of so many, `q` the same corrected for the `asked` places. All but `episodes` are null where
    nothing tells what to expect.
    """

    episodes: int
    expected: float | None
    ratio: Interval | None
    p: float | None
    q: float | None


@dataclass(frozen=True)
class Suspect:
    """One host or physical host: all of its crashes, and those with a finding that failing hardware makes.

    `hours` at risk are null where nothing tells them; `against` says what the crashes with such findings are held
    against then. `sites` and `syndromes` are how many different ones its crashes have.
    """

    attribute: str
    value: str
    rank: int
    hours: float | None
    measure: str | None
    every: Excess
    hardware: Excess
    against: Against
    sites: int
    syndromes: int
    asked: int
