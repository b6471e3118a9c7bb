"""What no sum of ratios may do: a person drains a machine on this word, so some things must have been seen.

Each law is a condition and what is missing where it fails. A law can only turn a verdict into "cannot tell".
"""

from collections.abc import Callable
from typing import NamedTuple

from broadstreet.verdict.profile import KINDS_OF_MACHINE, Profile

LEAST_SITES = 2
"""At 0.3 % of bugs with a finding, ten thousand machines have some with one by chance, and none with two sites."""
LEAST_EPISODES = 2
SCATTERED = 3
"""Machines of which none stands out: that so many are bad in the same way, and crash so, is not to be expected."""


class Law(NamedTuple):
    """`kept` says whether a profile keeps it; `lacks` is the sentence where it does not."""

    name: str
    kept: Callable[[Profile], bool]
    lacks: str


def _seen_in_code(p: Profile) -> bool:
    return p.strict_sites >= LEAST_SITES or p.is_proven


def _at_a_place(p: Profile) -> bool:
    return p.kind == "linked" or p.place is not None or any(name in KINDS_OF_MACHINE for name in p.cohort)


def _scattered(p: Profile) -> bool:
    machines = max(p.distinct.get(name, 0) for name in ("physical_host", "host"))
    return not _at_a_place(p) and machines >= SCATTERED


HARDWARE = (
    Law(
        "one crash",
        lambda p: p.episodes >= LEAST_EPISODES or p.is_proven,
        "one crash never convicts hardware unless it proves a wrong bit",
    ),
    Law(
        "more than a place",
        _seen_in_code,
        "that one machine is hit proves nothing alone: crashes in two functions must show what only hardware does",
    ),
    Law(
        "a place",
        lambda p: _at_a_place(p) or p.is_proven,
        "no machine, and no kind of machine, is hit more than the others",
    ),
)

SOFTWARE = (
    Law(
        "more than one crash",
        lambda p: p.episodes >= LEAST_EPISODES,
        "one crash says too little",
    ),
    Law(
        "more than a place",
        lambda p: p.place is None,
        "one machine is hit more than others that run the same, which code alone does not explain",
    ),
    Law(
        "something was seen",
        lambda p: p.lacking > 0 or p.strict_cases > 0 or _scattered(p),
        "no crash could be judged for what only hardware does",
    ),
    Law(
        "something else was seen",
        lambda p: p.lacking >= p.strict_cases or _scattered(p),
        "most crashes that could be judged show what only hardware does",
    ),
    Law(
        "nothing proves the opposite",
        lambda p: not p.is_proven,
        "a wrong bit is proven",
    ),
)


def broken(says: str, p: Profile) -> str | None:
    """What is missing for this verdict; null where nothing is."""
    laws = {"hardware": HARDWARE, "software": SOFTWARE}.get(says, ())
    return next((law.lacks for law in laws if not law.kept(p)), None)
