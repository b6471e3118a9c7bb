"""The smallest new fact that would change a verdict: facts are added until the same judgement claims something else.

A verdict claims what is at fault, that its cohort has more than its share, and, of crashes while unwinding, which
library. A fact overturns it when one of these falls.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from broadstreet.records.outbreak import Comparison
from broadstreet.records.verdict import Says
from broadstreet.records.weights import Count
from broadstreet.statistics.tails import binomial_tail
from broadstreet.verdict.counted import Items
from broadstreet.verdict.judging import Weighed, judged
from broadstreet.verdict.profile import MACHINES, Profile
from broadstreet.verdict.titles import unwinder
from broadstreet.verdict.words import machine, named, of, plural

DAYS = 14
"""Of recurring machines 84 % crash again within 10 days, 97 % within a month (Microsoft, EuroSys 2011)."""
MOST = 64
TRIED = (*range(1, 17), 20, 24, 32, 48, MOST)
STANDS_OUT = 0.01
"""The level of a survey: above it a cohort is no longer said to have more than its share."""


class Fact(NamedTuple):
    """A fact that could come: to which profiles it can, what the profile is after `n` of it, and how it is said."""

    can: Callable[[Profile], bool]
    after: Callable[[Profile, int], Profile]
    says: Callable[[Profile, int], str]


class Claims(NamedTuple):
    """What is claimed of a profile."""

    says: Says
    stands_out: bool
    library: str | None


def _claims(p: Profile, items: Items) -> Claims:
    library = unwinder(p)
    return Claims(judged(p, items).says, _stands_out(p.comparison), library[0] if library else None)


def _stands_out(one: Comparison | None) -> bool:
    if one is None or one.against != "time at risk":
        return one is not None
    return float(binomial_tail(one.inside, one.of, one.share)) * one.test.asked < STANDS_OUT


def _compared(one: Comparison | None, n: int, inside: bool) -> Comparison | None:
    return replace(one, of=one.of + n, inside=one.inside + n * inside) if one else None


def _elsewhere(p: Profile, n: int) -> Profile:
    return replace(p, elsewhere=p.elsewhere + n, comparison=_compared(p.comparison, n, inside=False))


def _finding_elsewhere(p: Profile, n: int) -> Profile:
    return replace(_elsewhere(p, n), strict_machines=(p.strict_machines or 0) + n)


def _here(p: Profile, n: int) -> Profile:
    return replace(
        p,
        cases=p.cases + n,
        episodes=p.episodes + n,
        sites=None if p.sites is None else p.sites + n,
        comparison=_compared(p.comparison, n, inside=True),
        known={name: known + n for name, known in p.known.items()},
        span_seconds=max(p.span_seconds or 0.0, 86_400.0 * min(n, DAYS)),
        mechanisms={name: count + n * (name == p.mechanism) for name, count in p.mechanisms.items()},
    )


def _finding_here(p: Profile, n: int) -> Profile:
    strict = {name: Count(one.held + n * (name == "one_bit_off"), one.judged + n) for name, one in p.strict.items()}
    return replace(
        _here(p, n),
        strict=strict,
        strict_sites=p.strict_sites + n,
        strict_cases=p.strict_cases + n,
        strict_machines=None if p.strict_machines is None else max(p.strict_machines, 1),
    )


def _nothing_here(p: Profile, n: int) -> Profile:
    return replace(_here(p, n), lacking=p.lacking + n)


def _judged_without(p: Profile, n: int) -> Profile:
    n = min(n, p.unjudged)
    return replace(p, unjudged=p.unjudged - n, lacking=p.lacking + n)


def _judged_with(p: Profile, n: int) -> Profile:
    n = min(n, p.unjudged)
    return replace(p, unjudged=p.unjudged - n, strict_sites=p.strict_sites + n, strict_cases=p.strict_cases + n)


def _on_one_machine(p: Profile, n: int) -> Profile:
    return _finding_here(replace(p, cohort={"host": "one"}, kind="cohort", elsewhere=0, strict_machines=1), n)


def _without_library(p: Profile, n: int) -> Profile:
    library = unwinder(p)
    left = {name: build for name, build in p.libraries.items() if library is None or name != library[0]}
    return replace(_nothing_here(p, n), libraries=left, unwinding=Count(p.unwinding.held + n, p.unwinding.judged + n))


def _more(p: Profile, n: int) -> str:
    known = p.mechanism not in ("", "mixed", "not_judged", "unclassified")
    way = p.mechanism.replace("_", "-") if known else "such"
    return plural(n, f"more {way} crash", f"more {way} crashes")


def _at_place(p: Profile) -> bool:
    return any(name in p.cohort for name in MACHINES)


def _others(p: Profile) -> str:
    return "on other machines" if _at_place(p) else f"without {named(p.cohort)}"


FACTS = (
    Fact(
        lambda p: unwinder(p) is not None,
        _without_library,
        lambda p, n: f"{_more(p, n)} in a process that does not map {(unwinder(p) or ('', ''))[0]}",
    ),
    Fact(
        lambda p: bool(p.cohort),
        _elsewhere,
        lambda p, n: f"{_more(p, n)} {_others(p)} within {DAYS} days",
    ),
    Fact(
        lambda p: _at_place(p) and p.strict_machines is not None,
        _finding_elsewhere,
        lambda p, n: f"{_more(p, n)} with a hardware finding, on {plural(n, 'other machine')}, within {DAYS} days",
    ),
    Fact(
        lambda p: _at_place(p) and not p.is_stated,
        _finding_here,
        lambda p, n: (
            f"{plural(n, 'more crash', 'more crashes')} with a hardware finding on {machine(p)}, each in "
            f"another function, within {DAYS} days"
        ),
    ),
    Fact(
        lambda p: _at_place(p) and not p.is_stated,
        _nothing_here,
        lambda p, n: (
            f"{plural(n, 'more crash', 'more crashes')} on {machine(p)} that show nothing only hardware does, "
            f"within {DAYS} days"
        ),
    ),
    Fact(
        lambda p: not p.cohort,
        _on_one_machine,
        lambda p, n: (
            f"{plural(n, 'more crash', 'more crashes')} with a hardware finding, each in another function, all "
            f"on one machine, within {DAYS} days"
        ),
    ),
    Fact(
        lambda p: p.unjudged > 0,
        _judged_without,
        lambda p, n: f"{of(min(n, p.unjudged), p.unjudged)} crashes that could not be judged, if they show nothing",
    ),
    Fact(
        lambda p: p.unjudged > 0,
        _judged_with,
        lambda p, n: (
            f"{of(min(n, p.unjudged), p.unjudged)} crashes that could not be judged, if they show a hardware finding"
        ),
    ),
)

NOTHING: Mapping[Says, str] = {
    "hardware": "nothing that is counted here; only that the crashes go on elsewhere once it is out",
    "software": "nothing that is counted here; only that the crashes stay after the code is mended",
    "undetermined": "no number of such crashes; what could not be checked, or a test of the machine",
}


def overturned_by(p: Profile, now: Weighed, items: Items) -> str:
    """The fact that takes the fewest crashes to change what is claimed; of equal ones the first of the list."""
    claims = _claims(p, items)
    found = [(n, at) for at, fact in enumerate(FACTS) if fact.can(p) and (n := _fewest(fact, p, claims, items))]
    if not found:
        return NOTHING[now.says]
    n, at = min(found)
    return f"{FACTS[at].says(p, n)}: {_then(p, claims, _claims(FACTS[at].after(p, n), items))}"


def _fewest(fact: Fact, p: Profile, now: Claims, items: Items) -> int | None:
    return next((n for n in TRIED if _claims(fact.after(p, n), items) != now), None)


def _then(p: Profile, now: Claims, then: Claims) -> str:
    if then.says != now.says:
        return {"hardware": "then hardware", "software": "then software"}.get(then.says, "then it cannot be told")
    if then.library != now.library:
        return f"then it is not {now.library}"
    return f"then {machine(p) if _at_place(p) else named(p.cohort)} has no more than its share"
