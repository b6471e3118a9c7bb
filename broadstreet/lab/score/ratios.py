"""Likelihood ratios of findings: hardware fault against software bug.

The share of crashes in which a finding holds is averaged over kinds of faults (or over planted mechanisms of bugs), not
over crashes: otherwise the ratio would be that of whatever was made most. Half a crash is added on each side, so that
a finding which software never made gets a finite ratio; its interval then says how little is known.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from math import exp, log, sqrt
from statistics import variance

from broadstreet.lab.score.judged import Judged
from broadstreet.records.weights import STRICT, Count, Interval, Weight

HARDWARE_FINDING = "any hardware finding"
Z = 1.959964  # both sides, 95 %


def weights(crashes: Iterable[Judged]) -> tuple[Weight, ...]:
    """One for every finding, and one for `any hardware finding`, in the order of their ratios."""
    of_hardware = [one for one in crashes if one.truth.cause == "hardware"]
    of_software = [one for one in crashes if one.truth.cause == "software" and not one.is_imitator]
    labels = sorted({label for one in (*of_hardware, *of_software) for label in one.states})
    found = [_weight(label, of_hardware, of_software) for label in (HARDWARE_FINDING, *labels)]
    return tuple(sorted(found, key=lambda weight: -weight.ratio.value if weight.ratio else 0.0))


def held(one: Judged, finding: str) -> bool | None:
    """Whether a finding holds; null where it could not be judged."""
    if finding == HARDWARE_FINDING:
        states = [one.states.get(label, "not_judged") for label in STRICT]
        if "holds" in states:
            return True
        return None if all(state == "not_judged" for state in states) else False
    state = one.states.get(finding, "not_judged")
    return None if state == "not_judged" else state == "holds"


def share(kinds: Iterable[Count]) -> Interval | None:
    """The average over kinds of the share in which a finding held; null where it was never judged."""
    counts = [count for count in kinds if count.judged]
    total = sum(count.judged for count in counts)
    if not total:
        return None
    mean = sum(count.held / count.judged for count in counts) / len(counts)
    value = (mean * total + 0.5) / (total + 1)
    deviation = _deviation(counts, value, total)
    low, high = (1 / (1 + exp(-(log(value / (1 - value)) + side * Z * deviation))) for side in (-1, 1))
    return Interval(value, low, high)


def _deviation(counts: list[Count], value: float, total: int) -> float:
    # Of the logit. The kinds are the sample: how they differ says how far their average can be trusted.
    parts = [count.held / count.judged for count in counts]
    between = variance(parts) / len(parts) if len(parts) > 1 else 0.0
    return sqrt(max(between, value * (1 - value) / (total + 1))) / (value * (1 - value))


def _weight(finding: str, of_hardware: list[Judged], of_software: list[Judged]) -> Weight:
    faults = counted(of_hardware, finding, lambda one: one.truth.mechanism)
    bugs = counted(of_software, finding, lambda one: one.truth.mechanism)
    true, false = share(faults.values()), share(bugs.values())
    runtimes = {
        cause: counted(crashes, finding, lambda one: one.truth.runtime)
        for cause, crashes in (("hardware", of_hardware), ("software", of_software))
    }
    return Weight(
        finding=finding,
        hardware=_sum(faults.values()),
        software=_sum(bugs.values()),
        hardware_share=true,
        software_share=false,
        ratio=_ratio(true, false) if true and false else None,
        absent_ratio=_ratio(_not(true), _not(false)) if true and false else None,
        by_kind=faults,
        by_runtime=runtimes,
    )


def counted(crashes: Iterable[Judged], finding: str, key: Callable[[Judged], str]) -> dict[str, Count]:
    """How often a finding held, apart for each value of the key."""
    numbers: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in crashes:
        answer = held(one, finding)
        if answer is not None:
            numbers[key(one)][0] += answer
            numbers[key(one)][1] += 1
    return {name: Count(*pair) for name, pair in sorted(numbers.items())}


def _sum(counts: Iterable[Count]) -> Count:
    every = list(counts)
    return Count(sum(one.held for one in every), sum(one.judged for one in every))


def _ratio(above: Interval, below: Interval) -> Interval:
    value = log(above.value / below.value)
    deviation = sqrt(sum(log(one.high / one.low) ** 2 for one in (above, below))) / (2 * Z)
    return Interval(exp(value), exp(value - Z * deviation), exp(value + Z * deviation))


def _not(one: Interval) -> Interval:
    return Interval(1 - one.value, 1 - one.high, 1 - one.low)
