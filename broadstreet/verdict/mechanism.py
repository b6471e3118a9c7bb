"""What single crashes show, weighed by the lab: `weights.json`, from real crashes with known causes.

Each distinct site with a strict finding counts once, at the low end of its interval; each crash elsewhere that was
judged thoroughly and has none counts against, at the lab's ratio of absence. Together they are at most `MOST_VOTES`
votes, in proportion: a hundred crashes of one bad machine are not a hundred independent samples of hardware, for its
fault is one kind of fault, and the lab knows thirteen.
"""

from dataclasses import dataclass
from math import exp, log

from broadstreet.records.verdict import Argument
from broadstreet.records.weights import Interval, Weight
from broadstreet.verdict import reads
from broadstreet.verdict.profile import STATED, Profile
from broadstreet.verdict.weights import weights
from broadstreet.verdict.words import listed, of, plural

ANY = "any hardware finding"
MOST_VOTES = 4.0
"""Sites and crashes without a finding together. Four sites at the low end outweigh any prior."""
RULE_OF_THREE = 3.0
"""What none of n shows happens at most 3 times in n, with 95 %."""

SHOWN = {
    "misaligned_stack": "a stack off by exactly one word",
    "wild_stack_pointer": "a stack pointer outside of all memory",
    "one_bit_off": "an address that is one bit from a good one",
    "wrong_result": "a register that the code executed before cannot have left",
    "code_mismatch": "code that differs from its file in one bit",
}


@dataclass(frozen=True)
class Votes:
    """For and against, after both were scaled down to `MOST_VOTES`."""

    sites: float
    lacking: float
    scaled: bool


def votes(p: Profile) -> Votes:
    """What the single crashes of an outbreak have to say. Where ten crashes of a site make one vote for, so many make
    one against."""
    lacking = p.lacking * (p.strict_sites / p.strict_cases if p.strict_cases else 1.0)
    every = p.strict_sites + lacking
    scale = min(1.0, MOST_VOTES / every) if every else 0.0
    return Votes(p.strict_sites * scale, lacking * scale, 0 < scale < 1)


def mechanism(p: Profile) -> tuple[Argument, ...]:
    """The arguments from the findings of single crashes."""
    found = (_stated(p), _sites(p), _lacking(p))
    return tuple(one for one in found if one)


def word(p: Profile) -> Interval | None:
    """What the kernel's own word is worth, where it says so of most crashes. Hardware makes it by definition; how often
    bugs do is bounded by the lab's, of which none did."""
    if not p.is_stated:
        return None
    bugs = of_lab(STATED).software.judged + 1
    return Interval(2.0 * bugs, bugs / RULE_OF_THREE, 2.0 * bugs)


def _stated(p: Profile) -> Argument | None:
    ratio = word(p)
    if ratio is None:
        return None
    return Argument(
        name="stated",
        says=f"{of(p.stated, p.cases)} crashes: the kernel itself says that the memory was lost (BUS_MCEERR)",
        observed={"stated": p.stated, "of": p.cases},
        ratio=ratio,
        campaign=f"mm/memory-failure.c sends it for hardware alone; {CAMPAIGN}",
        software=of_lab(STATED).software,
        cases=p.witnesses.get("stated", ()),
        reads=reads.pasteable(p.cases, lambda: reads.finding(p, STATED)),
    )


def _sites(p: Profile) -> Argument | None:
    if not p.strict_sites:
        return None
    weight, count = of_lab(ANY), votes(p)
    shown = sorted((name for name in SHOWN if p.strict[name].held), key=lambda name: -p.strict[name].held)
    what = listed(f"{SHOWN[name]} ({p.strict[name].held})" for name in shown)
    return Argument(
        name="findings",
        says=f"{of(p.strict_cases, p.cases)} crashes show {what}, in {plural(p.strict_sites, 'function')}",
        observed={"with": p.strict_cases, "of": p.cases, "functions": p.strict_sites, "votes": count.sites},
        ratio=_of_sites(count),
        campaign=CAMPAIGN,
        hardware=weight.hardware,
        software=weight.software,
        capped=count.scaled,
        cases=p.witnesses.get("strict", ()),
        reads=reads.pasteable(p.cases, lambda: reads.strict(p)),
    )


def _lacking(p: Profile) -> Argument | None:
    if not p.lacking:
        return None
    weight, count = of_lab(ANY), votes(p)
    return Argument(
        name="no finding",
        says=f"{of(p.lacking, p.cases)} crashes show nothing that only hardware does, though they could be judged",
        observed={"without": p.lacking, "of": p.cases, "votes": count.lacking},
        ratio=_of_lacking(count),
        campaign=CAMPAIGN,
        hardware=weight.hardware,
        software=weight.software,
        capped=count.scaled,
        cases=p.witnesses.get("lacking", ()),
        reads=reads.pasteable(p.cases, lambda: reads.strict(p)),
    )


def score(p: Profile) -> float:
    """The sum of the logarithms of the findings' ratios; without the kernel's word, which nothing is weighed with."""
    count = votes(p)
    return log(_of_sites(count).value) + log(_of_lacking(count).value)


def _of_sites(count: Votes) -> Interval:
    ratio = of_lab(ANY).ratio
    assert ratio is not None  # the shipped weights have it: tests/verdict/test_weights.py
    return _power(Interval(ratio.low, ratio.low, ratio.value), count.sites)


def _of_lacking(count: Votes) -> Interval:
    ratio = of_lab(ANY).absent_ratio
    assert ratio is not None  # as above
    return _power(ratio, count.lacking)


def of_lab(finding: str) -> Weight:
    """The weight of one finding."""
    return next(one for one in weights().fitted if one.finding == finding)


def _power(ratio: Interval, times: float) -> Interval:
    return Interval(*(exp(times * log(one)) for one in (ratio.value, ratio.low, ratio.high)))


CAMPAIGN = "the lab's crashes: docs/accuracy.md, weights.json"
