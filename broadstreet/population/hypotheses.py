"""Hypotheses of `hypotheses.toml`, held against what was observed, in words. (The Fermi check.)

A race that needs one instruction to be hit looks impossible until its rates are multiplied out, and one that would
crash a fleet every second looks likely until then. The check rejects; it never proves.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from broadstreet.errors import UsageError
from broadstreet.records.hypothesis import DoseResponse, Factor, Follows, Plausibility, Range, Solved, Template
from broadstreet.records.weights import Interval
from broadstreet.statistics.dose import Trend, trend, without_dose
from broadstreet.statistics.intervals import poisson_interval
from broadstreet.statistics.plausible import DRAWS, Prediction, predicted, solved
from broadstreet.statistics.tails import FLOOR

FILE = "hypotheses.toml"
SHARE = ""
"""The unit of a share: of 1, and at most that."""
LEVEL = 0.01
"""Under this p a slope of 0, or of 1, is rejected."""
AS_GOOD = 0.05
"""Over this p a slope is as good as the best one."""
_UNDER_A_SECOND = (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))


@cache
def templates() -> dict[str, Template]:
    """The kinds of hypotheses that ship, by name."""
    read = tomllib.loads(files(__package__).joinpath(FILE).read_text("utf-8"))
    return msgspec.convert(read, dict[str, Template])


def template(name: str) -> Template:
    """The kind of hypothesis with this name."""
    if name not in templates():
        raise UsageError(f"there is no hypothesis {name}", "broadstreet plausible --list")
    return templates()[name]


def ranges(name: str, settings: Mapping[str, Range], but: str | None = None) -> dict[str, Range]:
    """The range of each factor: as set, else as usual. `but` is one that is asked for."""
    kind = template(name)
    for given in [*settings, *([but] if but else [])]:
        if given not in kind.factors:
            raise UsageError(f"{name} has no factor {given}", f"It has {', '.join(kind.factors)}.")
    found: dict[str, Range] = {}
    for factor, told in kind.factors.items():
        value = settings.get(factor, told.usual)
        if factor == but:
            continue
        if value is None:
            raise UsageError(
                f"nothing is known of {factor}{f' ({told.unit})' if told.unit else ''}: {told.means}",
                f"Set it, as LOW,HIGH: --set {factor}=1,100; or ask for it: --solve {factor}",
            )
        if told.unit == SHARE and value.high > 1:
            raise UsageError(
                f"{factor} cannot be {figure(value.high)}: it is the {told.means}, at most 1",
                f"--set {factor}=0.5 is one half.",
            )
        found[factor] = value
    return found


def plausibility(
    name: str, settings: Mapping[str, Range], observed: int, at_risk_hours: float, seed: int
) -> Plausibility:
    """What the hypothesis predicts for this time at risk, beside what was observed."""
    factors = ranges(name, settings)
    times = template(name).per_hour * at_risk_hours
    told = predicted(list(factors.values()), times, observed, np.random.default_rng(seed))
    low, high = (float(end) for end in poisson_interval(observed))
    return Plausibility(
        template=name,
        factors=factors,
        at_risk_hours=at_risk_hours,
        predicted=told.counts,
        hours_between=Interval(*(at_risk_hours / part for part in (told.means.value, told.means.high, told.means.low))),
        observed=Interval(float(observed), low, high),
        at_least=told.at_least,
        at_most=told.at_most,
        answer=told.answer,
        powers=told.powers,
        says=_verdict(told),
        draws=DRAWS,
        seed=seed,
    )


def solution(
    name: str, factor: str, settings: Mapping[str, Range], observed: int, at_risk_hours: float, seed: int
) -> Solved:
    """What this factor must be for the others to make what was observed."""
    others = ranges(name, settings, but=factor)
    times = template(name).per_hour * at_risk_hours
    value = solved(list(others.values()), times, observed, np.random.default_rng(seed))
    kind = template(name).factors[factor]
    says = f"the {words(factor)} must be at least {quantity(value.low, kind.unit)}"
    if kind.unit == SHARE and value.low > 1:
        says = f"no {words(factor)} explains it: it would have to be {value.low:.2g}, and a share is at most 1"
    return Solved(
        template=name,
        factor=factor,
        unit=kind.unit,
        value=value,
        given=others,
        at_risk_hours=at_risk_hours,
        observed=observed,
        says=": ".join([says, *_landmark(kind, value.low)]),
        draws=DRAWS,
        seed=seed,
    )


def dose_response(
    cohorts: Sequence[str], dose: Sequence[float], cases: Sequence[int], at_risk: Sequence[float]
) -> DoseResponse:
    """How the rate follows the dose: the test that a hypothesis of a rate must stand."""
    told, none = trend(dose, cases, at_risk), without_dose(dose, cases, at_risk)
    follows = _follows(told)
    if none and none.cases and follows != "does not follow":
        follows = "grows otherwise" if told.p_flat is not None and told.p_flat < LEVEL else "cannot tell"
    sentences = [_slope_in_words(told, follows)]
    if none:
        sentences.append(
            f"without the dose there were {none.cases} cases; so few have p = {chance(none.p)} if it played no part"
        )
    return DoseResponse(
        cohorts=len(cohorts),
        cases=int(sum(cases)),
        slope=told.slope,
        p_flat=told.p_flat,
        p_proportional=told.p_proportional,
        p_fit=told.p_fit,
        without_dose=none.cases if none else None,
        p_without=none.p if none else None,
        follows=follows,
        says=". ".join(one[0].upper() + one[1:] for one in sentences) + ".",
        doses={
            name: (float(x), int(n), float(hours))
            for name, x, n, hours in zip(cohorts, dose, cases, at_risk, strict=True)
        },
    )


def words(name: str) -> str:
    """A name as words."""
    return name.replace("_", " ")


def quantity(value: float, unit: str) -> str:
    """A value for people: 3 ms, 0.1 ns, 25 /s, 40 %."""
    if unit == SHARE and 0.001 <= value <= 1:
        return f"{value * 100:.2g} %" if value < 1 else "100 %"
    if unit == "s" and value < 1:
        name, size = next(((n, v) for n, v in _UNDER_A_SECOND if value >= v * 0.995), _UNDER_A_SECOND[-1])
        return f"{value / size:.2g} {name}" if value / size < 100 else f"{value / size:.0f} {name}"
    return f"{figure(value)} {unit}".strip()


def span(told: Range, unit: str) -> str:
    """A range for people: 100 to 1,000 /s; one value where it is one."""
    low, high = quantity(told.low, unit), quantity(told.high, unit)
    if told.low == told.high:
        return high
    same = low.partition(" ")[2] == high.partition(" ")[2]
    return f"{low.partition(' ')[0] if same else low} to {high}"


def chance(p: float) -> str:
    """A chance for people: 0.43, 8.5e-80; one as small as is told of any is less than that."""
    return f"under {FLOOR:.0e}" if p < 1.01 * FLOOR else f"{p:.2g}"  # a mean of floors may lie just above


def figure(value: float) -> str:
    """A count or a rate, as exact as it needs to be read."""
    return f"{value:,.0f}" if 100 <= value < 1e7 or value == round(value) < 1e7 else f"{value:.2g}"


def _verdict(told: Prediction) -> str:
    if told.answer == "compatible":
        return "compatible: the hypothesis makes about as many"
    gap = f"by a factor of {10**told.powers:.1f}" if told.powers < 1 else f"by 10^{told.powers:.1f}"
    return f"{told.answer}, {gap}: rejected"


def _landmark(factor: Factor, value: float) -> list[str]:
    reached = [mark.says for mark in factor.landmarks if value >= mark.least]
    return reached[-1:]


def _follows(told: Trend) -> Follows:
    if told.slope is None or told.p_flat is None or told.p_proportional is None:
        return "cannot tell"
    if told.p_proportional < LEVEL:
        return "grows otherwise" if told.p_flat < LEVEL and told.slope.value > 0 else "does not follow"
    return "in proportion" if told.p_flat < LEVEL and told.p_proportional > AS_GOOD else "cannot tell"


def _slope_in_words(told: Trend, follows: Follows) -> str:
    if told.slope is None or told.p_flat is None or told.p_proportional is None:
        return "there are too few doses, or no cases: nothing can be told"
    slope = f"slope {told.slope.value:.2f}, 95 % {told.slope.low:.2f} to {told.slope.high:.2f}"
    chances = f"p of no effect {chance(told.p_flat)}, of proportion {chance(told.p_proportional)}"
    said = {
        "in proportion": "the rate grows in proportion to the dose, as it must",
        "grows otherwise": "the rate grows with the dose, but not in proportion",
        "does not follow": "the rate does not follow the dose: a hypothesis that lives on it is rejected",
        "cannot tell": "too few cases to tell whether the rate follows the dose",
    }[follows]
    return f"{said} ({slope}; {chances})"
