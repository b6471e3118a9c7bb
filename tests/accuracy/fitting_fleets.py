"""Fleets that the items of a verdict are counted on: other crashes than those that verdicts are scored on.

Machines and manners are those of `varied`; the crashes are of the sets that the scored fleets never draw from: faults
and bugs of other programs. Of the imitators of bad hardware, which are one set, every other kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tests.simulation import varied
from tests.simulation.causes import Cause, Look
from tests.simulation.crashes import pool
from tests.simulation.populate import Scenario

FAULTS, BUGS = Look(("faults-a",)), Look(("bugs",), kinds=6)
SETS = {"bugs": 0.5, "imitators": 0.2, "models-a": 0.2, "race": 0.1}


def bad_machine(seed: int, k: int) -> Scenario:
    """A machine with a fault, and bugs besides."""
    scenario = varied.bad_machine(seed, k)
    return replace(scenario, causes=tuple(_of_fitted_sets(cause) for cause in scenario.causes))


def _of_fitted_sets(cause: Cause) -> Cause:
    look = FAULTS if cause.says == "hardware" else BUGS
    return replace(cause, look=replace(look, kinds=cause.look.kinds or look.kinds))


def software(seed: int, manner: str) -> Scenario:
    """One bug in this manner, and bugs besides."""
    how, look = {**dict.fromkeys(varied.MANNERS, _bug), **MORE}[manner], varied.MANNERS.get(manner)
    scenario = varied.software(seed, manner if look else "data of one host")
    chaff, bug = scenario.causes
    name, shows, within = how(seed)
    bug = replace(bug, name=name, look=shows, **within)
    return replace(scenario, name=manner, causes=(replace(chaff, look=BUGS), bug))


Shown = tuple[str, Look, Mapping[str, object]]


def _bug(seed: int) -> Shown:
    rng = np.random.default_rng((seed, 8))
    where = str(rng.choice(list(SETS), p=list(SETS.values())))
    crashes = pool()
    kinds = np.unique(crashes.kinds[crashes.rows(where)])
    kind = str(rng.choice(kinds[::2] if where == "imitators" else kinds))
    return f"{where}: {kind}", Look((where,), named=(kind,), syndrome="one" if rng.random() < 0.5 else None), {}


def _misaligning(seed: int) -> Shown:
    kind = ("rsp-8", "rsp+8")[seed % 2]
    within = {"within": {"service_release": "26.1"}, "spread": 0}
    return f"a release that does as {kind}", replace(FAULTS, named=(kind,), syndrome="one"), within


def _many(seed: int) -> Shown:
    return "many bugs", replace(BUGS, kinds=8), {}


MORE: Mapping[str, Callable[[int], Shown]] = {
    "a release that misaligns the stack": _misaligning,
    "many bugs of one host": _many,
}
"""Two manners more: software that does what hardware does, everywhere; and a host on which everything is broken."""
MANNERS = (*varied.MANNERS, *MORE)
