"""What one part of a scenario says of another must be there: names, dates, shares. An error names the key."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from broadstreet.errors import UsageError
from broadstreet.lab.fleet.declaration import Part, Ramp, Release, Scenario, Where
from broadstreet.lab.fleet.recipes import checked_recipe

CHOSEN = ("host", "physical_host", "rack")


def checked(scenario: Scenario, source: str) -> Scenario:
    """The scenario, if it makes sense."""
    for key, what, hint in _faults(scenario):
        raise UsageError(f"{source}: {key}: {what}", hint)
    for number, cause in enumerate(scenario.cause):
        for place, recipe in enumerate(cause.recipes):
            checked_recipe(recipe, scenario, f"{source}: cause[{number}].recipes[{place}]")
    return scenario


Fault = tuple[str, str, str]


def _faults(scenario: Scenario) -> Iterator[Fault]:
    yield from _of_the_fleet(scenario)
    yield from _of_the_causes(scenario)
    known = _known(scenario)
    for key, where in _wheres(scenario):
        yield from _unknown(where, key, known)
    for key, chosen in scenario.chosen.items():
        for name in ("region", "sku"):
            value = getattr(chosen, name)
            if value and value not in known[name]:
                yield f"chosen.{key}.{name}", f"no {name} {value!r}", _there_are(known[name])


def _of_the_fleet(scenario: Scenario) -> Iterator[Fault]:
    positive = "Give at least one a share above zero."
    if not any(scenario.fleet.regions.values()):
        yield "fleet.regions", "no region has a share", positive
    for number, sku in enumerate(scenario.sku):
        for service in scenario.service:
            if not any((sku.workloads or service.workloads).values()):
                yield f"sku[{number}].workloads", f"neither {sku.name} nor {service.name} has workloads", positive
    yield from _doubled("sku", [sku.name for sku in scenario.sku])
    yield from _doubled("service", [service.name for service in scenario.service])
    yield from _doubled("tenant", [tenant.name for tenant in scenario.tenant])
    yield from _doubled("cause", [cause.name for cause in scenario.cause])
    for key, releases in _releases(scenario):
        if releases[0].begin is not None and releases[0].begin > scenario.start:
            yield f"{key}[0].from", "nothing is released before it", "Let the first release start with the period."
        yield from _doubled(key, [release.release for release in releases])
        begins = [release.begin or datetime.min.replace(tzinfo=scenario.start.tzinfo) for release in releases]
        if begins != sorted(begins):
            yield key, "the releases are not in the order of their dates", "Put the oldest first."
    if scenario.tenant and not any(tenant.share for tenant in scenario.tenant):
        yield "tenant", "no tenant has a share of the hosts that are left", positive
    if sum(tenant.hosts for tenant in scenario.tenant) > scenario.fleet.hosts:
        yield "tenant.hosts", "tenants have more hosts than the fleet", "Give them fewer."
    for key, ramps in _ramps(scenario):
        for number, ramp in enumerate(ramps):
            if ramp.until <= ramp.begin:
                yield f"{key}[{number}].until", "it ends before it begins", "Let `until` be later than `from`."


def _of_the_causes(scenario: Scenario) -> Iterator[Fault]:
    for number, cause in enumerate(scenario.cause):
        key = f"cause[{number}]"
        if (cause.rate is None) == (cause.count is None):
            yield f"{key}.rate", "a cause has a rate or a count, one of the two", "Give either."
        if cause.per == "exceptions" and scenario.exceptions is None:
            yield f"{key}.per", "the scenario declares no exceptions", "Add a table [exceptions]."
        if cause.cpu is not None and cause.cpu >= scenario.fleet.cpus:
            yield f"{key}.cpu", f"hosts have CPUs 0 to {scenario.fleet.cpus - 1}", "Choose one of them."
        if cause.begin and cause.until and cause.until <= cause.begin:
            yield f"{key}.until", "it ends before it begins", "Let `until` be later than `from`."
        for name, time in (("from", cause.begin), ("until", cause.until)):
            if time is not None and not 0 <= scenario.second(time) <= scenario.seconds:
                yield f"{key}.{name}", "it is outside of the period", "See `start` and `days`."
    names = {cause.name for cause in scenario.cause}
    for number, missing in enumerate(scenario.unrecorded):
        if missing.cause not in names:
            yield f"unrecorded[{number}].cause", f"no cause {missing.cause!r}", _there_are(names)


def _wheres(scenario: Scenario) -> Iterator[tuple[str, Part]]:
    for number, cause in enumerate(scenario.cause):
        yield f"cause[{number}].only", cause.only
        for place, one in enumerate(cause.multiply):
            yield f"cause[{number}].multiply[{place}]", one
    for number, outage in enumerate(scenario.capture.outages):
        yield f"capture.outages[{number}]", outage


def _unknown(where: Part, key: str, known: dict[str, set[str]]) -> Iterator[Fault]:
    for name, there in known.items():
        for value in names(getattr(where, name)):
            if value not in there:
                yield f"{key}.{name}", f"no {name} {value!r}", _there_are(there)
    if isinstance(where, Where) and where.uptime_days and where.uptime_days[1] <= where.uptime_days[0]:
        yield f"{key}.uptime_days", "its end is not above its begin", "For example [0, 7]."


def names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """One name or several, as several."""
    return (value,) if isinstance(value, str) else value


def _known(scenario: Scenario) -> dict[str, set[str]]:
    return {
        **{name: {key for key, one in scenario.chosen.items() if one.of == name} for name in CHOSEN},
        "zone": {f"{region}-{letter(at)}" for region in scenario.fleet.regions for at in range(scenario.fleet.zones)},
        "region": set(scenario.fleet.regions),
        "sku": {sku.name for sku in scenario.sku},
        "cpu_model": {sku.cpu_model for sku in scenario.sku},
        "microcode": {code for sku in scenario.sku for code in (sku.microcode, *(u.microcode for u in sku.updates))},
        "kernel_release": {kernel.release for kernel in scenario.kernel},
        "service": {service.name for service in scenario.service},
        "service_release": {release.release for service in scenario.service for release in service.releases},
        "workload": scenario.workloads,
        "tenant": {tenant.name for tenant in scenario.tenant},
    }


def letter(at: int) -> str:
    """The name of a zone within its region."""
    return chr(ord("a") + at % 26)


def _releases(scenario: Scenario) -> Iterator[tuple[str, tuple[Release, ...]]]:
    yield "kernel", scenario.kernel
    for number, service in enumerate(scenario.service):
        yield f"service[{number}].releases", service.releases


def _ramps(scenario: Scenario) -> Iterator[tuple[str, tuple[Ramp, ...]]]:
    yield "load.ramps", scenario.load.ramps
    for number, cause in enumerate(scenario.cause):
        yield f"cause[{number}].ramps", cause.ramps


def _doubled(key: str, names: list[str]) -> Iterator[Fault]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield key, f"{name!r} stands there twice", "Give each a name of its own."


def _there_are(names: Iterable[str]) -> str:
    return f"There are: {', '.join(sorted(names)) or 'none'}"
