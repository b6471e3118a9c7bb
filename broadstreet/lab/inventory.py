"""What the lab can make on this machine, in lines for a terminal."""

import shutil
import textwrap
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


WIDTH, INDENT = 78, 19


def inventory() -> Iterator[str]:
    """Sets, victims, and what stands in the way."""
    for heading, entries in _sections():
        rows = list(entries)
        if rows:
            yield from ("", heading)
        for name, text in rows:
            yield from _entry(name, text)


def _sections() -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    yield "Sets (broadstreet lab crash SET --output DIR)", _sets()
    yield "Victims of faults and models", _victims()
    yield "Fleets (broadstreet lab make SCENARIO --output DIR)", ((name, title(name)) for name in shipped())
    yield "Not here", _barriers()


def _entry(name: str, text: str) -> list[str]:
    first = f"  {name:{INDENT - 3}} "
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * INDENT, break_on_hyphens=False)


def _sets() -> Iterator[tuple[str, str]]:
    for name in ZOO:
        orders = zoo.orders(name)
        yield name, f"{len(orders):,} crashes of {len({order.mechanism for order in orders})} programs"
    yield "race", f"{len(race.VARIANTS)} crashes of the GNU libunwind race"
    releases = len(ingest.RELEASES)
    yield "ingest", f"the same race, and {len(ingest.BUGS)} bugs, in {releases} releases of a C++ service"
    yield "emulated", f"{len(emulated.orders())} crashes of aarch64 programs under qemu"
    yield "faults", f"one wrong bit or result in a program that runs: {', '.join((*HARDWARE, *RECURRING))}"
    yield "models", f"what bugs write, in the same programs: {', '.join(SOFTWARE)}"


def _victims() -> Iterator[tuple[str, str]]:
    for victim in VICTIMS.values():
        yield victim.name, f"{victim.runtime}{f', {victim.absence}' if victim.absence else ''}"


def _barriers() -> Iterator[tuple[str, str]]:
    for reason in obstacles():
        yield "this machine", reason
    for compiler in COMPILERS:
        if shutil.which(compiler) is None:
            yield compiler, "not installed: apt-get install gcc g++, or only faults and models"
    for name in ZOO:
        for missing, count in zoo.left_out(name).items():
            yield name, f"{count} crashes left out: no {missing} (apt-get install {PACKAGES[missing]})"
    for name, lacking in (("ingest", ingest.obstacle()), ("emulated", emulated.obstacle())):
        if lacking:
            yield name, lacking
