"""Who is hit, from near: the crashes that share one value of an exposure against all others.

What stood out in the first look (`cells.py`) is compared once more within strata of workload, service, release and
week, which is what is believed: a make of machine that only does other work stands out in the first look, and not
here. Where strata and exposure cannot be told apart, nothing is claimed.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.asked import in_family, lists
from broadstreet.population.controls import against_others
from broadstreet.population.families import family
from broadstreet.population.ground import BY_WEEK, Cohort, Ground, Strata
from broadstreet.population.population import Attribute
from broadstreet.records.outbreak import Comparison, Test
from broadstreet.records.weights import Interval
from broadstreet.statistics.intervals import rate_ratio
from broadstreet.statistics.strata import stratified
from broadstreet.statistics.tails import binomial_tail, negative_binomial_tail

Rows = NDArray[np.int64]

LEAST_FOR_BURSTS = 10  # episodes, and days: with fewer nothing can be said of how they come together
TOLD_APART = 0.5  # of the episodes inside, at least so many lie in strata that hold others too


class Within(NamedTuple):
    """The same within strata; `apart` is the share of the episodes inside whose stratum holds other values too."""

    ratio: Interval
    test: Test
    apart: float
    counts: dict[str, float | tuple[float, ...]]


def compared(
    ground: Ground,
    attribute: Attribute,
    value: int,
    votes: Rows,
    asked: int,
    uneven: float = 0.0,
    without: Sequence[Cohort] = (),
    measure: str | None = None,
) -> Comparison | None:
    """One value against all others, naive and stratified; null where no other was at risk.

    Stratified, time at risk counts in `measure` where one is named: exceptions, for crashes that need one.
    """
    if not ground.told(attribute):
        return against_others(ground, attribute, value, votes, asked, without)
    kept = ground.kept(without)
    first = ground.measures[0]
    hours = ground.hours(attribute, first, kept)
    codes = attribute.cases[votes]
    known = (codes >= 0) & (hours > 0)[codes]
    inside, of = int((codes[known] == value).sum()), int(known.sum())
    share = float(hours[value] / hours.sum()) if hours.sum() else 1.0
    if not 0 < share < 1:
        return None
    burst = 1.0 if family(attribute.name).kind == "place" else bursts(ground, votes[known], codes[known] == value)
    test = _tail(inside, of * share, of, uneven, burst)
    names = ground.strata_names(attribute.name)
    used = measure or first
    naive = rate_ratio(inside, of - inside, share)

    def within(strata: Sequence[str]) -> Within | None:
        return _stratified(ground, attribute, value, votes, ground.strata(strata), used, kept, uneven, burst)

    adjusted, names, same_as = _adjusted(within, names, naive)
    return Comparison(
        attribute=attribute.name,
        value=attribute.values[value],
        inside=inside,
        of=of,
        share=share,
        against="time at risk",
        measure=used,
        naive=naive,
        test=in_family(test, attribute.name, asked),
        strata=names,
        adjusted=adjusted.ratio if adjusted else None,
        adjusted_test=in_family(adjusted.test, attribute.name, asked) if adjusted else None,
        same_as=same_as,
        adjusted_by=("strata.stratified", adjusted.counts) if adjusted else None,
    )


def _stratified(
    ground: Ground,
    attribute: Attribute,
    value: int,
    votes: Rows,
    strata: Strata,
    measure: str,
    kept: NDArray[np.bool_] | None,
    uneven: float,
    burst: float,
) -> Within | None:
    codes = attribute.cases[votes]
    mine = (codes >= 0) & (strata.cases[votes] >= 0)
    stratum = strata.cases[votes][mine]
    total = np.bincount(stratum, minlength=strata.count)
    inside = np.bincount(stratum[codes[mine] == value], minlength=strata.count)
    pieces = (strata.pieces >= 0) & (ground.codes(attribute) >= 0)
    if kept is not None:
        pieces &= kept
    weights = ground.weights(measure)
    hours = np.bincount(strata.pieces[pieces], weights[pieces], strata.count)
    pieces &= ground.codes(attribute) == value
    own = np.bincount(strata.pieces[pieces], weights[pieces], strata.count)
    share = np.divide(own, hours, out=np.zeros(strata.count), where=hours > 0)
    told = (total > 0) & (share > 0) & (share < 1)
    result = stratified(inside[told], total[told], share[told])
    if result.p is None or result.ratio is None:
        return None
    apart = float(inside[told].sum() / max(1, (codes == value).sum()))
    given = lists({"inside": inside[told], "total": total[told], "share": share[told]})
    if uneven or burst > 1:
        mean = float((total[told] * share[told]).sum())
        wider = _wider(result.ratio, burst)
        return Within(wider, _tail(int(inside[told].sum()), mean, int(total[told].sum()), uneven, burst), apart, given)
    return Within(result.ratio, Test("strata.stratified", given, result.p), apart, given)


def bursts(ground: Ground, votes: Rows, here: NDArray[np.bool_]) -> float:
    """How many crashes count as one, for they come together: the design effect of days.

    An input that kills one host after another of one place within hours is one thing that happened, not twenty.
    """
    days = np.nan_to_num(ground.population.time[votes] // 86400.0, nan=-1.0)
    _, day = np.unique(days, return_inverse=True)
    of_day = np.bincount(day)
    if len(votes) < LEAST_FOR_BURSTS or len(of_day) < LEAST_FOR_BURSTS:
        return 1.0
    share = here.mean()
    chance = share * (1 - share) * of_day.sum()
    if not chance:
        return 1.0
    seen = float(((np.bincount(day[here], minlength=len(of_day)) - share * of_day) ** 2).sum())
    return max(1.0, seen / float(chance))


def _tail(inside: int, mean: float, of: int, uneven: float, burst: float) -> Test:
    if uneven:
        arguments: dict[str, float | tuple[float, ...]] = {"k": inside, "mean": mean, "dispersion": uneven}
        return Test("tails.negative_binomial_tail", arguments, float(negative_binomial_tail(inside, mean, uneven)))
    arguments = {"k": inside / burst, "n": of / burst, "share": mean / of}
    return Test("tails.binomial_tail", arguments, float(binomial_tail(inside / burst, of / burst, mean / of)))


def _wider(ratio: Interval, burst: float) -> Interval:
    """The interval of fewer crashes; in logarithms its width grows as the root."""
    grown = float(np.sqrt(burst))
    if not (ratio.low > 0 and ratio.value < np.inf):
        return Interval(ratio.value, ratio.low ** (1 / grown), ratio.high)
    return Interval(
        ratio.value, ratio.value * (ratio.low / ratio.value) ** grown, ratio.value * (ratio.high / ratio.value) ** grown
    )


def _adjusted(
    within: Callable[[Sequence[str]], Within | None], names: tuple[str, ...], naive: Interval
) -> tuple[Within | None, tuple[str, ...], tuple[str, ...]]:
    """The comparison within strata, what these are, and what it cannot be told apart from.

    What was rolled out to all within days cannot be told apart from the week. Then it is compared without that stratum,
    and the week is named, unless the few weeks in which both were there say otherwise.
    """
    narrow = within(names)
    if narrow is not None and narrow.apart >= TOLD_APART:
        return narrow, names, ()
    always = tuple(name for name in names if name != BY_WEEK)
    wide = within(always)
    if wide is not None and wide.apart >= TOLD_APART and (narrow is None or narrow.ratio.high >= naive.low):
        return wide, always, (BY_WEEK,)
    alone = tuple(name for name in names if (one := within((name,))) is None or one.apart < TOLD_APART)
    return None, names, alone or names
