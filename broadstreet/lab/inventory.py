"""What the lab can make on this machine, in lines for a terminal."""

import shutil
from collections.abc import Iterator

from broadstreet.lab.fleet.declaration import shipped, title
from broadstreet.lab.injection.faults import HARDWARE, RECURRING
from broadstreet.lab.injection.models import SOFTWARE
from broadstreet.lab.injection.victims import VICTIMS
from broadstreet.lab.kernel import obstacles
from broadstreet.lab.order import PACKAGES
from broadstreet.lab.zoo import crash as zoo
from broadstreet.lab.zoo import emulated, ingest, race
from broadstreet.lab.zoo.zoo import SETS as ZOO

COMPILERS = ("gcc", "g++")


def inventory() -> Iterator[str]:
    """Sets, victims, and what stands in the way."""
    yield "Sets (broadstreet lab crash SET --output DIR)"
    for name in ZOO:
        orders = zoo.orders(name)
        yield f"  {name:14} {len(orders)} crashes of {len({order.mechanism for order in orders})} programs"
    yield f"  {'race':14} {len(race.VARIANTS)} crashes of the GNU libunwind race"
    releases = len(ingest.RELEASES)
    yield f"  {'ingest':14} the same race, and {len(ingest.BUGS)} bugs, in {releases} releases of a C++ service"
    yield f"  {'emulated':14} {len(emulated.orders())} crashes of aarch64 programs under qemu"
    yield f"  {'faults':14} one wrong bit or result in a program that runs: {', '.join((*HARDWARE, *RECURRING))}"
    yield f"  {'models':14} what bugs write, in the same programs: {', '.join(SOFTWARE)}"
    yield ""
    yield "Victims of faults and models"
    for victim in VICTIMS.values():
        yield f"  {victim.name:14} {victim.runtime}{f', {victim.absence}' if victim.absence else ''}"
    yield ""
    yield "Fleets (broadstreet lab make SCENARIO --output DIR)"
    for name in shipped():
        yield f"  {name:16} {title(name)}"
    missing = [name for name in COMPILERS if shutil.which(name) is None]
    barriers = obstacles() + [f"no {name}: apt-get install gcc g++, or only faults and models" for name in missing]
    barriers += [
        f"{count} crashes of {name}: no {missing} (apt-get install {PACKAGES[missing]})"
        for name in ZOO
        for missing, count in zoo.left_out(name).items()
    ]
    absent = {"ingest": ingest.obstacle(), "emulated": emulated.obstacle()}
    barriers += [f"{name}: {reason}" for name, reason in absent.items() if reason]
    if barriers:
        yield ""
        yield "Not here"
        yield from (f"  {line}" for line in barriers)
