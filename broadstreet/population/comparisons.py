"""Who is hit: the crashes that share an exposure against all others, for every value at once, then one from near.

The first look is naive and asks of every value of every exposure, of every part, in one count over arrays. What stands
out is compared once more within strata of workload, service, release and week, which is what is believed: a make of
machine that only does other work stands out in the first look, and not in the second. Where strata and exposure
cannot be told apart, nothing is claimed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.families import ERROR, LEAST, family
from broadstreet.population.ground import BY_WEEK, Cohort, Ground, Strata
from broadstreet.population.population import Attribute, Floats
from broadstreet.records.outbreak import Comparison, Test
from broadstreet.records.weights import Interval
from broadstreet.statistics.dispersion import dispersion
from broadstreet.statistics.intervals import rate_ratio
from broadstreet.statistics.margins import corner, odds_ratio
from broadstreet.statistics.strata import stratified
from broadstreet.statistics.tables import fisher
from broadstreet.statistics.tails import binomial_tail, negative_binomial_tail
from broadstreet.statistics.tree import scan_ratio

Rows = NDArray[np.int64]

MOST_COUNTERS = 1 << 22
Z_AT_FIRST = 2.0  # fewer are far from any level that is used here; saves the exact test
UNEVEN_FROM = 50  # values, and episodes: with fewer, how unevenly values are hit at all cannot be estimated
UNEVEN = 0.02  # the level at which it counts as uneven: at 0.05 one even fleet in twenty loses its power
LEAST_FOR_BURSTS = 10  # episodes, and days: with fewer nothing can be said of how they come together
TOLD_APART = 0.5  # of the episodes inside, at least so many lie in strata that hold others too


class Cells(NamedTuple):
    """Every value of one exposure that `least` episodes of a part share. Arrays run in parallel.

    `part` is the number of the part, `of` its episodes of which the exposure is known, `share` the value's share of the
    time at risk, `gain` the log likelihood ratio, `uneven` the dispersion that the test allowed for. `asked` counts the
    questions: every part and every value that was at risk.
    """

    attribute: str
    part: Rows
    value: Rows
    inside: Rows
    of: Rows
    share: Floats
    p: Floats
    gain: Floats
    uneven: Floats
    asked: int


class Within(NamedTuple):
    """The same within strata; `apart` is the share of the episodes inside whose stratum holds other values too."""

    ratio: Interval
    test: Test
    apart: float
    counts: dict[str, float | tuple[float, ...]]


def cells(
    ground: Ground,
    attribute: Attribute,
    votes: Rows,
    part: Rows,
    parts: int,
    without: Sequence[Cohort] = (),
    least: int = LEAST,
) -> Cells | None:
    """Ask of every value of an exposure, in every part: are these more episodes than the time at risk explains?"""
    codes = attribute.cases[votes]
    size = len(attribute.values)
    told = ground.told(attribute)
    hours = ground.hours(attribute, ground.measures[0], ground.kept(without)) if told else np.ones(size)
    at_risk = hours > 0
    known = (codes >= 0) & at_risk[codes]
    if not known.any() or at_risk.sum() < 2:
        return None
    of_part = np.bincount(part[known], minlength=parts)
    keys, inside = _counted(part[known] * np.int64(size) + codes[known], parts * size, least)
    label, value = keys // size, keys % size
    asked = int((of_part >= least).sum() * at_risk.sum())
    of = of_part[label]
    if told:
        share = hours[value] / hours.sum()
        p = binomial_tail(inside, of, share)
        doubted = np.unique(label[p * asked < ERROR])
        uneven = _uneven(codes[known], part[known], doubted, of_part, hours / hours.sum())[label]
        p = np.where(uneven > 0, negative_binomial_tail(inside, of * share, uneven), p)
    else:
        controls = ground.controls(without)
        every = attribute.cases[ground.votes[controls]]
        whole = np.bincount(every[every >= 0], minlength=size)
        mine = known & controls[np.searchsorted(ground.votes, votes)]
        own, sizes = _own(part[mine], codes[mine], keys, size, parts)
        others, rest = whole[value] - own, whole.sum() - sizes[label]
        share = np.divide(others, rest, out=np.ones(len(rest)), where=rest > 0)
        uneven = np.zeros(len(keys))
        p = _oftener(inside, of, others, rest)
    gain = scan_ratio(inside, of * share, of)
    return Cells(attribute.name, label, value, inside, of, share, p, gain, uneven, asked)


def _own(part: Rows, codes: NDArray[np.int32], keys: Rows, size: int, parts: int) -> tuple[Rows, Rows]:
    """How many of these each part has itself: of each value of interest, and in all."""
    found, counts = np.unique(part * np.int64(size) + codes, return_counts=True)
    at = np.minimum(np.searchsorted(found, keys), max(0, len(found) - 1))
    own = np.where(found[at] == keys, counts[at], 0) if len(found) else np.zeros(len(keys), np.int64)
    return own, np.bincount(part, minlength=parts)


def _counted(keys: Rows, size: int, least: int) -> tuple[Rows, Rows]:
    """The keys that are there at least so often, and how often."""
    if size <= MOST_COUNTERS:
        counts = np.bincount(keys, minlength=size)
        found = np.flatnonzero(counts >= least)
        return found, counts[found]
    found, counts = np.unique(keys, return_counts=True)
    return found[counts >= least], counts[counts >= least]


def _oftener(inside: Rows, of: Rows, others: Rows, rest: Rows) -> Floats:
    """The chance of so many inside if they were as frequent as among the others; 1 where they are not oftener."""
    p = np.ones(len(inside))
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = inside / of - others / rest
        whole = (inside + others) / (of + rest)
        z = apart / np.sqrt(whole * (1 - whole) * (1 / of + 1 / rest))
    asked = z > Z_AT_FIRST
    p[asked] = fisher(*(some[asked] for some in (inside, of - inside, others, rest - others))).greater
    return p


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
        return _against_others(ground, attribute, value, votes, asked, without)
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
        test=_in_family(test, attribute.name, asked),
        strata=names,
        adjusted=adjusted.ratio if adjusted else None,
        adjusted_test=_in_family(adjusted.test, attribute.name, asked) if adjusted else None,
        same_as=same_as,
        adjusted_by=("strata.stratified", adjusted.counts) if adjusted else None,
    )


def _uneven(codes: NDArray[np.int32], part: Rows, doubted: Rows, of_part: Rows, share: Floats) -> Floats:
    """How unevenly the values are hit, of those parts that are in doubt; 0 for all others."""
    found = np.zeros(len(of_part))
    if (share > 0).sum() < UNEVEN_FROM or not (of_part[doubted] >= UNEVEN_FROM).any():
        return found
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(of_part)
    for one in doubted[of_part[doubted] >= UNEVEN_FROM]:
        mine = codes[order[ends[one] - of_part[one] : ends[one]]]
        counts = np.bincount(mine, minlength=len(share))[share > 0]
        estimate = dispersion(counts, of_part[one] * share[share > 0])
        if estimate.p < UNEVEN:
            found[one] = estimate.value
    return found


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
    lists = _lists({"inside": inside[told], "total": total[told], "share": share[told]})
    if uneven or burst > 1:
        mean = float((total[told] * share[told]).sum())
        wider = _wider(result.ratio, burst)
        return Within(wider, _tail(int(inside[told].sum()), mean, int(total[told].sum()), uneven, burst), apart, lists)
    return Within(result.ratio, Test("strata.stratified", lists, result.p), apart, lists)


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


def _against_others(
    ground: Ground, attribute: Attribute, value: int, votes: Rows, asked: int, without: Sequence[Cohort]
) -> Comparison | None:
    """Where no time at risk is told: the other crashes of the same services are the controls."""
    services = ground.population.exposures.get("service")
    mine = np.zeros(len(ground.population), bool)
    mine[votes] = True
    others = ground.votes[ground.controls(without) & ~mine[ground.votes]]
    if services is not None:
        of_ours = np.unique(services.cases[votes])
        if (of_ours >= 0).any():
            others = others[np.isin(services.cases[others], of_ours[of_ours >= 0])]
    every = np.concatenate([votes, others])
    sick = np.arange(len(every)) < len(votes)
    codes = attribute.cases[every]
    known = codes >= 0
    here = codes == value
    inside, of = int((here & sick).sum()), int((known & sick).sum())
    controls = int((known & ~sick).sum())
    if not controls or not of:
        return None
    names = ground.strata_names(attribute.name)
    strata = ground.strata(names).cases[every]
    alone = np.zeros(len(every), np.int64)
    naive = _tables(alone, sick, here, known)
    adjusted = _tables(strata, sick, here, known)
    result, narrow = corner(*naive), corner(*adjusted)
    ratio = odds_ratio(*naive) or Interval(1.0, 0.0, float("inf"))
    b = int((here & ~sick).sum())
    arguments: dict[str, float | tuple[float, ...]] = {"a": inside, "b": of - inside, "c": b, "d": controls - b}
    adjusted_ratio = odds_ratio(*adjusted) if narrow.span else None
    given = dict(zip(("here_with", "here", "with_it", "total"), adjusted, strict=True))
    stratified_test = Test("margins.corner", _lists(given), narrow.greater)
    return Comparison(
        attribute=attribute.name,
        value=attribute.values[value],
        inside=inside,
        of=of,
        share=b / controls,
        against="other crashes",
        measure="crashes",
        naive=ratio,
        test=_in_family(Test("tables.fisher", arguments, result.greater), attribute.name, asked),
        strata=names,
        adjusted=adjusted_ratio,
        adjusted_test=_in_family(stratified_test, attribute.name, asked) if adjusted_ratio else None,
        same_as=() if adjusted_ratio else names,
        adjusted_by=("margins.odds_ratio", _lists(given)) if adjusted_ratio else None,
    )


def _tables(
    stratum: NDArray[np.integer], sick: NDArray[np.bool_], here: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[Rows, Rows, Rows, Rows]:
    told = known & (stratum >= 0)
    _, dense = np.unique(stratum[told], return_inverse=True)
    size = int(dense.max()) + 1 if len(dense) else 0
    counts = [np.bincount(dense[flag[told]], minlength=size) for flag in (sick & here, here, sick)]
    return counts[0], counts[1], counts[2], np.bincount(dense, minlength=size)


def _lists(arrays: Mapping[str, NDArray[Any]]) -> dict[str, float | tuple[float, ...]]:
    return {name: tuple(values.tolist()) for name, values in arrays.items()}


def _in_family(test: Test, family: str, asked: int) -> Test:
    return Test(test.name, test.arguments, test.p, min(1.0, test.p * asked), family, asked)
