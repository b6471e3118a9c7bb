"""What was new shortly before an outbreak began, in the fleet or on its machine: a person looks at that first.

It is no evidence of itself, so nothing is tested here: much arrives in any fortnight, and the week is among the strata.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from broadstreet.population.families import TREE, family
from broadstreet.population.ground import Cohort, Ground
from broadstreet.population.onsets import moment, pieces
from broadstreet.records.outbreak import Arrival, Onset

BEFORE = timedelta(days=14)  # until a release is everywhere, and its crashes are enough to date
AT_FIRST = 86400.0  # what is there on the first day was there before
KINDS = ("make", "release")


def arrivals(ground: Ground, onset: Onset | None, cohort: Sequence[Cohort]) -> tuple[Arrival, ...]:
    """Releases, kernels and makes of machine that were first at risk shortly before this onset, the last one first; of
    an outbreak of one place those that came there."""
    if onset is None or onset.at is None:
        return ()
    earliest, latest = (onset.low or onset.at) - BEFORE, onset.high or onset.at
    place = [one for one in cohort if one[0] in TREE]
    kept = pieces(ground, place) if place else None
    found = []
    for name, attribute in ground.population.exposures.items():
        if family(name).kind not in KINDS or not ground.told(attribute):
            continue
        first = ground.first_at_risk(attribute, kept)
        new = (first > first.min() + AT_FIRST) & (first >= earliest.timestamp())
        for code in np.flatnonzero(new & (first <= latest.timestamp())).tolist():
            at = moment(float(first[code]))
            assert at is not None  # finite: it is before `latest`
            found.append(Arrival(name, attribute.values[code], at))
    return tuple(sorted(found, key=lambda one: (-one.at.timestamp(), one.attribute, one.value)))
