"""Inside a host that stands out: is it one of its CPUs?

Only where the host is a whole machine: in a virtual one the number is that of a virtual CPU. How many CPUs a host has
is not told; it is taken to have as many as were ever seen on a host of its make, which errs towards silence.
"""

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.families import ERROR, LEAST
from broadstreet.population.ground import Cohort, Ground
from broadstreet.records.outbreak import Comparison, Test
from broadstreet.statistics.intervals import rate_ratio
from broadstreet.statistics.tails import binomial_tail

NUMBER = re.compile(r"\d+$")  # a CPU is named "HOST cpu NUMBER"


class OneCpu(NamedTuple):
    """The CPU, how it compares with the others of its host, and the episodes on it."""

    cohort: Cohort
    comparison: Comparison
    votes: NDArray[np.int64]


def cpu(ground: Ground, votes: NDArray[np.int64]) -> OneCpu | None:
    """The CPU that these episodes of one host are on, if they are not on all alike."""
    attribute = ground.population.exposures.get("cpu")
    if attribute is None:
        return None
    codes = attribute.cases[votes]
    known = codes >= 0
    values, counts = np.unique(codes[known], return_counts=True)
    if not len(values) or counts.max() < LEAST:
        return None
    at = int(counts.argmax())
    value, inside, of = int(values[at]), int(counts[at]), int(known.sum())
    several = _cpus(ground, votes[known])
    if several < 2:
        return None
    p = float(binomial_tail(inside, of, 1 / several))
    if p * several >= ERROR:
        return None
    test = Test(
        "tails.binomial_tail",
        {"k": inside, "n": of, "share": 1 / several},
        p,
        min(1.0, p * several),
        f"CPUs beside {attribute.values[value]}",
        several,
    )
    ratio = rate_ratio(inside, of - inside, 1 / several)
    comparison = Comparison(
        "cpu", attribute.values[value], inside, of, 1 / several, "time at risk", "CPUs", ratio, test
    )
    return OneCpu(("cpu", value), comparison, votes[codes == value])


def _cpus(ground: Ground, votes: NDArray[np.int64]) -> int:
    """The most different CPUs that were seen on any one host of the makes of these."""
    attribute = ground.population.exposures["cpu"]
    codes = attribute.cases
    make = ground.population.exposures.get("sku")
    mine = codes >= 0
    if make is not None:
        mine &= np.isin(make.cases, make.cases[votes])
    numbers = [NUMBER.search(attribute.values[code]) for code in np.unique(codes[mine])]
    return max((int(number[0]) for number in numbers if number), default=0) + 1
