"""From a profile to a verdict: the sum of the items' logarithms, calibrated, on top of the prior; then the laws.

Never more certain than the fitted outbreaks bear out: the calibration ends where they do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log
from operator import mul

from broadstreet.records.verdict import Argument, Says
from broadstreet.records.weights import Interval
from broadstreet.verdict import mechanism, reads
from broadstreet.verdict.counted import Items, capped
from broadstreet.verdict.items import ITEMS
from broadstreet.verdict.laws import broken
from broadstreet.verdict.prior import log_odds
from broadstreet.verdict.profile import Profile


@dataclass(frozen=True)
class Weighed:
    """`probability` is that of hardware. `short_of` says which law kept a verdict from being given."""

    says: Says
    probability: Interval
    score: float
    short_of: str | None


def levels(p: Profile) -> dict[str, str]:
    """The level of each item that has something to say."""
    found = {item.name: item.level(p) for item in ITEMS}
    return {name: level for name, level in found.items() if level is not None}


def score(p: Profile, items: Items) -> float:
    """The sum of the logarithms of all ratios, as if the items were independent, which they are not."""
    known = (items.ratio(name, level) for name, level in levels(p).items())
    return mechanism.score(p) + sum(log(capped(one[0])[0].value) for one in known if one)


def judged(p: Profile, items: Items) -> Weighed:
    """What a profile argues for, and how surely."""
    found = score(p, items)
    before = log_odds(items.prior)
    worth = _worth(found, p, items)
    probability = Interval(*(_logistic(before + one) for one in (worth.value, worth.low, worth.high)))
    likelier: Says = "undetermined"
    if probability.value >= items.thresholds.hardware:
        likelier = "hardware"
    elif 1 - probability.value >= items.thresholds.software:
        likelier = "software"
    short_of = broken(likelier, p)
    return Weighed("undetermined" if short_of else likelier, probability, found, short_of)


def multiplied(before: float, ratios: Iterable[float]) -> Sequence[float]:
    """The odds before any evidence, and after each item, as if the items were independent, which they are not."""
    return list(accumulate(ratios, mul, initial=before))


def odds_of(probability: float) -> float:
    """The odds of a probability; no further than a thousand million to one, which nobody counted."""
    within = min(max(probability, 1e-9), 1 - 1e-9)
    return within / (1 - within)


def _worth(found: float, p: Profile, items: Items) -> Interval:
    worth, word = items.worth(found), mechanism.word(p)
    if word is None:
        return worth
    told = (word.value, word.low, word.high)  # how such crashes look says nothing against it
    others = (worth.value, worth.low, worth.high)
    return Interval(*(log(one) + max(0.0, other) for one, other in zip(told, others, strict=True)))


def arguments(p: Profile, items: Items) -> tuple[Argument, ...]:
    """Every item that says something, with its counts; those of single crashes first."""
    return (*mechanism.mechanism(p), *(one for item in ITEMS if (one := _argument(item.name, p, items))))


def _argument(name: str, p: Profile, items: Items) -> Argument | None:
    item = next(one for one in ITEMS if one.name == name)
    level = item.level(p)
    known = items.ratio(name, level) if level else None
    if level is None or known is None:
        return None
    ratio, was_capped = capped(known[0])
    return Argument(
        name=name,
        says=item.says[level](p),
        observed={"level": level, **item.observed(p)},
        ratio=ratio,
        campaign=items.campaign,
        hardware=known[1],
        software=known[2],
        capped=was_capped,
        cases=p.witnesses.get(item.cases, ()),
        reads=reads.pasteable(p.cases + p.elsewhere, lambda: item.reads(p)),
    )


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
