"""The syndromes with most crashes: what a person looks at where nothing stands out."""

import numpy as np

from broadstreet.population.population import Population
from broadstreet.population.telling import mechanism_of_most
from broadstreet.records.outbreak import Large

MOST = 3


def largest(population: Population) -> tuple[Large, ...]:
    """The few syndromes with most crashes, the largest first; of equal ones the one that was first."""
    counts = np.bincount(population.syndrome[population.syndrome >= 0], minlength=len(population.syndromes))
    first = np.argsort(-counts, kind="stable")[:MOST]
    return tuple(_large(population, int(code)) for code in first if counts[code] > 0)


def _large(population: Population, code: int) -> Large:
    rows = np.flatnonzero(population.syndrome == code)
    host = population.exposures.get("host")
    hosts = np.unique(host.cases[rows]) if host is not None else np.array([-1])
    traces = population.trace[rows]
    frames = population.frames[int(np.bincount(traces[traces >= 0]).argmax())] if (traces >= 0).any() else ()
    all_known = bool((hosts >= 0).all())
    return Large(
        syndrome=population.syndromes[code],
        cases=len(rows),
        hosts=len(hosts) if all_known else None,
        host=host.values[int(hosts[0])] if host is not None and all_known and len(hosts) == 1 else None,
        site=next(iter(frames), ""),
        mechanism=mechanism_of_most(population, rows)[0],
    )
