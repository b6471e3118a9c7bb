"""Which exposures are asked about, of what kind each is, and how much of the error budget each family of questions has.

Nobody may be called an outbreak by chance in more than 1 % of fleets that have none. Every exposure is a family of
questions of its own, and each family has a share of that 1 %, whatever the number of its values: so a bad machine among
ten thousand is not hidden by the hundred questions about releases, nor they by it. Places have half of it: there the
questions are most and the crashes fewest.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Kind = Literal["place", "area", "make", "release", "work", "time", "told"]

ERROR = 0.01  # of all that is called an outbreak, at most this share by chance
LEAST = 3  # episodes: fewer are never called an outbreak of a cohort


class Family(NamedTuple):
    """An exposure: its kind, and its weight in the error budget; `stratum`: others are compared within its values."""

    attribute: str
    kind: Kind
    weight: float
    stratum: bool = False


FAMILIES: tuple[Family, ...] = (
    Family("physical_host", "place", 12),
    Family("host", "place", 4),
    Family("rack", "place", 2),
    Family("zone", "area", 1),
    Family("region", "area", 1),
    Family("sku", "make", 1),
    Family("cpu_model", "make", 1),
    Family("microcode", "make", 1),
    Family("kernel_release", "make", 1),
    Family("service", "work", 0.5, stratum=True),
    Family("workload", "work", 1, stratum=True),
    Family("service_release", "release", 1, stratum=True),
    Family("tenant", "work", 1),
    Family("uptime", "time", 1),
    Family("exceptions per hour", "work", 0.5),
)
# Asked of all syndromes together: places with many crashes that only failing hardware makes; with many different
# crashes; and of each syndrome, whether it began.
POOLED = {"hardware findings": 4.0, "different crashes": 3.0, "onset": 2.0}
BY_NAME = {family.attribute: family for family in FAMILIES}
OTHER = 0.25  # the weight of an exposure that is not in the list: a free label, a build of a library
TREE = tuple(family.attribute for family in FAMILIES if family.kind in ("place", "area"))
NARROW = tuple(family.attribute for family in FAMILIES if family.kind == "place")
STRATA = tuple(family.attribute for family in FAMILIES if family.stratum)


def family(attribute: str) -> Family:
    """What is known of an exposure; `cpu` and `numa_node` are asked about only inside of a host that stands out."""
    found = BY_NAME.get(attribute)
    return found or Family(attribute, "release" if attribute.startswith("build of ") else "told", OTHER)


def budgets(attributes: Iterable[str]) -> dict[str, float]:
    """The share of the error that each of these families may make; with the pooled ones they make 1."""
    weights = {attribute: family(attribute).weight for attribute in attributes} | POOLED
    if "host" in weights and "physical_host" not in weights:
        weights["host"] += BY_NAME["physical_host"].weight  # then it is the machine
    whole = sum(weights.values())
    return {attribute: weight / whole for attribute, weight in weights.items()}
