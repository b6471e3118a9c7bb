"""Fleets that the items of a verdict are counted on: other crashes than those that verdicts are scored on.

Machines and manners are those of `varied`; the crashes are of the sets that the scored fleets never draw from: faults
and bugs of other programs. Of the imitators of bad hardware, which are one set, every other kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from broadstreet.records.weights import STRICT
from tests.simulation import varied
from tests.simulation.causes import Cause, Look
from tests.simulation.crashes import pool
from tests.simulation.populate import Scenario

FAULTS, BUGS = Look(("faults-a",)), Look(("bugs",), kinds=6)
BURST_DAYS = 0.015  # 22 minutes
CRASHES = (3, 4, 5, 7, 10, 30)
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
    crashes = int(np.random.default_rng((seed, 11)).choice(CRASHES))
    bug = replace(bug, name=name, look=shows, crashes=crashes, **within)
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
    return "many bugs", _honest(seed, 8), {}


def _burst(seed: int) -> Shown:
    day = float(np.random.default_rng((seed, 9)).uniform(5, 85))
    return "many bugs at once", _honest(seed, 8), {"since": day, "until": day + BURST_DAYS}


def _honest(seed: int, kinds: int) -> Look:
    """So many bugs that do not imitate hardware: more than one of those on one host is not to be expected."""
    crashes = pool()
    rows = crashes.rows("bugs")
    strict = np.isin(crashes.mechanisms[rows], STRICT)
    honest = [kind for kind in np.unique(crashes.kinds[rows]) if strict[crashes.kinds[rows] == kind].mean() < 0.5]
    chosen = np.random.default_rng((seed, 10)).choice(honest, kinds, replace=False)
    return Look(("bugs",), named=tuple(str(kind) for kind in chosen))


MORE: Mapping[str, Callable[[int], Shown]] = {
    "a release that misaligns the stack": _misaligning,
    "many bugs of one host": _many,
    "many bugs of one host at once": _burst,
}
"""More manners: software that does what hardware does, everywhere; and a host on which everything is broken."""
MANNERS = (*varied.MANNERS, *MORE)
