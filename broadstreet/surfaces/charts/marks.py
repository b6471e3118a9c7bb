"""The small shapes beside words: verdicts, findings, keys. The word always stands beside them."""

from collections.abc import Iterable
from typing import Literal

from markupsafe import Markup

from broadstreet.surfaces.charts.svg import FILLS, FULL, STROKES, box, element, hatch, line, mark, path

Verdict = Literal["hardware", "software", "undetermined", "held"]
Holds = Literal["holds", "does not hold", "could not be judged"]
_SIZE = 12.0


def verdict(shape: Verdict, role: str = "c") -> Markup:
    """Square: hardware. Circle: software. Open diamond: cannot tell, or held."""
    if shape == "hardware":
        return mark([path(box(0.5, 0.5, 11, 11), FULL[role])], _SIZE, _SIZE)
    if shape == "software":
        return mark([element("circle", class_=FULL[role], cx=6, cy=6, r=5.5)], _SIZE, _SIZE)
    return mark([path("M6 .8L11.2 6L6 11.2L.8 6z", f"{STROKES[role]} full")], _SIZE, _SIZE)


def finding(holds: Holds) -> Markup:
    """Full circle: holds. Empty: does not hold. Dashed with a bar: could not be judged."""
    if holds == "holds":
        return mark([element("circle", class_="fi", cx=6, cy=6, r=5)], _SIZE, _SIZE)
    if holds == "does not hold":
        return mark([element("circle", class_="si full", cx=6, cy=6, r=4.7)], _SIZE, _SIZE)
    ring = element("circle", class_="s3 full", cx=6, cy=6, r=4.7, stroke_dasharray="2 1.7")
    return mark([ring, path(line(4, 6, 8, 6), "s3 full")], _SIZE, _SIZE)


def swatch(role: str) -> Markup:
    """A block of a series, for the key of a curve."""
    inset = 0.5 if role in ("c", "other") else 0.0
    return mark([path(box(inset, inset, 11 - 2 * inset, 11 - 2 * inset), FILLS[role])], 11, 11)


def bars(role: str) -> Markup:
    """Three crashes on one another, for the key of a map."""
    return mark([path(box(0, 0, 7, 3) + box(0, 4, 7, 3) + box(0, 8, 7, 3), FULL[role])], 7, 11)


def ground(tone: int | None) -> Markup:
    """A tone of rate, for the key of a map; null is not known, or never ran."""
    fill = path(hatch(0.5, 0.5, 21, 10), "ht") if tone is None else path(box(0.5, 0.5, 21, 10), f"g{tone}")
    return mark([fill, path(box(0.5, 0.5, 21, 10), "sr")], 22, 11)


def key(entries: Iterable[tuple[Markup, str]]) -> Markup:
    """A key: each mark with its words."""
    return Markup("").join(element("span", shape, words) for shape, words in entries)


def tones(limits: tuple[float, float, float, float]) -> list[tuple[Markup, str]]:
    """The key of the ground: which rates a tone stands for."""
    low, second, third, high = (f"{limit:,.3g}" for limit in limits)
    names = [f"under {low}", f"{low} to {second}", f"{second} to {third}", f"{third} to {high}", f"{high} and more"]
    return [(ground(tone), name) for tone, name in enumerate(names)]
