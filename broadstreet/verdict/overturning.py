"""The smallest new fact that would change a verdict: facts are added until the same judgement says something else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from broadstreet.records.outbreak import Comparison
from broadstreet.records.verdict import Says
from broadstreet.records.weights import Count
from broadstreet.verdict.counted import Items
from broadstreet.verdict.judging import Judgement, judged
from broadstreet.verdict.profile import MACHINES, Profile
from broadstreet.verdict.words import machine, of, plural

DAYS = 14
"""Of recurring machines 84 % crash again within 10 days, 97 % within a month (Microsoft, EuroSys 2011)."""
MOST = 64
TRIED = (*range(1, 17), 20, 24, 32, 48, MOST)


class Fact(NamedTuple):
    """A fact that could come: to which profiles it can, what the profile is after `n` of it, and how it is said."""

    can: Callable[[Profile], bool]
    after: Callable[[Profile, int], Profile]
    says: Callable[[Profile, int], str]


def _compared(one: Comparison | None, n: int, inside: bool) -> Comparison | None:
    return replace(one, of=one.of + n, inside=one.inside + n * inside) if one else None


def _elsewhere(p: Profile, n: int) -> Profile:
    return replace(p, elsewhere=p.elsewhere + n, comparison=_compared(p.comparison, n, inside=False))


def _finding_elsewhere(p: Profile, n: int) -> Profile:
    machines = None if p.strict_machines is None else p.strict_machines + n
    return replace(_elsewhere(p, n), strict_machines=machines)


def _here(p: Profile, n: int) -> Profile:
    sites = None if p.sites is None else p.sites + n
    return replace(
        p,
        cases=p.cases + n,
        episodes=p.episodes + n,
        sites=sites,
        comparison=_compared(p.comparison, n, inside=True),
        known={name: known + n for name, known in p.known.items()},
        span_seconds=max(p.span_seconds or 0.0, 86_400.0 * min(n, DAYS)),
        mechanisms={name: count + n * (name == p.mechanism) for name, count in p.mechanisms.items()},
    )


def _finding_here(p: Profile, n: int) -> Profile:
    strict = {
        name: Count(count.held + n * (name == "one_bit_off"), count.judged + n) for name, count in p.strict.items()
    }
    machines = max(p.strict_machines, 1) if p.strict_machines is not None else None
    return replace(
        _here(p, n),
        strict=strict,
        strict_sites=p.strict_sites + n,
        strict_cases=p.strict_cases + n,
        strict_machines=machines,
    )


def _nothing_here(p: Profile, n: int) -> Profile:
    return replace(_here(p, n), lacking=p.lacking + n)


def _judged_without(p: Profile, n: int) -> Profile:
    return replace(p, unjudged=p.unjudged - n, lacking=p.lacking + n)


def _judged_with(p: Profile, n: int) -> Profile:
    return replace(p, unjudged=p.unjudged - n, strict_sites=p.strict_sites + n, strict_cases=p.strict_cases + n)


def _moved_to_one(p: Profile, n: int) -> Profile:
    return _finding_here(replace(p, cohort={"host": "one"}, kind="cohort", elsewhere=0, strict_machines=1), n)


def _way(p: Profile) -> str:
    return p.mechanism.replace("_", " ") if p.mechanism not in ("", "mixed", "not_judged", "unclassified") else "such"


def _more(p: Profile, n: int) -> str:
    return f"{plural(n, f'more {_way(p)} crash', f'more {_way(p)} crashes')}"


def _at_place(p: Profile) -> bool:
    return any(name in p.cohort for name in MACHINES)


FACTS = (
    Fact(
        _at_place,
        _elsewhere,
        lambda p, n: f"{_more(p, n)} on other machines within {DAYS} days",
    ),
    Fact(
        lambda p: _at_place(p) and p.strict_machines is not None,
        _finding_elsewhere,
        lambda p, n: f"{_more(p, n)} with a hardware finding, on {plural(n, 'other machine')}, within {DAYS} days",
    ),
    Fact(
        _at_place,
        _finding_here,
        lambda p, n: (
            f"{plural(n, 'more crash', 'more crashes')} with a hardware finding on {machine(p)}, in other "
            f"functions, within {DAYS} days"
        ),
    ),
    Fact(
        _at_place,
        _nothing_here,
        lambda p, n: (
            f"{plural(n, 'more crash', 'more crashes')} on {machine(p)} that show nothing only hardware does, "
            f"within {DAYS} days"
        ),
    ),
    Fact(
        lambda p: not _at_place(p),
        _moved_to_one,
        lambda p, n: (
            f"{plural(n, 'such crash', 'such crashes')} with a hardware finding in different functions, all on "
            f"one machine, within {DAYS} days"
        ),
    ),
    Fact(
        lambda p: p.unjudged > 0,
        lambda p, n: _judged_without(p, min(n, p.unjudged)),
        lambda p, n: f"{of(min(n, p.unjudged), p.unjudged)} crashes that could not be judged, if they show nothing",
    ),
    Fact(
        lambda p: p.unjudged > 0,
        lambda p, n: _judged_with(p, min(n, p.unjudged)),
        lambda p, n: (
            f"{of(min(n, p.unjudged), p.unjudged)} crashes that could not be judged, if they show a hardware finding"
        ),
    ),
)

NOTHING: Mapping[Says, str] = {
    "hardware": "nothing that is counted here; only that the crashes go on elsewhere once it is out",
    "software": "nothing that is counted here; only that the crashes stay after the code is mended",
    "undetermined": "no number of such crashes; the items that could not be checked, or a test of the machine",
}


def overturned_by(p: Profile, now: Judgement, items: Items) -> str:
    """The fact that takes the fewest crashes to change what is said; of equal ones the first of the list."""
    found = [(n, at) for at, fact in enumerate(FACTS) if fact.can(p) and (n := _fewest(fact, p, now, items))]
    if not found:
        return NOTHING[now.says]
    n, at = min(found)
    then = judged(FACTS[at].after(p, n), items).says
    return f"{FACTS[at].says(p, n)} ({_becomes(then)})"


def _fewest(fact: Fact, p: Profile, now: Judgement, items: Items) -> int | None:
    return next((n for n in TRIED if judged(fact.after(p, n), items).says != now.says), None)


def _becomes(says: Says) -> str:
    return {"hardware": "then hardware", "software": "then software", "undetermined": "then it cannot be told"}[says]
