"""Where no time at risk is told: the other crashes of the same services are what a part is compared with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.asked import in_family, lists
from broadstreet.population.ground import Cohort, Ground
from broadstreet.population.population import Attribute
from broadstreet.records.outbreak import Comparison, Test
from broadstreet.records.weights import Interval
from broadstreet.statistics.margins import corner, odds_ratio

Rows = NDArray[np.int64]


def against_others(
    ground: Ground, attribute: Attribute, value: int, votes: Rows, asked: int, without: Sequence[Cohort]
) -> Comparison | None:
    """One value against all others, naive and within strata; null where there is no control."""
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
    stratified_test = Test("margins.corner", lists(given), narrow.greater)
    return Comparison(
        attribute=attribute.name,
        value=attribute.values[value],
        inside=inside,
        of=of,
        share=b / controls,
        against="other crashes",
        measure="crashes",
        naive=ratio,
        test=in_family(Test("tables.fisher", arguments, result.greater), attribute.name, asked),
        strata=names,
        adjusted=adjusted_ratio,
        adjusted_test=in_family(stratified_test, attribute.name, asked) if adjusted_ratio else None,
        same_as=() if adjusted_ratio else names,
        adjusted_by=("margins.odds_ratio", lists(given)) if adjusted_ratio else None,
    )


def _tables(
    stratum: NDArray[np.integer], sick: NDArray[np.bool_], here: NDArray[np.bool_], known: NDArray[np.bool_]
) -> tuple[Rows, Rows, Rows, Rows]:
    told = known & (stratum >= 0)
    _, dense = np.unique(stratum[told], return_inverse=True)
    size = int(dense.max()) + 1 if len(dense) else 0
    counts = [np.bincount(dense[flag[told]], minlength=size) for flag in (sick & here, here, sick)]
    return counts[0], counts[1], counts[2], np.bincount(dense, minlength=size)
