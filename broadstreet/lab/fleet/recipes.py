"""From a recipe and the host of the moment to an order of the lab; and whether the lab knows such a crash."""

from functools import cache
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.fleet.declaration import Recipe, Scenario
from broadstreet.lab.injection.trial import MODES
from broadstreet.lab.injection.victims import INSTALLED, VICTIMS
from broadstreet.lab.order import Order
from broadstreet.lab.truth import Family
from broadstreet.lab.zoo import crash as zoo
from broadstreet.lab.zoo import ingest, race
from broadstreet.lab.zoo.zoo import SETS

RELEASE, WORKLOAD = "release", "workload"


class Plan(NamedTuple):
    """A recipe with the build and variant of the host at that moment filled in."""

    family: Family
    mechanism: str
    program: str
    build: str
    variant: str


def planned(recipe: Recipe, service_release: str, workload: str) -> Plan:
    """What is to be made on a host of that release and workload."""
    build, variant = recipe.build, recipe.variant
    if recipe.program == ingest.PROGRAM:
        build, variant = build or RELEASE, variant or WORKLOAD
    elif recipe.family in ("fault", "model"):
        build = build or INSTALLED
    return Plan(
        family=recipe.family,
        mechanism=race.MECHANISM if recipe.family == "race" else recipe.mechanism,
        program=recipe.program,
        build=service_release if build == RELEASE else build,
        variant=workload if variant == WORKLOAD else variant,
    )


def order(plan: Plan, name: str, seed: str, cpu: int | None) -> Order:
    """The order of one attempt; the seed is that of the attempt."""
    return Order(plan.family, plan.mechanism, plan.program, plan.build, plan.variant, name, seed, cpu)


def checked_recipe(recipe: Recipe, scenario: Scenario, key: str) -> None:
    """Refuse what the lab cannot make."""
    for service in scenario.service:
        for release in service.releases:
            for workload in sorted(scenario.workloads):
                fault = _unknown(planned(recipe, release.release, workload))
                if fault:
                    raise UsageError(f"{key}.{fault[0]}: {fault[1]}", "broadstreet lab list names what can be made.")


def _unknown(plan: Plan) -> tuple[str, str] | None:
    if plan.program == ingest.PROGRAM:
        return _unknown_of_the_service(plan)
    if plan.family in ("bug", "imitator"):
        if (plan.mechanism, plan.build, plan.variant) in _of_the_zoo():
            return None
        return "mechanism", f"the zoo has no {plan.mechanism!r} in build {plan.build!r} and variant {plan.variant!r}"
    if plan.family == "race":
        known = plan.program == "race" and (plan.build, plan.variant) in race.VARIANTS
        return None if known else ("variant", f"the race has no build {plan.build!r} with variant {plan.variant!r}")
    if plan.mechanism not in MODES:
        return "mechanism", f"no fault {plan.mechanism!r}"
    return None if plan.program in VICTIMS else ("program", f"no victim {plan.program!r}")


def _unknown_of_the_service(plan: Plan) -> tuple[str, str] | None:
    if plan.build not in ingest.RELEASES:
        return "build", f"no release {plan.build!r} of {ingest.PROGRAM}, it has {', '.join(ingest.RELEASES)}"
    if plan.variant not in ingest.WORKLOADS:
        return "variant", f"no workload {plan.variant!r} of {ingest.PROGRAM}, it has {', '.join(ingest.WORKLOADS)}"
    known = {"bug": set(ingest.BUGS), "fault": set(MODES), "model": set(MODES), "race": {race.MECHANISM}}
    if plan.mechanism in known.get(plan.family, ()):
        return None
    return "mechanism", f"{ingest.PROGRAM} has no {plan.family} {plan.mechanism!r}"


@cache
def _of_the_zoo() -> frozenset[tuple[str, str, str]]:
    return frozenset((one.mechanism, one.build, one.variant) for name in SETS for one in zoo.orders(name))
