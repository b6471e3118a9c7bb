"""What a host or a casebook lacks, and the line that mends it."""

from dataclasses import dataclass
from typing import Literal

About = Literal["host", "casebook"]
State = Literal["lacking", "not_known", "ok"]
Harm = Literal["nothing is kept", "evidence is lost", "less can be said"]
HARMS: tuple[Harm, ...] = ("nothing is kept", "evidence is lost", "less can be said")  # the worst first


@dataclass(frozen=True)
class Diagnosis:
    """One check's answer. `harm` is what follows where it is lacking; `cases` of the casebook are touched by it.

    `remedy` is one line to run or to write; null where all is well or nothing mends it. `where` is what was looked at.
    """

    name: str
    about: About
    state: State
    harm: Harm
    seen: str
    why: str
    remedy: str | None
    where: str
    cases: int | None = None
    details: tuple[str, ...] = ()
