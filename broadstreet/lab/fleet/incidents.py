"""Which crashes happen where and when: for each cause a Poisson process over the lives of the hosts.

A count instead of a rate is the same process, given that number. Bursts and moves follow a first crash: with it they
are one episode.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.fleet import hazard
from broadstreet.lab.fleet.declaration import Capture, Cause, Scenario
from broadstreet.lab.fleet.hazard import Chosen, Course
from broadstreet.lab.fleet.recipes import Plan, planned
from broadstreet.lab.fleet.world import Stay, World

MINUTE = 60
LEAST_UNEVEN = 1e-6  # below it no host differs from another
MOST_INCIDENTS = 100_000


class Incident(NamedTuple):
    """A crash that happened, numbered in the order of time, and what is to be made of it."""

    number: int
    cause: Cause
    episode: int
    second: int
    stay: Stay
    cpu: int
    captured: bool
    plan: Plan

    def core(self, slim: bool = False) -> str:
        """The name of its core dump, which says nothing of the cause."""
        return f"{self.number:04}.core.zst" if slim else f"{self.number:04}.core"


class Crash(NamedTuple):
    """Where and when, before it is numbered."""

    second: int
    episode: int
    stay: Stay


def incidents(scenario: Scenario, there: World, chosen: Chosen, seed: str) -> list[Incident]:
    """All crashes of the period, in the order of time."""
    found: list[tuple[int, int, Crash, Cause]] = []
    for number, cause in enumerate(scenario.cause):
        draw = Random(f"{seed}/cause/{cause.name}")
        crashes = _crashes(scenario, cause, there, chosen, draw)
        found += [(crash.second, number, crash, cause) for crash in crashes]
    found.sort(key=lambda one: one[:2])
    if len(found) > MOST_INCIDENTS:
        raise UsageError(f"{len(found)} crashes, more than {MOST_INCIDENTS}", "Lower the rates of the causes.")
    captured = _capture(scenario.capture, scenario, chosen)
    draw = Random(f"{seed}/crashes")
    return [
        _incident(scenario, number, crash, cause, captured(crash), draw)
        for number, (_, _, crash, cause) in enumerate(found, 1)
    ]


def _incident(scenario: Scenario, number: int, crash: Crash, cause: Cause, ratio: float, draw: Random) -> Incident:
    recipe = draw.choices(cause.recipes, [one.weight for one in cause.recipes])[0]
    cpu = draw.randrange(scenario.fleet.cpus)
    plan = planned(recipe, crash.stay.service_release, crash.stay.workload)
    return Incident(
        number=number,
        cause=cause,
        episode=crash.episode,
        second=crash.second,
        stay=crash.stay,
        cpu=cpu if cause.cpu is None else cause.cpu,
        captured=draw.random() < ratio,
        plan=plan,
    )


def _crashes(scenario: Scenario, cause: Cause, there: World, chosen: Chosen, draw: Random) -> list[Crash]:
    course = hazard.course(scenario, cause)
    cells = list(_cells(scenario, cause, there, chosen, course, draw))
    cumulative = list(accumulate(weight for _, _, _, weight in cells))
    expected = cumulative[-1] if cumulative else 0.0
    if cause.count is not None:
        if cause.count and not expected:
            raise UsageError(f"cause {cause.name!r}: nothing of the fleet is in `only`", "Widen it, or the period.")
        count = cause.count
    else:
        count = _poisson(expected * (cause.rate or 0.0) * hazard.unit(cause), draw)
    firsts = []
    for _ in range(count):
        stay, start, end, _ = cells[min(bisect_right(cumulative, draw.random() * expected), len(cells) - 1)]
        before = course.until(start)
        second = course.when(before + draw.random() * (course.until(end) - before))
        firsts.append((min(max(second, start), end - 1), stay))
    firsts.sort(key=lambda first: (first[0], first[1].slot))
    alive = hazard.is_in(cause.only, chosen)
    return [
        crash
        for episode, (second, stay) in enumerate(firsts, 1)
        for crash in _episode(scenario, cause, Crash(second, episode, stay), there, alive, draw)
    ]


Cell = tuple[Stay, int, int, float]


def _cells(
    scenario: Scenario, cause: Cause, there: World, chosen: Chosen, course: Course, draw: Random
) -> Iterator[Cell]:
    factor = hazard.constant_factor(cause, chosen)
    per_hour = hazard.exceptions_per_hour(scenario, there) if cause.per == "exceptions" else None
    edges = hazard.uptime_edges(cause)
    begin = scenario.second(cause.begin) if cause.begin else 0
    until = scenario.second(cause.until) if cause.until else scenario.seconds
    uneven = {}
    if cause.uneven > LEAST_UNEVEN:
        uneven = {slot: draw.gammavariate(1 / cause.uneven, cause.uneven) for slot in range(len(there.slots))}
    for slot, stays in enumerate(there.slots):
        frailty = uneven.get(slot, 1.0)
        for stay in stays:
            by = factor(stay) * frailty
            if not by or stay.end <= begin or stay.start >= until:
                continue
            by *= per_hour(stay) if per_hour else 1.0
            for start, end, times in hazard.pieces(stay, cause, edges, chosen):
                first, last = max(start, begin), min(end, until)
                if first < last:
                    yield stay, first, last, by * times * course.between(first, last)


def _episode(
    scenario: Scenario, cause: Cause, first: Crash, there: World, alive: hazard.Condition, draw: Random
) -> Iterator[Crash]:
    yield first
    until = scenario.second(cause.until) if cause.until else scenario.seconds
    if cause.burst:
        second = float(first.second)
        for _ in range(_geometric(cause.burst.mean - 1, draw)):
            second += 1 + draw.expovariate(1 / (cause.burst.gap_minutes * MINUTE))
            stay = stay_at(there.slots[first.stay.slot], int(second))
            if stay is not None and stay.host == first.stay.host and second < until and alive(stay):
                yield Crash(int(second), first.episode, stay)
    if cause.moves:
        visited = {first.stay.slot}
        second = float(first.second)
        for _ in range(cause.moves.hosts - 1):
            second += cause.moves.minutes * MINUTE * draw.uniform(0.5, 1.5)
            standing = (stay_at(slot, int(second)) for number, slot in enumerate(there.slots) if number not in visited)
            there_now = [stay for stay in standing if stay is not None and alive(stay)]
            if second >= until or not there_now:
                return
            stay = draw.choice(there_now)
            visited.add(stay.slot)
            yield Crash(int(second), first.episode, stay)


def stay_at(stays: tuple[Stay, ...], second: int) -> Stay | None:
    """Where a slot was at that moment; null where it was down."""
    at = bisect_right(stays, second, key=lambda stay: stay.start) - 1
    return stays[at] if at >= 0 and second < stays[at].end else None


def _capture(capture: Capture, scenario: Scenario, chosen: Chosen) -> Callable[[Crash], float]:
    outages = [
        (scenario.second(one.begin), scenario.second(one.until), hazard.is_in(one, chosen), one.ratio)
        for one in capture.outages
    ]

    def ratio(crash: Crash) -> float:
        for begin, until, holds, kept in outages:
            if begin <= crash.second < until and holds(crash.stay):
                return kept
        return capture.ratio

    return ratio


def _poisson(mean: float, draw: Random) -> int:
    count, at = 0, draw.expovariate(1.0)
    while at < mean:
        count += 1
        at += draw.expovariate(1.0)
        if count > MOST_INCIDENTS:
            raise UsageError(f"{mean:.0f} crashes of one cause are expected", "Lower its rate.")
    return count


def _geometric(mean: float, draw: Random) -> int:
    count = 0
    while draw.random() < mean / (1 + mean):
        count += 1
    return count
