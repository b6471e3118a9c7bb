"""The items of evidence, as data: what each asks of a profile, which level it finds, and the sentence that says it.

What an item is worth stands in `items.json` by item and level, not here. An item that does not apply, or whose numbers
are not known, has no level and says nothing. Those of single findings are in `mechanism.py`: the lab weighs them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from broadstreet.verdict import reads
from broadstreet.verdict.profile import DELIBERATE, KINDS_OF_MACHINE, NEAR_NULL, VARIES, Profile
from broadstreet.verdict.words import crashes, listed, machine, named, number, of, plural, span

BURST_SECONDS = 1_800.0
"""Shorter than this, many signatures on one machine were one real bug: crash-clouseau's guard, measured at Mozilla."""

MANY_SITES = 3
"""Many sites: three at least, and more than the root of the episodes, as new ones come ever more seldom. Crash counts
alone predict nothing; diversity does."""

A_FEW = 0.1
"""Of all crashes of the same kind, those elsewhere: the rate at which placements are recorded wrong, or not at all."""

Observed = dict[str, float | str]


@dataclass(frozen=True)
class Item:
    """One item: `level` is what it finds, null where it says nothing; `says` the sentence for each level.

    If it `rises`, no level says less for hardware than the one before: where the counts have it otherwise, that is
    chance, or how the fleets were made, and the levels are counted as one.
    """

    name: str
    asks: str
    level: Callable[[Profile], str | None]
    says: dict[str, Callable[[Profile], str]]
    observed: Callable[[Profile], Observed]
    reads: Callable[[Profile], str]
    cases: str = "all"
    rises: bool = True


def _who(p: Profile) -> str:
    if p.kind == "linked" or p.place:
        return "one machine"
    if any(name in KINDS_OF_MACHINE for name in p.cohort):
        return "a kind of machine"
    return "software" if p.cohort else "nobody"


def _sites(p: Profile) -> str | None:
    if p.sites is None or p.episodes < 2:
        return None
    if p.sites == 1:
        return "one"
    return "many" if p.sites >= max(MANY_SITES, sqrt(p.episodes)) else "some"


def varied(p: Profile) -> tuple[str, ...]:
    """What of the software differs among crashes on one machine; its virtual machines count too."""
    return tuple(name for name in VARIES if name not in p.cohort and p.distinct.get(name, 0) > 1)


def alike(p: Profile) -> tuple[str, ...]:
    """What of it is the same in all of them."""
    return tuple(name for name in VARIES if name not in p.cohort and name in p.common and p.known[name] == p.cases)


def _variety(p: Profile) -> str | None:
    if not p.place or p.episodes < 2 or not (varied(p) or alike(p)):
        return None
    return ("none", "one", "several")[min(len(varied(p)), 2)]


def _elsewhere(p: Profile) -> str | None:
    if not p.place or p.kind == "linked":
        return None  # what is linked has no one way to crash
    if not p.elsewhere:
        return "none"
    return "few" if p.elsewhere <= A_FEW * (p.cases + p.elsewhere) else "many"


def _finding_spread(p: Profile) -> str | None:
    if not p.strict_machines:
        return None
    return "one" if p.strict_machines == 1 else "several"


def _finding_sites(p: Profile) -> str | None:
    if not p.place or not (p.strict_sites or p.lacking):
        return None
    return ("none", "one", "two", "several")[min(p.strict_sites, 3)]


def _time(p: Profile) -> str | None:
    if p.span_seconds is None or p.cases < 2:
        return None
    if p.span_seconds < BURST_SECONDS:
        return "burst"
    return "one day" if p.span_seconds < 86_400 else "days"


def _ended(p: Profile) -> str | None:
    counted = sum(p.mechanisms.values())
    if not counted:
        return None
    for level, names in (("itself", DELIBERATE), ("near null", NEAR_NULL)):
        if 2 * share(p, names) > counted:
            return level
    return "otherwise"


def share(p: Profile, names: tuple[str, ...] | list[str]) -> int:
    """In how many crashes the mechanism is one of these."""
    return sum(p.mechanisms.get(name, 0) for name in names)


def _mechanisms(p: Profile) -> str | None:
    known = [name for name in p.mechanisms if name not in ("not_judged", "unclassified")]
    if p.episodes < 2 or not known:
        return None
    return ("one", "two", "several")[min(len(known), 3) - 1]


def _unwinding(p: Profile) -> str | None:
    if p.unwinding.judged < 3:
        return None
    return "all" if p.unwinding.held == p.unwinding.judged else "not all"


def _compared(p: Profile) -> Observed:
    one = p.comparison
    if one is None:
        return {"inside": p.cases, "elsewhere": p.elsewhere}
    found: Observed = {
        "inside": one.inside,
        "of": one.of,
        "expected": one.of * one.share,
        "rate_ratio": one.naive.value,
    }
    if one.adjusted:
        found["rate_ratio_adjusted"] = one.adjusted.value
    if one.test.q is not None:
        found["q"] = one.test.q
    return found


def _expected(p: Profile) -> str:
    one = p.comparison
    if one is None:
        return ""
    return f"; from its share of the {one.against} {number(one.of * one.share)} were expected"


def _on_machine(p: Profile) -> str:
    if p.comparison is None:
        return f"{plural(p.cases, 'crash', 'crashes')} with {plural(p.sites or 0, 'signature')} on {machine(p)}"
    return f"{of(p.comparison.inside, p.comparison.of)} crashes happened on {machine(p)}{_expected(p)}"


def _in_cohort(p: Profile) -> str:
    inside = of(p.comparison.inside, p.comparison.of) if p.comparison else of(p.cases, p.cases + p.elsewhere)
    return f"{inside} crashes have {named(p.cohort)}{_expected(p)}"


ITEMS = (
    Item(
        name="who",
        asks="Who is hit more than time at risk explains: one machine, a kind of machine, users of some software?",
        level=_who,
        says={
            "one machine": _on_machine,
            "a kind of machine": _in_cohort,
            "software": _in_cohort,
            "nobody": lambda p: f"{crashes(p)} on {_machines(p)}, none with more than its share",
        },
        observed=_compared,
        reads=lambda p: reads.by_exposure(p, tuple(p.cohort) or ("host",)),
        rises=False,
    ),
    Item(
        name="elsewhere",
        asks="Do other machines crash in the same way?",
        level=_elsewhere,
        says={
            "many": lambda p: f"{of(p.elsewhere, p.cases + p.elsewhere)} such crashes happened on other machines",
            "few": lambda p: f"{plural(p.elsewhere, 'crash', 'crashes')} of {p.cases + p.elsewhere} elsewhere",
            "none": lambda p: "no other machine crashed in this way",
        },
        observed=lambda p: {"inside": p.cases, "elsewhere": p.elsewhere},
        reads=lambda p: reads.elsewhere(p),
        cases="elsewhere",
    ),
    Item(
        name="finding elsewhere",
        asks="On how many machines is there a strict hardware finding at these places of the code?",
        level=_finding_spread,
        says={
            "several": lambda p: f"at the same places of the code {p.strict_machines} machines have hardware findings",
            "one": lambda p: "all hardware findings are on one machine",
        },
        observed=lambda p: {"machines": p.strict_machines or 0},
        reads=lambda p: reads.finding_machines(p),
        cases="strict",
    ),
    Item(
        name="finding functions",
        asks="If one machine is hit: in how many places of the code is there a strict hardware finding?",
        level=_finding_sites,
        says={
            "none": lambda p: "in no function does the machine show what only hardware does",
            "one": lambda p: "all that only hardware does is in one function, as a bug would show it",
            "two": lambda p: "a bug would show it in one function, not in two",
            "several": lambda p: f"a bug would show it in one function, not in {p.strict_sites}",
        },
        observed=lambda p: {"functions": p.strict_sites, "crashes": p.strict_cases},
        reads=lambda p: reads.strict(p),
        cases="strict",
    ),
    Item(
        name="functions",
        asks="In how many places of the code do they crash?",
        level=_sites,
        says={
            "one": lambda p: f"all {crashes(p)} stopped in one function",
            "some": lambda p: f"{crashes(p)} stopped in {plural(p.sites or 0, 'function')}",
            "many": lambda p: f"{crashes(p)} stopped in {plural(p.sites or 0, 'function')}: they share no code",
        },
        observed=lambda p: {"functions": p.sites or 0, "episodes": p.episodes},
        reads=lambda p: reads.sites(p),
    ),
    Item(
        name="variety",
        asks="If one machine is hit: does what runs there differ from crash to crash?",
        level=_variety,
        says={
            "none": lambda p: f"they also share {listed(named({n: p.common[n]}) for n in alike(p)[:3])}",
            "one": lambda p: f"{_counts(p)}; little but the machine is common",
            "several": lambda p: f"{_counts(p)}: the machine alone is common",
        },
        observed=lambda p: {name: p.distinct[name] for name in VARIES if name in p.distinct},
        reads=lambda p: reads.distinct(p, VARIES),
    ),
    Item(
        name="time",
        asks="Did they all come at once?",
        level=_time,
        says={
            "burst": lambda p: f"all {crashes(p)} came within {span(p)}: one cause may have started them all",
            "one day": lambda p: f"all {crashes(p)} came within {span(p)}",
            "days": lambda p: f"they came over {span(p)}",
        },
        observed=lambda p: {"seconds": p.span_seconds or 0.0},
        reads=lambda p: reads.times(p),
    ),
    Item(
        name="end",
        asks="Did the programs end themselves, or fail near null, as bugs mostly do?",
        level=_ended,
        says={
            "itself": lambda p: f"{of(share(p, DELIBERATE), p.cases)} programs ended themselves",
            "near null": lambda p: f"{of(share(p, NEAR_NULL), p.cases)} crashes are at null or at a fill pattern",
            "otherwise": lambda p: "most did not end themselves, nor fail near null",
        },
        observed=lambda p: {"ended_themselves": share(p, DELIBERATE), "near_null": share(p, NEAR_NULL), "of": p.cases},
        reads=lambda p: reads.mechanisms(p),
    ),
    Item(
        name="mechanisms",
        asks="Do they die in one way, or in several?",
        level=_mechanisms,
        says={
            "one": lambda p: "all die in one way",
            "two": lambda p: "they die in two ways",
            "several": lambda p: f"they die in {len(p.mechanisms)} ways",
        },
        observed=lambda p: {**p.mechanisms},
        reads=lambda p: reads.mechanisms(p),
    ),
    Item(
        name="unwinding",
        asks="Is each of them inside of exception unwinding?",
        level=_unwinding,
        says={
            "all": lambda p: f"all {p.unwinding.judged} that could be judged were unwinding an exception",
            "not all": lambda p: (
                f"{of(p.unwinding.judged - p.unwinding.held, p.unwinding.judged)} were not unwinding an exception"
            ),
        },
        observed=lambda p: {"unwinding": p.unwinding.held, "judged": p.unwinding.judged},
        reads=lambda p: reads.finding(p, "unwinding_exception"),
    ),
)


def _machines(p: Profile) -> str:
    for name, word in (("physical_host", "machine"), ("host", "host")):
        if p.distinct.get(name):
            return plural(p.distinct[name], word)
    return "machines that are not known"


def _counts(p: Profile) -> str:
    return listed(plural(p.distinct[name], _NOUNS[name]) for name in varied(p))


_NOUNS = {
    "host": "virtual machine",
    "service_release": "release",
    "kernel_release": "kernel",
    "workload": "workload",
    "tenant": "tenant",
    "service": "service",
}
