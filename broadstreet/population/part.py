"""A part of a population that is asked about: the episodes of a syndrome, or of a half of one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.cells import Cells, cells
from broadstreet.population.comparisons import compared
from broadstreet.population.families import ERROR, LEAST, budgets
from broadstreet.population.ground import Cohort, Ground
from broadstreet.population.population import Population
from broadstreet.records.outbreak import Comparison, Split
from broadstreet.statistics.intervals import rate_ratio
from broadstreet.statistics.tails import binomial_tail, negative_binomial_tail

Rows = NDArray[np.int64]

TENANT = "tenant"
MOST_FROM_NEAR = 50  # values of one exposure; who has more has a hundred outbreaks
THROWN = "finding unwinding_exception"
TIMES_APART = 8.0  # more than loads and work make of one cause (10 in the worst scenario of the lab): one of its own
NEEDS_EXCEPTIONS = 0.8  # of the crashes that were judged; the finding holds falsely in a third of the others (0005)


@dataclass(frozen=True, eq=False)
class Part:
    """Episodes, by their row; the signs and splits by which they were parted; the cohorts that were taken out.

    `hints` are the exposures that stood out at first sight; null: none was asked yet. Fewer than `least` episodes do
    not make a cohort.
    """

    syndrome: str
    votes: Rows
    signs: tuple[str, ...] = ()
    splits: tuple[Split, ...] = ()
    without: tuple[Cohort, ...] = ()
    hints: frozenset[str] | None = None
    least: int = LEAST

    def less(self, ground: Ground, cohort: Cohort) -> "Part":
        """The same without a cohort: neither its crashes nor its time at risk."""
        name, value = cohort
        rest = self.votes[ground.population.exposures[name].cases[self.votes] != value]
        return replace(self, votes=rest, without=(*self.without, cohort), hints=None)


@dataclass(frozen=True, eq=False)
class Stands:
    """A value that stands out: what it is, how it compares, and how much likelier it makes what was seen."""

    cohort: Cohort
    comparison: Comparison
    gain: float


@dataclass
class Questions:
    """What is asked, and how often: `parts` are all that the same is asked of."""

    ground: Ground
    parts: int
    families: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.budgets = budgets(self.ground.population.exposures)

    def cells(self, attribute: str, part: Part) -> Cells | None:
        """Every value of an exposure against the rest, for one part."""
        exposure = self.ground.population.exposures[attribute]
        one = np.zeros(len(part.votes), np.int64)
        return cells(self.ground, exposure, part.votes, one, 1, part.without, part.least)

    def standing(self, attributes: Iterable[str], part: Part, parts: int | None = None) -> list[Stands]:
        """Values that stand out, also where strata are alike; the ones that say most first.

        Whose work it was is no stratum: a hundred tenants would leave too few machines alike to see a bad one.
        """
        found: list[Stands] = []
        for attribute in attributes:
            if part.hints is not None and attribute not in part.hints:
                continue
            got = self.cells(attribute, part)
            if got is None:
                continue
            asked = got.asked * (parts or self.parts)
            level = ERROR * self.budgets[attribute]
            for at in sorted(np.flatnonzero(got.p * asked < level), key=lambda at: -got.gain[at])[:MOST_FROM_NEAR]:
                cohort = (attribute, int(got.value[at]))
                comparison = self.compared(*cohort, part, asked, float(got.uneven[at]))
                if comparison is not None and not self._apart_from_tenant(part, cohort, float(got.uneven[at])):
                    comparison = replace(comparison, adjusted=None, adjusted_test=None, same_as=(TENANT,))
                if comparison is not None and believed(comparison, level):
                    found.append(Stands(cohort, comparison, float(got.gain[at])))
        return sorted(found, key=lambda one: -one.gain)

    def _apart_from_tenant(self, part: Part, cohort: Cohort, uneven: float) -> bool:
        """Whether it stands out among the machines of the tenant that crashes there most, if that tenant stands out.

        Within the tenant alone: within its work and week as well there would be too few machines alike. That tenants
        are hit unevenly, as by poisonous requests, is what is looked for here, and no excuse. And with so many times
        more that no uneven load among a tenant's few machines explains it.
        """
        ground, exposures = self.ground, self.ground.population.exposures
        tenant, place = exposures.get(TENANT), exposures[cohort[0]]
        if tenant is None or cohort[0] == TENANT or not ground.told(tenant) or not ground.told(place):
            return True
        inside = tenant.cases[part.votes[place.cases[part.votes] == cohort[1]]]
        if not (inside >= 0).any():
            return True
        whose = int(np.bincount(inside[inside >= 0]).argmax())
        got = self.cells(TENANT, part)
        if got is None or whose not in got.value[binomial_tail(got.inside, got.of, got.share) * got.asked < ERROR]:
            return True
        mine = part.votes[tenant.cases[part.votes] == whose]
        hours = ground.hours(place, ground.measures[0], ground.codes(tenant) == whose)
        here = int((place.cases[mine] == cohort[1]).sum())
        share = float(hours[cohort[1]] / hours.sum()) if hours.sum() else 1.0
        p = negative_binomial_tail(here, len(mine) * share, uneven) if uneven else binomial_tail(here, len(mine), share)
        surely = p * (hours > 0).sum() < ERROR * self.budgets[cohort[0]]
        return bool(surely) and rate_ratio(here, len(mine) - here, share).low >= TIMES_APART

    def compared(self, attribute: str, value: int, part: Part, asked: int, uneven: float = 0.0) -> Comparison | None:
        """One value against all others, from near."""
        exposure = self.ground.population.exposures[attribute]
        measure = measure_of(self.ground.population, part.votes)
        return compared(self.ground, exposure, value, part.votes, asked, uneven, part.without, measure)


def believed(comparison: Comparison, level: float) -> bool:
    """Whether it stands out also where strata are alike. What cannot be told apart from them is not believed."""
    test = comparison.adjusted_test
    if test is None or comparison.adjusted is None:
        return False
    return test.q is not None and test.q < level and comparison.adjusted.low > 1


def measure_of(population: Population, votes: Rows) -> str | None:
    """What time at risk has to be counted in for these episodes; null: as it usually is."""
    sign = population.signs.get(THROWN)
    if sign is None or population.at_risk is None or "exceptions" not in population.at_risk.measures:
        return None
    states = sign.cases[votes]
    judged = states >= 0
    return "exceptions" if judged.any() and (states[judged] == 1).mean() >= NEEDS_EXCEPTIONS else None
