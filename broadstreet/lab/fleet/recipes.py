"""From a recipe and the host of the moment to an order of the lab; and whether the lab knows such a crash."""

from functools import cache
from random import Random
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.fleet.declaration import Recipe, Scenario
from broadstreet.lab.injection.trial import INSTALLED, MODES
from broadstreet.lab.injection.victims import VICTIMS
from broadstreet.lab.order import Order
from broadstreet.lab.zoo import crash as zoo
from broadstreet.lab.zoo import race
from broadstreet.lab.zoo.zoo import SETS

OF_THE_HOST = {"build": "release", "variant": "workload"}


class Planned(NamedTuple):
    """A recipe with the build and variant of the host at that moment filled in."""

    family: str
    mechanism: str
    program: str
    build: str
    variant: str


def planned(recipe: Recipe, service_release: str, workload: str) -> Planned:
    """What is to be made on a host of that release and workload."""
    build = service_release if recipe.build == OF_THE_HOST["build"] else recipe.build
    variant = workload if recipe.variant == OF_THE_HOST["variant"] else recipe.variant
    if recipe.family in ("fault", "model") and not build:
        build = INSTALLED
    return Planned(recipe.family, recipe.mechanism, recipe.program, build, variant)


def order(recipe: Recipe, plan: Planned, name: str, seed: str, cpu: int | None) -> Order:
    """The order of one attempt; the seed is that of the attempt."""
    variant = plan.variant
    if recipe.passes is not None:
        variant = f"{variant}-{Random(f'{seed}/pass').randint(*recipe.passes)}"
    return Order(recipe.family, plan.mechanism, plan.program, plan.build, variant, name, seed, cpu)


def checked_recipe(recipe: Recipe, scenario: Scenario, key: str) -> None:
    """Refuse what the lab cannot make."""
    for service in scenario.service:
        for release in service.releases:
            for workload in sorted(scenario.workloads):
                fault = _unknown(planned(recipe, release.release, workload))
                if fault:
                    raise UsageError(f"{key}.{fault[0]}: {fault[1]}", "broadstreet lab list names what can be made.")


def _unknown(plan: Planned) -> tuple[str, str] | None:
    if plan.family in ("bug", "imitator"):
        if (plan.mechanism, plan.build, plan.variant) in _of_the_zoo():
            return None
        return "mechanism", f"the zoo has no {plan.mechanism} in build {plan.build!r} and variant {plan.variant!r}"
    if plan.family == "race":
        known = plan.build in race.BUILDS
        return None if known else ("build", f"the race has no build {plan.build!r}")
    if plan.mechanism not in MODES:
        return "mechanism", f"no fault {plan.mechanism!r}"
    return None if plan.program in VICTIMS else ("program", f"no victim {plan.program!r}")


@cache
def _of_the_zoo() -> frozenset[tuple[str, str, str]]:
    return frozenset((one.mechanism, one.build, one.variant) for name in SETS for one in zoo.orders(name))
