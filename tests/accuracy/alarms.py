"""How soon a chart of daily counts gives an alarm after a jump, and how often without one."""

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.population import Population
from broadstreet.statistics import cusum
from tests.simulation.fleet import DAY
from tests.simulation.outcomes import Run, Scores

RATIO = 5.0  # what the chart is tuned to


def delay(run: Run) -> Scores:
    """Days from the jump to the first alarm after it, and whether there was one before it."""
    jump = next(planted.since for planted in run.truth.planted if planted.since is not None)
    usual = next(cause.a_day for cause in run.truth.scenario.causes if cause.since is None)
    given = _alarms(_by_day(run.population), usual or 0.0)
    after = given[given >= int(jump)]
    scores: Scores = {"alarm": len(after) > 0, "alarm before": bool((given < int(jump)).any())}
    if len(after):
        scores["days to alarm"] = float(after[0]) + 1.0 - jump  # the count of a day is known at its end
    return scores


def false_alarms(run: Run) -> Scores:
    """How many alarms a constant rate gives in all the years."""
    usual = run.truth.scenario.causes[0].a_day
    return {"alarms": float(len(_alarms(_by_day(run.population), usual or 0.0)))}


def _alarms(counts: NDArray[np.int64], usual: float) -> NDArray[np.intp]:
    return cusum.alarms(counts, np.full(len(counts), usual), RATIO, _threshold(usual))


def _by_day(population: Population) -> NDArray[np.int64]:
    days = round((population.end - population.start) / DAY)
    return np.bincount(((population.time - population.start) // DAY).astype(np.int64), minlength=days)


_thresholds: dict[float, float] = {}


def _threshold(usual: float) -> float:
    if usual not in _thresholds:
        _thresholds[usual] = cusum.threshold(usual, RATIO)
    return _thresholds[usual]
