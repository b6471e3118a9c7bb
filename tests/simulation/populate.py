"""A scenario, made: the population that a casebook would give, and what is true of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.population import AtRisk, Attribute, Codes, Population, Sign, States
from tests.simulation.causes import Cause, Made, Says, made
from tests.simulation.crashes import Crashes, pool
from tests.simulation.fleet import DAY, EPOCH, Fleet, Shape, built

NOT_OF_PIECES = ("cpu",)


@dataclass(frozen=True)
class Scenario:
    """A fleet and what goes wrong in it. `hides` are attributes that nobody told of.

    `unknown` is the share of crashes of which the circumstances, but for time and host, were lost.
    """

    name: str
    shape: Shape
    causes: tuple[Cause, ...]
    hides: tuple[str, ...] = ()
    unknown: float = 0.0


@dataclass(frozen=True)
class Planted:
    """What is true of one cause: who is hit, between which days, and which cases it made (places in the population)."""

    name: str
    says: Says
    outbreak: bool
    cohort: Mapping[str, str]
    since: float | None
    until: float | None
    cases: frozenset[int]
    votes: int


@dataclass(frozen=True, eq=False)
class Truth:
    """Of all causes, in the order of the scenario; `cause` gives for each case which it was."""

    scenario: Scenario
    planted: tuple[Planted, ...]
    cause: NDArray[np.int64]


def populated(scenario: Scenario, seed: int) -> tuple[Population, Truth]:
    """The same for the same seed."""
    rng = np.random.default_rng(seed)
    fleet, crashes = built(scenario.shape, rng), pool()
    every = [made(cause, fleet, crashes, rng) for cause in scenario.causes]
    cause = np.repeat(np.arange(len(every)), [len(one.day) for one in every])
    day = np.concatenate([one.day for one in every])
    order = np.argsort(day, kind="stable")
    day, cause = day[order], cause[order]
    piece = np.concatenate([one.piece for one in every])[order]
    row = np.concatenate([one.row for one in every])[order]
    cpu = np.concatenate([one.cpu for one in every])[order]
    lost = rng.random(len(day)) < scenario.unknown

    trace, traces, frames = _traces(row, crashes)
    syndrome, syndromes = _syndromes(scenario, cause, row, crashes)
    population = Population(
        case_ids=[f"{seed:x}-{at:06d}" for at in range(len(day))],
        time=EPOCH + day * DAY,
        dated=np.ones(len(day), np.bool_),
        trace=trace,
        traces=traces,
        frames=frames,
        syndrome=syndrome,
        syndromes=syndromes,
        exposures=_exposures(scenario, fleet, piece, cpu, lost),
        signs=_signs(scenario, cause, row, crashes, rng),
        at_risk=AtRisk(
            start=EPOCH + fleet.start * DAY,
            end=EPOCH + fleet.end * DAY,
            measures={"process_hours": fleet.process_hours, "host_hours": fleet.host_hours},
        ),
        start=EPOCH,
        end=EPOCH + scenario.shape.days * DAY,
        simulated=True,
    )
    planted = tuple(_planted(scenario, at, every[at], cause) for at in range(len(every)))
    return population, Truth(scenario, planted, cause)


def _planted(scenario: Scenario, at: int, one: Made, cause: NDArray[np.int64]) -> Planted:
    declared = scenario.causes[at]
    return Planted(
        name=declared.name,
        says=declared.says,
        outbreak=declared.outbreak,
        cohort=one.cohort,
        since=declared.since,
        until=declared.until,
        cases=frozenset(np.flatnonzero(cause == at).tolist()),
        votes=len(np.unique(one.vote)),
    )


def _traces(row: NDArray[np.int64], crashes: Crashes) -> tuple[Codes, list[str], list[tuple[str, ...]]]:
    codes: dict[tuple[str, ...], int] = {}
    trace = np.array([codes.setdefault(crashes.frames[at], len(codes)) for at in row], np.int32)
    return trace, [f"trace-{n:04d}" for n in range(len(codes))], list(codes)


def _syndromes(
    scenario: Scenario, cause: NDArray[np.int64], row: NDArray[np.int64], crashes: Crashes
) -> tuple[Codes, list[str]]:
    codes: dict[str, int] = {}
    names = (
        scenario.causes[which].look.syndrome or str(crashes.sites[at]) for which, at in zip(cause, row, strict=True)
    )
    syndrome = np.array([codes.setdefault(name, len(codes)) for name in names], np.int32)
    return syndrome, list(codes)


def _exposures(
    scenario: Scenario, fleet: Fleet, piece: NDArray[np.int64], cpu: NDArray[np.int64], lost: NDArray[np.bool_]
) -> dict[str, Attribute]:
    exposures = {
        name: Attribute(
            name,
            fleet.values[name],
            np.where(lost & (name != "host"), -1, codes[piece]).astype(np.int32),
            codes.astype(np.int32),
        )
        for name, codes in fleet.codes.items()
        if name not in scenario.hides
    }
    exposures["cpu"] = Attribute("cpu", [str(n) for n in range(fleet.shape.cpus)], cpu.astype(np.int32))
    return exposures


def _signs(
    scenario: Scenario,
    cause: NDArray[np.int64],
    row: NDArray[np.int64],
    crashes: Crashes,
    rng: np.random.Generator,
) -> dict[str, Sign]:
    states = crashes.signs[:, row]
    shown = (states == 1).any(axis=1)
    signs = {
        f"{kind} {name}": Sign(f"{kind} {name}", kind, states[at])
        for at, (name, kind) in enumerate(crashes.sign_names)
        if shown[at]
    }
    for name in sorted({name for one in scenario.causes for name in one.look.extra}):
        share = np.array([one.look.extra.get(name, 0.0) for one in scenario.causes])
        extra: States = (rng.random(len(row)) < share[cause]).astype(np.int8)
        signs[f"feature {name}"] = Sign(f"feature {name}", "feature", extra)
    return signs
