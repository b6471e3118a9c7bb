"""A suspect machine on the map: a ring with a dot, its name, and a line to each address that it carried.

A machine behind virtual hosts has no address of its own. Its ring stands in a lane between the streets near the middle
of its addresses, where it and its words hide least.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from broadstreet.surfaces.charts.lettering import text_width
from broadstreet.surfaces.charts.street_plan import Plan
from broadstreet.surfaces.charts.svg import FULL, STROKES, TEXTS, element, group, line, link, path, text

_RING = 7.5
_NAME = 17.0  # pixels, serif: as wide as sans of that size, at most
_LINE = 16.0
_NEAR = 14  # lanes on each side of the middle that are tried
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Address:
    """A host by its region, street and position, and a short name for it."""

    region: int
    street: int
    position: int
    label: str


@dataclass(frozen=True)
class Suspect:
    """A machine, what is said of it, and where it was seen."""

    name: str
    notes: tuple[str, ...]
    role: str
    addresses: tuple[Address, ...]
    link: str | None = None


@dataclass(frozen=True)
class Point:
    """The end of a stack: `way` is −1 where it rises and 1 where it hangs, `high` is its height."""

    x: float
    y: float
    way: int
    high: float


def suspects(
    those: tuple[Suspect, ...], points: dict[tuple[int, int, int], Point], plan: Plan, width: float
) -> list[Markup]:
    """All suspects, each where it hides neither an address nor another suspect."""
    taken: list[Box] = [_stack(point) for point in points.values()]
    lines, words = [], []
    for suspect in those:
        ends = [points[one.region, one.street, one.position] for one in suspect.addresses]
        if not ends:
            continue
        labels = _labels(suspect, ends, taken, width) if suspect.name else []
        x, y, left, used = _spot(suspect, ends, taken, plan, width)
        taken.append(used)
        drawn = "".join(line(x, y, end.x, end.y - end.way * end.high / 2) for end in ends)
        lines.append(path(drawn, f"{STROKES[suspect.role]} lead"))
        words += labels
        words.append(_ring(suspect, x, y, left))
    return [*lines, *words]


def _ring(suspect: Suspect, x: float, y: float, left: bool) -> Markup:
    small = not suspect.name
    ring = 5.0 if small else _RING
    shown = [
        element("circle", class_="fp", cx=x, cy=y, r=ring + 2),
        element("circle", class_=f"{STROKES[suspect.role]} thin", cx=x, cy=y, r=ring),
        element("circle", class_=FULL[suspect.role], cx=x, cy=y, r=ring * 0.48),
    ]
    if small:
        return group(*shown)
    side = " end" if left else ""
    at = x - _RING - 6 if left else x + _RING + 6
    name = text(at, y - 3, suspect.name, f"name halo {TEXTS[suspect.role]}{side}")
    notes = [text(at, y + 12 + place * 14, note, f"halo{side}") for place, note in enumerate(suspect.notes)]
    return group(*shown, link(suspect.link, name), *notes)


def _labels(suspect: Suspect, ends: list[Point], taken: list[Box], width: float) -> list[Markup]:
    shown = []
    for address, end in zip(suspect.addresses, ends, strict=True):
        wide = text_width(address.label) + 2
        y = end.y + 4 if end.way < 0 else end.y + 6
        for x, side in ((end.x + 4, ""), (end.x - 4 - wide, " end")):
            room = (x, y - 10, x + wide, y + 2)
            if x < 0 or x + wide > width or any(_overlap(room, other) for other in taken):
                continue
            taken.append(room)
            shown.append(text(x + wide if side else x, y, address.label, f"halo ti{side}"))
            break
    return shown


def _spot(
    suspect: Suspect, ends: list[Point], taken: list[Box], plan: Plan, width: float
) -> tuple[float, float, bool, Box]:
    middle_x = sum(end.x for end in ends) / len(ends)
    middle_y = sum(end.y for end in ends) / len(ends)
    wide = (
        max([text_width(suspect.name, True, _NAME), *(text_width(note) for note in suspect.notes)])
        if suspect.name
        else 0
    )
    best: tuple[float, float, float, bool, Box] | None = None
    for lane in range(-_NEAR, _NEAR + 1):
        for row in range(-_NEAR, _NEAR + 1):
            x, y = _lane(plan, middle_x, middle_y, lane, row)
            if not (_RING + 3 <= x <= width - _RING - 3 and plan.header + 8 <= y <= plan.height - _LINE):
                continue
            for left in (False, True):
                room = _room(x, y, wide, left, len(suspect.notes), bool(suspect.name))
                outside = max(0.0, -room[0]) + max(0.0, room[2] - width)
                hidden = sum(_overlap(room, other) for other in taken)
                cost = math.hypot(x - middle_x, y - middle_y) + 400 * hidden + 100 * outside + 5 * left
                if best is None or cost < best[0]:
                    best = cost, x, y, left, room
    if best is None:
        return middle_x, middle_y, False, (middle_x, middle_y, middle_x, middle_y)
    return best[1:]


def _lane(plan: Plan, x: float, y: float, lane: int, row: int) -> tuple[float, float]:
    # The lanes of the region whose corner lies nearest left and above; they run between its streets and its rows.
    before = [block for block in plan.blocks if block.x <= x + 1 and block.y <= y + 1] or list(plan.blocks)
    home = max(before, key=lambda block: (block.y, block.x))
    column = round((x - home.x) / plan.step) + lane
    rows = round((y - home.y - plan.header) / plan.row) + row
    return home.x + column * plan.step - min(6.5, plan.step / 8), home.y + plan.header + rows * plan.row


def _room(x: float, y: float, wide: float, left: bool, notes: int, named: bool) -> Box:
    if not named:
        return (x - 6, y - 6, x + 6, y + 6)
    top, bottom = y - 18, y + 4 + 14 * notes
    return (x - wide - 16, top, x + 10, bottom) if left else (x - 10, top, x + wide + 16, bottom)


def _stack(point: Point) -> Box:
    foot = point.y - point.way * point.high
    return (point.x - 3, min(foot, point.y), point.x + 3, max(foot, point.y))


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
