"""How the hazard of a cause goes with time, and what it is for each stretch of a host's life."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from operator import attrgetter

from broadstreet.lab.fleet.consistency import names
from broadstreet.lab.fleet.declaration import DAY, HOUR, Cause, Load, Part, Ramp, Scenario, Where
from broadstreet.lab.fleet.world import Stay, World

PER_THOUSAND_HOURS, PER_MILLION_EXCEPTIONS = 1e-3, 1e-6
NAMED = ("host", "physical_host", "rack")
EXPOSURES = Part.__struct_fields__

Chosen = dict[str, tuple[str, ...]]


class Course:
    """The integral of a factor over time, in hours, piece by piece of one hour."""

    def __init__(self, factors: list[float]) -> None:
        self.total = [0.0, *accumulate(factors)]

    def until(self, second: float) -> float:
        """The integral from the start to then."""
        hour = min(int(second // HOUR), len(self.total) - 2)
        return self.total[hour] + (second / HOUR - hour) * (self.total[hour + 1] - self.total[hour])

    def between(self, start: float, end: float) -> float:
        """The integral from then to then."""
        return self.until(end) - self.until(start)

    def when(self, integral: float) -> int:
        """The second at which it reaches this."""
        hour = min(bisect_right(self.total, integral), len(self.total) - 1) - 1
        step = self.total[hour + 1] - self.total[hour]
        return int(HOUR * (hour + (integral - self.total[hour]) / step)) if step else hour * HOUR


def load(scenario: Scenario, power: float = 1.0) -> Course:
    """The load of the fleet, to a power."""
    return Course([_load_at(scenario, scenario.load, hour) ** power for hour in range(scenario.days * 24)])


def _load_at(scenario: Scenario, declared: Load, hour: int) -> float:
    at = (hour + 0.5) * HOUR
    wave = 1 + declared.daily * math.cos(2 * math.pi * (at % DAY / HOUR - declared.peak_hour) / 24)
    return wave * math.prod(_ramped(scenario, ramp, at) for ramp in declared.ramps)


def _ramped(scenario: Scenario, ramp: Ramp, at: float) -> float:
    start, end = scenario.second(ramp.begin), scenario.second(ramp.until)
    return 1 + (ramp.by - 1) * min(max((at - start) / (end - start), 0), 1)


def course(scenario: Scenario, cause: Cause) -> Course:
    """The factor of a cause over time: its ramps, and the load where it goes with it."""
    power = 0.0
    if cause.per != "hours":
        power = scenario.exceptions.power if cause.per == "exceptions" and scenario.exceptions else 1.0
    factors = []
    for hour in range(scenario.days * 24):
        at = (hour + 0.5) * HOUR
        ramped = math.prod(_ramped(scenario, ramp, at) for ramp in cause.ramps)
        factors.append(ramped * _load_at(scenario, scenario.load, hour) ** power)
    return Course(factors)


Factor = Callable[[Stay], float]
Condition = Callable[[Stay], bool]


def constant_factor(cause: Cause, chosen: Chosen) -> Factor:
    """What multiplies the hazard by what is recorded of a stay, uptime aside."""
    only = _condition(cause.only, chosen)
    multiply = [(_condition(one, chosen), one.by) for one in cause.multiply if one.uptime_days is None]
    used = sorted({name for where in (cause.only, *cause.multiply) for name in EXPOSURES if getattr(where, name)})
    if not used:
        return lambda stay: 1.0
    key = attrgetter(*used) if len(used) > 1 else attrgetter(used[0])
    known: dict[object, float] = {}

    def factor(stay: Stay) -> float:
        found = known.get(key(stay))
        if found is None:
            found = math.prod(by for holds, by in multiply if holds(stay)) if only(stay) else 0.0
            known[key(stay)] = found
        return found

    return factor


def is_in(where: Part, chosen: Chosen) -> Condition:
    """Whether a stay is in this part of the fleet, uptime aside."""
    return _condition(where, chosen)


def _condition(where: Part, chosen: Chosen) -> Condition:
    wanted = [(attrgetter(name), _resolved(where, name, chosen)) for name in EXPOSURES if getattr(where, name)]
    return lambda stay: all(read(stay) in there for read, there in wanted)


def _resolved(where: Part, name: str, chosen: Chosen) -> frozenset[str]:
    given = names(getattr(where, name))
    return frozenset(one for key in given for one in (chosen[key] if name in NAMED else (key,)))


def pieces(stay: Stay, cause: Cause, edges: tuple[int, ...], chosen: Chosen) -> Iterator[tuple[int, int, float]]:
    """The stay cut where the uptime reaches what the cause names: start, end, and the factor for that uptime."""
    if not edges:
        yield stay.start, stay.end, 1.0
        return
    cuts = [stay.start, *(stay.boot + edge for edge in edges if stay.start < stay.boot + edge < stay.end), stay.end]
    for at, start in enumerate(cuts[:-1]):
        days = (start - stay.boot) / DAY
        factor = 1.0 if _has_been_up(cause.only, days) else 0.0
        for one in cause.multiply:
            if one.uptime_days is not None and _has_been_up(one, days) and _condition(one, chosen)(stay):
                factor *= one.by
        if factor:
            yield start, cuts[at + 1], factor


def uptime_edges(cause: Cause) -> tuple[int, ...]:
    """The uptimes, in seconds, at which the hazard of the cause changes."""
    days = {day for where in (cause.only, *cause.multiply) for day in where.uptime_days or ()}
    return tuple(sorted(int(day * DAY) for day in days if day > 0))


def _has_been_up(where: Where, days: float) -> bool:
    return where.uptime_days is None or where.uptime_days[0] <= days < where.uptime_days[1]


def exceptions_per_hour(scenario: Scenario, there: World) -> Factor:
    """Exceptions per hour of a stay at load 1; none where none are declared."""
    declared = scenario.exceptions
    if declared is None:
        return lambda stay: 0.0
    per_hour = declared.per_hour
    factors = there.exception_factors
    return lambda stay: per_hour.get(stay.workload, 0.0) * factors[stay.slot]


def unit(cause: Cause) -> float:
    """What the rate of a cause is multiplied by: it is per 1,000 hours, or per million exceptions."""
    return PER_MILLION_EXCEPTIONS if cause.per == "exceptions" else PER_THOUSAND_HOURS
