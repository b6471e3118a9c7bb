"""Ask everything of a population, and name its outbreaks.

Each syndrome is first asked whether it is two (`splitting`). Each part is then asked for the place that stands out
most; what happened there is taken out, and the rest is asked again, until no place is left. What remains is asked for
every other exposure, and since when (`asking`). Last, all syndromes together are asked for places with crashes that
failing hardware makes, or with many different ones (`pooled`).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from broadstreet.cases.episodes import episodes
from broadstreet.population.alarms import alarms
from broadstreet.population.asking import ONSET_FROM, Found, of_part
from broadstreet.population.cells import cells
from broadstreet.population.families import ERROR, LEAST, family
from broadstreet.population.ground import Ground
from broadstreet.population.part import Part, Questions
from broadstreet.population.pooled import one_for_each_place, pooled
from broadstreet.population.population import Population
from broadstreet.population.telling import told
from broadstreet.records.outbreak import Survey

Rows = NDArray[np.int64]


def votes_of(population: Population) -> Rows:
    """The rows that count: the first crash of each episode."""
    host = population.exposures.get("host")
    codes = host.cases if host is not None else np.full(len(population), -1, np.int32)
    return np.flatnonzero(episodes(codes, population.trace, population.time))


def survey(population: Population, only: str | None = None) -> Survey:
    """Everything that was asked, and the outbreaks, most notable first; of one syndrome alone, if one is named."""
    votes = votes_of(population)
    ground = Ground(population, votes)
    parts = _syndromes(population, votes)
    questions = Questions(ground, max(1, len(parts)))
    found: list[Found] = []
    for part in _worth_asking(questions, parts):
        if only is None or part.syndrome == only:
            found += of_part(questions, part)
    if only is None:
        found += pooled(questions, found)
    found = sorted(one_for_each_place(ground, found), key=lambda one: (-one.gain, one.part.syndrome))
    return Survey(
        start=datetime.fromtimestamp(population.start, UTC),
        end=datetime.fromtimestamp(population.end, UTC),
        cases=len(population),
        episodes=len(votes),
        questions=sum(questions.families.values()),
        families=dict(sorted(questions.families.items())),
        outbreaks=tuple(told(ground, one, rank) for rank, one in enumerate(found, 1)),
        alarms=tuple(one for one in alarms(ground) if only in (None, one.syndrome)),
    )


def _syndromes(population: Population, votes: Rows) -> list[Part]:
    codes = population.syndrome[votes]
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes[codes >= 0], minlength=len(population.syndromes)))
    at = int((codes < 0).sum())
    found = []
    for code, end in enumerate(ends + at):
        if end - at >= LEAST:
            found.append(Part(population.syndromes[code], votes[np.sort(order[at:end])]))
        at = int(end)
    return found


def _worth_asking(questions: Questions, parts: list[Part]) -> Iterator[Part]:
    """The first look, of all parts at once: which have a value that may stand out, or episodes enough to change."""
    ground = questions.ground
    if not parts:
        return
    votes = np.concatenate([part.votes for part in parts])
    label = np.repeat(np.arange(len(parts)), [len(part.votes) for part in parts])
    several = np.zeros(len(parts), bool)  # enough at one place for a split
    hints: list[set[str]] = [set() for _ in parts]
    for name, exposure in ground.population.exposures.items():
        if name in ("cpu", "numa_node"):
            continue
        got = cells(ground, exposure, votes, label, len(parts))
        if got is None:
            continue
        questions.families[name] += got.asked
        for at in np.unique(got.part[got.p * got.asked < ERROR]):
            hints[at].add(name)
        if family(name).kind == "place":
            several[got.part[got.inside >= LEAST]] = True
    for part, place, hinted in zip(parts, several, hints, strict=True):
        if hinted or place or len(part.votes) >= ONSET_FROM:
            yield replace(part, hints=frozenset(hinted))
