"""Likelihood ratios of findings: hardware fault against software bug.

The share of crashes in which a finding holds is averaged over kinds of faults (or over planted mechanisms of bugs), not
over crashes: otherwise the ratio would be that of whatever was made most. The kinds are the sample: half a kind is
added on each side, and the interval is that of so many kinds, however many crashes of each were made. So a finding that
software never made has a finite ratio, and making the same crashes again proves nothing more.

Most bugs are small programs. The models are bugs in the very programs that the faults were put into: the ratio against
them alone is kept apart.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
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
    parts = [count.held / count.judged for count in kinds if count.judged]
    if not parts:
        return None
    value = (sum(parts) + 0.5) / (len(parts) + 1)
    between = variance(parts) / len(parts) if len(parts) > 1 else 0.0
    deviation = sqrt(max(between, value * (1 - value) / (len(parts) + 1))) / (value * (1 - value))  # of the logit
    low, high = (1 / (1 + exp(-(log(value / (1 - value)) + side * Z * deviation))) for side in (-1, 1))
    return Interval(value, low, high)


def _weight(finding: str, of_hardware: list[Judged], of_software: list[Judged]) -> Weight:
    causes = {"hardware": of_hardware, "software": of_software}
    kinds = {cause: counted(crashes, finding, _kind) for cause, crashes in causes.items()}
    models = counted((one for one in of_software if one.truth.family == "model"), finding, _kind)
    true, false = share(kinds["hardware"].values()), share(kinds["software"].values())
    return Weight(
        finding=finding,
        hardware=_sum(kinds["hardware"].values()),
        software=_sum(kinds["software"].values()),
        hardware_share=true,
        software_share=false,
        ratio=_ratio(true, false),
        ratio_in_same_programs=_ratio(true, share(models.values())),
        absent_ratio=_ratio(_not(true), _not(false)),
        ratio_by_kind=_apart({kind: _each(count) for kind, count in kinds["hardware"].items()}, false),
        ratio_by_runtime=_apart(_kinds_of_runtimes(of_hardware, finding), false),
        by_kind=kinds,
        by_runtime={cause: counted(crashes, finding, _runtime) for cause, crashes in causes.items()},
    )


def _apart(faults: Mapping[str, Iterable[Count]], false: Interval | None) -> dict[str, Interval]:
    ratios = {name: _ratio(share(counts), false) for name, counts in faults.items()}
    return {name: ratio for name, ratio in ratios.items() if ratio}


def _each(count: Count) -> list[Count]:
    return [Count(1, 1)] * count.held + [Count(0, 1)] * (count.judged - count.held)  # of one kind, its crashes


def _kinds_of_runtimes(of_hardware: list[Judged], finding: str) -> dict[str, list[Count]]:
    runtimes = sorted({one.truth.runtime for one in of_hardware})
    return {
        runtime: list(counted((one for one in of_hardware if one.truth.runtime == runtime), finding, _kind).values())
        for runtime in runtimes
    }


def _kind(one: Judged) -> str:
    return one.truth.mechanism


def _runtime(one: Judged) -> str:
    return one.truth.runtime


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


def _ratio(above: Interval | None, below: Interval | None) -> Interval | None:
    if above is None or below is None:
        return None
    value = log(above.value / below.value)
    deviation = sqrt(sum(log(one.high / one.low) ** 2 for one in (above, below))) / (2 * Z)
    return Interval(exp(value), exp(value - Z * deviation), exp(value + Z * deviation))


def _not(one: Interval | None) -> Interval | None:
    return one and Interval(1 - one.value, 1 - one.high, 1 - one.low)
