"""The odds before any evidence: how often an outbreak is the hardware's fault, with who says so."""

from math import log

from broadstreet.records.verdict import Argument
from broadstreet.records.weights import Count, Interval
from broadstreet.verdict.counted import Items, Prior
from broadstreet.verdict.words import of


def log_odds(prior: Prior) -> float:
    """Its logarithm; the hardware's odds."""
    return log(prior.hardware / (prior.of - prior.hardware))


def prior(items: Items) -> Argument:
    """The prior as an argument. Its ratio is the odds, without an interval: it is declared, not measured here."""
    known = items.prior
    odds = known.hardware / (known.of - known.hardware)
    return Argument(
        name="prior",
        says=f"before any evidence {of(known.hardware, known.of)} crashes are taken to be the hardware's",
        observed={"hardware": known.hardware, "of": known.of},
        ratio=Interval(odds, odds, odds),
        campaign=known.source,
        hardware=Count(known.hardware, known.of),
    )
