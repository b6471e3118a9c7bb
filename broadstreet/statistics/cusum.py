"""An alarm when the rate of rare cases rises, with a declared budget of false ones (Lucas, 1985).

S = max(0, S + count - k), alarm at S >= h, then from 0 again; k = (mu1 - mu0) / ln(mu1 / mu0) is the sequential
likelihood ratio of the rate mu1 against mu0. On counts as small as those of one syndrome, charts that take a count for
normal (EARS) give 9 to 20 false alarms a year.

h is found without simulation: with k a fraction a / m, S moves on multiples of 1 / m as a Markov chain, of which the
mean time to the alarm is the solution of one linear system (Brook and Evans, 1972).
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
FIVE_YEARS_OF_DAYS = 5 * 365.25
"""The budget: one false alarm of a syndrome in five years, of daily steps."""
CLOSE_ENOUGH = 0.005
"""Of the fraction to k. With a tenth of it h changes by less than 1 %."""
FINEST = 600
"""The largest m. Where k is still smaller, a single case comes less often than the budget allows alarms."""

NEVER = 1e-12
"""Of an alarm in one step, from wherever S is: under this the linear system has no digits left."""


def reference(mean_per_step: ArrayLike, ratio: float) -> Floats:
    """k: what a step must bring on average for S to rise."""
    return np.asarray(mean_per_step, np.float64) * (ratio - 1) / math.log(ratio)


def threshold(mean_per_step: float, ratio: float, steps_per_false_alarm: float = FIVE_YEARS_OF_DAYS) -> float:
    """h, such that with this mean an alarm comes by chance once in so many steps at most.

    The chart is tuned to a rate `ratio` times as high; it also finds other rises, later.
    """
    if not (mean_per_step > 0 and ratio > 1):
        raise ValueError(f"mean {mean_per_step} and ratio {ratio}: wanted over 0 and over 1")
    k = _fraction(float(reference(mean_per_step, ratio)))
    low, high = 0, 1
    while _steps(mean_per_step, k, high) < steps_per_false_alarm:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if _steps(mean_per_step, k, middle) < steps_per_false_alarm:
            low = middle
        else:
            high = middle
    return (high - 0.5) / k.denominator  # between two values of S, so that k need not be exact


def steps_to_alarm(mean_per_step: float, ratio: float, threshold: float, times: float = 1.0) -> float:
    """The mean number of steps to an alarm from S = 0, while the rate is `times` the usual one."""
    k = _fraction(float(reference(mean_per_step, ratio)))
    return _steps(mean_per_step * times, k, math.ceil(threshold * k.denominator))


def _fraction(k: float) -> Fraction:
    for finest in range(1, FINEST):
        found = Fraction(k).limit_denominator(finest)
        if abs(found - k) <= CLOSE_ENOUGH * k:
            return found
    return Fraction(1, FINEST)


def _steps(mean: float, k: Fraction, states: int) -> float:
    counts = np.arange(math.ceil(mean + 9 * math.sqrt(mean)) + 30)  # what is beyond has less than 1e-15
    p = np.exp(special.xlogy(counts, mean) - mean - special.gammaln(counts + 1))
    start = np.arange(states)
    to = np.maximum(start[:, None] + counts[None, :] * k.denominator - k.numerator, 0)
    stays = to < states
    moves = np.zeros((states, states))
    np.add.at(moves, (np.nonzero(stays)[0], to[stays]), np.broadcast_to(p, to.shape)[stays])
    leaving = 1 - moves.sum(axis=1)
    if float(leaving.max()) < NEVER:
        return math.inf
    steps = float(np.linalg.solve(np.eye(states) - moves, np.ones(states))[0])
    return steps if steps >= 1 else math.inf


def alarms(counts: ArrayLike, expected: ArrayLike, ratio: float, threshold: float) -> NDArray[np.intp]:
    """The steps at which the chart gives an alarm; after each it begins anew.

    `expected` may change from step to step, as the time at risk does; the threshold is that of its usual size.
    """
    rises = np.asarray(counts, np.float64) - reference(expected, ratio)
    found, at = [], 0.0
    for step, rise in enumerate(rises.tolist()):
        at = max(0.0, at + rise)
        if at >= threshold:
            found.append(step)
            at = 0.0
    return np.asarray(found, np.intp)
