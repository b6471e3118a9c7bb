"""What crashes are held against: time at risk by exposure, and the strata within which exposures are compared.

Time at risk comes in pieces; here they are cut at the ends of weeks, so that a week can be a stratum: releases and
kernels are rolled out, so whatever changes with time looks like them unless hosts of one week are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.families import STRATA
from broadstreet.population.population import Attribute, Codes, Floats, Population

WEEK = 7 * 86400.0
BY_WEEK = "week"
MOST_WEEKS = 53  # longer periods are cut into so many strata
Cohort = tuple[str, int]  # an exposure and the code of its value


@dataclass(frozen=True, eq=False)
class Strata:
    """The stratum of every piece and of every crash; -1 where it is not known. `names` are what they are made of."""

    names: tuple[str, ...]
    pieces: Codes
    cases: Codes
    count: int


class Ground:
    """The time at risk of a population, cut by week, and its episodes (`votes`). State: what was computed once."""

    def __init__(self, population: Population, votes: NDArray[np.int64]) -> None:
        self.population = population
        self.votes = votes
        self._codes: dict[str, Codes] = {}
        self._hours: dict[tuple[str, str], Floats] = {}
        self._strata: dict[tuple[str, ...], Strata] = {}
        self._days: dict[str, tuple[Floats, Floats]] = {}
        self._controls: dict[tuple[Cohort, ...], NDArray[np.bool_]] = {}
        weeks = max(1, int(np.ceil((population.end - population.start) / WEEK)))
        self.step = WEEK * max(1.0, weeks / MOST_WEEKS)
        self.steps = max(1, int(np.ceil((population.end - population.start) / self.step)))

    @property
    def measures(self) -> tuple[str, ...]:
        """What time at risk is counted in; the first is the one to use."""
        at_risk = self.population.at_risk
        return () if at_risk is None else tuple(at_risk.measures)

    def told(self, attribute: Attribute) -> bool:
        """Whether time at risk is told by this exposure."""
        return self.population.at_risk is not None and attribute.at_risk is not None

    def codes(self, attribute: Attribute) -> Codes:
        """The value of each piece, as cut here."""
        if attribute.name not in self._codes:
            assert attribute.at_risk is not None
            self._codes[attribute.name] = attribute.at_risk[self._of]
        return self._codes[attribute.name]

    def weights(self, measure: str) -> Floats:
        """How much each piece was at risk."""
        at_risk = self.population.at_risk
        assert at_risk is not None
        return np.nan_to_num(at_risk.measures[measure])[self._of] * self._part

    def hours(self, attribute: Attribute, measure: str, kept: NDArray[np.bool_] | None = None) -> Floats:
        """Time at risk of each value; of those pieces only that are `kept`."""
        key = (attribute.name, measure)
        if kept is None and key in self._hours:
            return self._hours[key]
        codes, weights = self.codes(attribute), self.weights(measure)
        if kept is not None:
            codes, weights = codes[kept], weights[kept]
        known = codes >= 0
        hours: Floats = np.bincount(codes[known], weights[known], len(attribute.values)).astype(np.float64)
        if kept is None:
            self._hours[key] = hours
        return hours

    def strata(self, names: Sequence[str]) -> Strata:
        """The strata that these exposures make together; the week may be among them."""
        key = tuple(names)
        if key not in self._strata:
            self._strata[key] = self._made(key)
        return self._strata[key]

    def strata_names(self, attribute: str) -> tuple[str, ...]:
        """Within what an exposure is compared: workload, service, release and week, but not within itself."""
        left_out = {attribute} | ({"service_release"} if attribute == "service" else set())
        told = self.population.exposures
        named = (name for name in STRATA if name in told and name not in left_out and self._is_told(name))
        return (*named, BY_WEEK)

    def kept(self, without: Sequence[Cohort]) -> NDArray[np.bool_] | None:
        """The pieces that none of these cohorts has; null: all."""
        kept: NDArray[np.bool_] | None = None
        for name, value in without:
            attribute = self.population.exposures[name]
            if self.told(attribute):
                other = self.codes(attribute) != value
                kept = other if kept is None else kept & other
        return kept

    def first_at_risk(self, attribute: Attribute, kept: NDArray[np.bool_] | None) -> Floats:
        """When each value was first at risk, in these pieces; infinite for those that never were."""
        codes = self.codes(attribute)
        told = codes >= 0 if kept is None else (codes >= 0) & kept
        first = np.full(len(attribute.values), np.inf)
        np.minimum.at(first, codes[told], self._begin[told])
        return first

    def controls(self, without: Sequence[Cohort]) -> NDArray[np.bool_]:
        """The episodes to compare with where no time at risk is told: those that none of these cohorts has.

        Of each syndrome one for each host: ten crashes of a bad machine are one machine that can crash, not ten.
        """
        key = tuple(without)
        if key not in self._controls:
            kept = self._one_for_each_host.copy()
            for name, value in without:
                kept &= self.population.exposures[name].cases[self.votes] != value
            self._controls[key] = kept
        return self._controls[key]

    @cached_property
    def _one_for_each_host(self) -> NDArray[np.bool_]:
        host, syndrome = self.population.exposures.get("host"), self.population.syndrome[self.votes]
        if host is None:
            return np.ones(len(self.votes), np.bool_)
        codes = host.cases[self.votes]
        kept = (codes < 0) | (syndrome < 0)
        _, first = np.unique(syndrome.astype(np.int64) * len(host.values) + codes, return_index=True)
        kept[first] = True
        return kept

    def overlap(self, one: Cohort, other: Cohort) -> float:
        """Of the time at risk that either of two cohorts has, the share that both have; 0 where it is not told."""
        masks = []
        for name, value in (one, other):
            attribute = self.population.exposures[name]
            if not self.told(attribute):
                return 0.0
            masks.append(self.codes(attribute) == value)
        weights = self.weights(self.measures[0])
        either = float(weights[masks[0] | masks[1]].sum())
        return float(weights[masks[0] & masks[1]].sum()) / either if either else 0.0

    def by_day(self, measure: str, kept: NDArray[np.bool_] | None) -> tuple[Floats, Floats]:
        """The ends of the days, and the time at risk in each."""
        if kept is None and measure in self._days:
            return self._days[measure]
        start, end = self.population.start, self.population.end
        edges = np.append(np.arange(start, end, 86400.0), end)
        if self.population.at_risk is None:
            return edges, np.diff(edges) / 3600.0
        begins, ends, weights = self._begin, self._end, self.weights(measure)
        if kept is not None:
            begins, ends, weights = begins[kept], ends[kept], weights[kept]
        length = ends - begins
        rate = np.divide(weights, length, out=np.zeros_like(weights), where=length > 0)
        # The integral of a sum of boxes: a box of rate r from b to e adds r(t - b) - r(t - e) where t is past them.
        by_begin, by_end = np.argsort(begins), np.argsort(ends)
        since = [
            moments - start for moments in (edges, begins[by_begin], ends[by_end])
        ]  # small, so that nothing cancels
        integral = _ramps(since[0], since[1], rate[by_begin]) - _ramps(since[0], since[2], rate[by_end])
        days = np.maximum(0.0, np.diff(integral))
        if kept is None:
            self._days[measure] = (edges, days)
        return edges, days

    def _is_told(self, name: str) -> bool:
        return self.population.at_risk is None or self.told(self.population.exposures[name])

    def _made(self, names: tuple[str, ...]) -> Strata:
        population = self.population
        count = 1
        cases, pieces = np.zeros(len(population), np.int64), np.zeros(len(self._begin), np.int64)
        if BY_WEEK in names:
            count = self.steps
            weeks = np.floor((population.time - population.start) / self.step)
            cases = np.where(np.isnan(weeks) | (weeks < 0) | (weeks >= count), -1, weeks).astype(np.int64)
            pieces = np.clip((self._begin - population.start) // self.step, 0, count - 1).astype(np.int64)
        for name in names:
            if name == BY_WEEK:
                continue
            attribute = population.exposures[name]
            more = len(attribute.values)
            cases = np.where((cases < 0) | (attribute.cases < 0), -1, cases * more + attribute.cases)
            if self.told(attribute):
                codes = self.codes(attribute)
                pieces = np.where((pieces < 0) | (codes < 0), -1, pieces * more + codes)
            count *= more
        used = np.unique(np.concatenate([cases[cases >= 0], pieces[pieces >= 0]]))
        return Strata(names, _dense(pieces, used), _dense(cases, used), len(used))

    @cached_property
    def repeats(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The crashes that are no episode of their own, and of every crash what it would be a repeat of."""
        population = self.population
        host = population.exposures.get("host")
        counts = np.zeros(len(population), bool)
        counts[self.votes] = True
        if host is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        keys = population.trace.astype(np.int64) * (len(host.values) + 1) + host.cases
        return np.flatnonzero(~counts & (host.cases >= 0)), keys

    @cached_property
    def _cut(self) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        at_risk = self.population.at_risk
        if at_risk is None:
            nothing = np.zeros(0)
            return np.zeros(0, np.int64), nothing, nothing, nothing
        first = np.floor((at_risk.start - self.population.start) / self.step).astype(np.int64)
        last = np.ceil((at_risk.end - self.population.start) / self.step).astype(np.int64) - 1
        pieces = np.maximum(1, last - first + 1)
        of = np.repeat(np.arange(len(first)), pieces)
        number = np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        edge = self.population.start + (first[of] + number) * self.step
        begin = np.maximum(at_risk.start[of], edge)
        end = np.where(number == pieces[of] - 1, at_risk.end[of], edge + self.step)
        whole = (at_risk.end - at_risk.start)[of]
        part = np.divide(end - begin, whole, out=np.ones_like(whole), where=whole > 0)
        return of, begin, end, part

    @property
    def _of(self) -> NDArray[np.int64]:
        return self._cut[0]

    @property
    def _begin(self) -> Floats:
        return self._cut[1]

    @property
    def _end(self) -> Floats:
        return self._cut[2]

    @property
    def _part(self) -> Floats:
        return self._cut[3]


def _dense(codes: NDArray[np.int64], used: NDArray[np.int64]) -> Codes:
    return np.where(codes < 0, -1, np.searchsorted(used, codes)).astype(np.int32)


def _ramps(at: Floats, starts: Floats, rates: Floats) -> Floats:
    """The sum of rate * (t - start) over all starts before t, at each t; starts are sorted."""
    passed = np.searchsorted(starts, at, side="right")
    rate = np.concatenate([[0.0], np.cumsum(rates)])[passed]
    moment = np.concatenate([[0.0], np.cumsum(rates * starts)])[passed]
    return np.asarray(rate * at - moment)
