"""The fleet as a map that a person can read: region, street (a rack or a pool), host, crash.

A street is as long as it has hosts, so as its time at risk. A dot is a host; above 20,000 hosts it is ten. A crash is a
bar at its address, stacked away from the street. The tone of the ground is the rate, which the caller has pulled to the
mean where time at risk is short. A suspect machine is a ring with a dot, and lines to the addresses that it carried.
The same map is that of a host with its CPUs: streets are sockets, dots are CPUs.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from markupsafe import Markup

from broadstreet.surfaces.charts import street_plan
from broadstreet.surfaces.charts.lettering import fitted, text_width
from broadstreet.surfaces.charts.street_plan import Block, Plan, Size
from broadstreet.surfaces.charts.suspects import Point, Suspect, suspects
from broadstreet.surfaces.charts.svg import box, drawing, element, group, hatch, line, link, number, path, text
from broadstreet.surfaces.text import plural

BARS = {"a": "sa", "b": "sb", "c": "sc", "other": "bo"}
TALLEST = 40  # blocks of a stack; where one is taller, a block is 10, 100 crashes
_NOTE = 12.0  # pixels that a note under the line takes
_SLACK = 3.0  # pixels between a region's line and its first row
NARROWEST = 700  # pixels: below, regions stand below one another
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Crash:
    """Crashes of one kind at one address: the host at `position` of its street, counted from 0."""

    position: int
    role: str
    count: int = 1


@dataclass(frozen=True)
class Street:
    """A rack or a pool. `rate` is null where it is not known; `note` is read out and shown under the pointer.

    `idle` are the positions of hosts without time at risk: they have no dot.
    """

    name: str
    hosts: int
    rate: float | None
    crashes: tuple[Crash, ...] = ()
    note: str = ""
    link: str | None = None
    idle: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Region:
    """Streets under one name; null is what has no region recorded, which stands last."""

    name: str | None
    note: str
    streets: tuple[Street, ...]
    link: str | None = None


@dataclass(frozen=True)
class FleetMap:
    """`limits` are the four rates that lie between the five tones. Addresses of suspects count regions as given."""

    title: str
    regions: tuple[Region, ...]
    limits: tuple[float, float, float, float]
    suspects: tuple[Suspect, ...] = ()


def draw(fleet: FleetMap, width: float, form: str = "") -> Markup:
    """The map with names, notes and links."""
    size = street_plan.NARROW if width < NARROWEST else street_plan.WIDE
    drawn = _Drawn(fleet, *_plan(fleet, width, size))
    drawn.plan = plan = street_plan.lifted(drawn.plan, *drawn.beyond())
    body = [
        *(drawn.street(block, place) for block in plan.blocks for place in range(drawn.streets(block))),
        drawn.bars(),
        *(drawn.header(block) for block in plan.blocks),
        *suspects(fleet.suspects, drawn.points(), plan, width),
    ]
    linked = any(region.link or any(street.link for street in region.streets) for region in fleet.regions)
    return drawing(body, width, plan.height + 8, fleet.title, says(fleet), form, linked)


def thumbnail(fleet: FleetMap, width: float, form: str = "") -> Markup:
    """The map without words, streets as lines, for a corner of the overview."""
    silent = tuple(replace(one, name="", notes=(), link=None) for one in fleet.suspects)
    plain = replace(fleet, suspects=silent, regions=tuple(replace(one, note="") for one in fleet.regions))
    drawn = _Drawn(plain, *_plan(plain, width, street_plan.SMALL))
    drawn.plan = plan = street_plan.lifted(drawn.plan, *drawn.beyond())
    lines = []
    for block in plan.blocks:
        for place in range(drawn.streets(block)):
            x, y = plan.corner(block, place)
            lines.append(line(x, y, x + drawn.length(block, place), y))
    body = [path("".join(lines), "sr"), drawn.bars(), *suspects(plain.suspects, drawn.points(), plan, width)]
    return drawing(body, width, plan.height + 4, fleet.title, says(fleet), form)


def per_dot(fleet: FleetMap) -> int:
    """How many hosts a dot is: 1, or 10."""
    hosts = sum(street.hosts for region in fleet.regions for street in region.streets)
    return 10 if hosts > street_plan.MANY_HOSTS else 1


def per_block(fleet: FleetMap) -> int:
    """How many crashes a block is: a power of ten."""
    dot, block = per_dot(fleet), 1
    tallest = max((max(_stacks(street, dot).values()) for _, street in _crashed(fleet)), default=1)
    while tallest / block > TALLEST:
        block *= 10
    return block


def caption(fleet: FleetMap) -> str:
    """What a mark of the map is: one dot a host, one bar a crash."""
    dot, block = per_dot(fleet), per_block(fleet)
    dots = "One dot is one host" if dot == 1 else "One dot is ten hosts"
    return dots + (", one bar one crash" if block == 1 else f", one bar {block:,} crashes")


def tone(rate: float, limits: Iterable[float]) -> int:
    """The tone of a rate, 0 to 4: how many of the limits it reaches."""
    return sum(rate >= limit for limit in limits)


def says(fleet: FleetMap) -> str:
    """The map in a few sentences, for who cannot see it."""
    streets = [street for region in fleet.regions for street in region.streets]
    hosts = sum(street.hosts for street in streets)
    crashes = sum(crash.count for street in streets for crash in street.crashes)
    where = f"{plural(len(streets), 'street')} of {plural(len(fleet.regions), 'region')}"
    sentence = f"{plural(hosts, 'host')} in {where}, {plural(crashes, 'crash', 'crashes')}. {caption(fleet)}."
    for suspect in fleet.suspects:
        sentence += (
            f" {suspect.name or 'A machine'} is linked to {plural(len(suspect.addresses), 'address', 'addresses')}."
        )
    return sentence


def _plan(fleet: FleetMap, width: float, size: Size) -> tuple[Plan, list[int]]:
    order = sorted(range(len(fleet.regions)), key=lambda place: fleet.regions[place].name is None)
    counts = [max(1, len(fleet.regions[place].streets)) for place in order]
    longest = max((street.hosts for region in fleet.regions for street in region.streets), default=1)
    return street_plan.planned(counts, math.ceil(longest / per_dot(fleet)), width, size), order


def _crashed(fleet: FleetMap) -> Iterable[tuple[int, Street]]:
    return (
        (place, street) for place, region in enumerate(fleet.regions) for street in region.streets if street.crashes
    )


def _stacks(street: Street, dot: int) -> Counter[int]:
    found: Counter[int] = Counter()
    for crash in street.crashes:
        found[crash.position // dot] += crash.count
    return found


class _Drawn:
    """One map on its plan: what is drawn where."""

    def __init__(self, fleet: FleetMap, plan: Plan, order: list[int]) -> None:
        self.fleet, self.plan, self.order = fleet, plan, order
        self.dot, self.block = per_dot(fleet), per_block(fleet)
        tallest = max((max(_stacks(street, self.dot).values()) for _, street in _crashed(fleet)), default=1)
        # Pixels of a block with its gap: the tallest stack is about two rows.
        self.bar = max(1.6, min(4.0, plan.pitch, 2 * plan.row * self.block / tallest))
        self.away = min(4.5, plan.row / 5)  # from the middle of the street to its first bar

    def region(self, block: Block) -> Region:
        return self.fleet.regions[self.order[block.region]]

    def streets(self, block: Block) -> int:
        return len(self.region(block).streets)

    def length(self, block: Block, place: int) -> float:
        return math.ceil(math.ceil(self.region(block).streets[place].hosts / self.dot) / 2) * self.plan.pitch

    def beyond(self) -> tuple[list[float], list[float]]:
        """Pixels by which stacks rise above the first row of each region, and hang below the last."""
        rises, sinks = [0.0] * len(self.order), [0.0] * len(self.order)
        for block in self.plan.blocks:
            if not self.beside(block):
                rises[block.region] = _NOTE
            for place, street in enumerate(self.region(block).streets):
                for dot, count in _stacks(street, self.dot).items():
                    high = self.away + math.ceil(count / self.block) * self.bar - self.plan.row / 2
                    row = place // block.columns
                    if dot % 2 == 0 and row == 0:
                        rises[block.region] = max(rises[block.region], high - _SLACK)
                    if dot % 2 and row == block.rows - 1:
                        sinks[block.region] = max(sinks[block.region], high)
        return rises, sinks

    def beside(self, block: Block) -> bool:
        """Whether the note of a region has room beside its name; else it stands under the line."""
        region = self.region(block)
        words = text_width(region.name or NOT_KNOWN, size=18) + text_width(region.note)
        return not region.note or words + 12 <= block.width

    def header(self, block: Block) -> Markup:
        region, x, y = self.region(block), block.x, block.y
        name = fitted(region.name or NOT_KNOWN, block.width, size=17)
        note = fitted(region.note, block.width)
        place = link(region.link, element("title", region.name or NOT_KNOWN), text(x, y + 14, name, "place"))
        words = text(x + block.width, y + 14, note, "end") if self.beside(block) else text(x, y + 35, note, "halo")
        return group(place, words, path(line(x, y + 20.5, x + block.width, y + 20.5), "si"))

    def street(self, block: Block, place: int) -> Markup:
        street = self.region(block).streets[place]
        x, y = self.plan.corner(block, place)
        high = self.plan.row - 4
        length = self.length(block, place)
        top = y - high / 2
        ground = box(x, top, length, high)
        if street.rate is None:
            tones = [path(ground, "hit"), path(hatch(x, top, length, high), "ht")]
        else:
            tones = [path(ground, f"g{tone(street.rate, self.fleet.limits)} ground")]
        named = f"{street.name}: {street.note}" if street.note else street.name
        return link(street.link, element("title", named), *tones, self._dots(street, x, y), class_="street")

    def _dots(self, street: Street, x: float, y: float) -> Markup:
        dots, pitch = math.ceil(street.hosts / self.dot), self.plan.pitch
        away = min(2.5, pitch / 2)
        runs = []
        for side, offset in ((0, -away), (1, away)):
            begins: int | None = None
            for dot in [*range(side, dots, 2), None]:
                shown = dot is not None and (self.dot > 1 or dot not in street.idle)
                if shown and begins is None:
                    begins = dot
                elif not shown and begins is not None:
                    last = dots - 1 - (dots - 1 - side) % 2 if dot is None else (dot or 0) - 2
                    first = x + (begins // 2 + 0.5) * pitch - 0.5
                    runs.append(f"M{number(first)} {number(y + offset)}h{number((last - begins) // 2 * pitch + 1)}")
                    begins = None
        return path("".join(runs), "dots", stroke_dasharray=f"1 {number(pitch - 1)}")

    def bars(self) -> Markup:
        runs: dict[str, list[str]] = defaultdict(list)
        for block in self.plan.blocks:
            for place, street in enumerate(self.region(block).streets):
                self._stacked(block, place, street, runs)
        wide = number(max(1.2, min(5.0, self.plan.pitch * 0.8)))
        dashes = f"{number(self.bar * 0.8)} {number(self.bar * 0.2)}"
        return group(
            *(
                path("".join(runs[role]), f"{css} bars", stroke_width=wide, stroke_dasharray=dashes)
                for role, css in BARS.items()
            )
        )

    def _stacked(self, block: Block, place: int, street: Street, runs: dict[str, list[str]]) -> None:
        heights: Counter[int] = Counter()
        counts: Counter[tuple[int, int, str]] = Counter()
        for crash in street.crashes:
            counts[crash.position // self.dot, list(BARS).index(crash.role), crash.role] += crash.count
        for (dot, _, role), count in sorted(counts.items()):
            x, y, way = self._foot(block, place, dot)
            blocks = count / self.block
            begins = y + way * heights[dot] * self.bar
            runs[role].append(f"M{number(x)} {number(begins)}v{number(way * (blocks * self.bar - self.bar * 0.2))}")
            heights[dot] += math.ceil(blocks)

    def _foot(self, block: Block, place: int, dot: int) -> tuple[float, float, int]:
        x, y = self.plan.corner(block, place)
        way = -1 if dot % 2 == 0 else 1
        return x + (dot // 2 + 0.5) * self.plan.pitch, y + way * self.away, way

    def points(self) -> dict[tuple[int, int, int], Point]:
        """Where the stack of each address of a suspect ends, by region, street and position."""
        blocks = {self.order[block.region]: block for block in self.plan.blocks}
        found = {}
        for suspect in self.fleet.suspects:
            for address in suspect.addresses:
                block = blocks[address.region]
                street = self.region(block).streets[address.street]
                dot = address.position // self.dot
                x, y, way = self._foot(block, address.street, dot)
                high = math.ceil(_stacks(street, self.dot)[dot] / self.block) * self.bar
                found[address.region, address.street, address.position] = Point(x, y + way * high, way, high)
        return found
