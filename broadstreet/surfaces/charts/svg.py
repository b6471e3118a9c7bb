"""SVG made of elements, in which every text and every attribute is escaped.

A name from a core dump or a table may hold anything. Control characters, marks of writing direction among them, are
shown as codes; what is longer than 200 characters is cut; the rest is escaped. No chart writes a tag by hand.

An SVG in a page has two traps. A pattern of a hidden SVG does not draw in a shown one, and an id must be there once: so
a hatch is drawn line by line, and the ids of title and description are made of what the chart shows and its width.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from markupsafe import Markup, escape

from broadstreet.surfaces.charts.lettering import plain

WIDE = 1240  # the column of a page
NARROW = 360  # that of a telephone of 400 px less its margins: what is wider shows it larger, never smaller
HATCH = 5.0  # pixels from line to line
# One letter each and no clash with the page: `fa` filled in the first colour, `sa` stroked, `ta` text.
FILLS = {"a": "fa", "b": "fb", "c": "fc", "other": "fo"}
FULL = {"a": "fa", "b": "fb", "c": "fi", "other": "oo"}  # filled, also where a block is an outline
STROKES = {"a": "sa", "b": "sb", "c": "sc", "other": "so"}
TEXTS = {"a": "ta", "b": "tb", "c": "ti", "other": "t3"}

Value = str | float | int | None
Chart = TypeVar("Chart")


def element(name: str, *children: str | Markup, **attributes: Value) -> Markup:
    """One element; `class_` is class, `data_from` data-from; an attribute of None is left out."""
    said = Markup("").join(
        Markup(' {}="{}"').format(_name(key), _value(value)) for key, value in attributes.items() if value is not None
    )
    inside = Markup("").join(child if isinstance(child, Markup) else escape(plain(child)) for child in children)
    if not children:
        return Markup("<{}{}/>").format(name, said)
    return Markup("<{}{}>{}</{}>").format(name, said, inside, name)


def group(*children: Markup, **attributes: Value) -> Markup:
    """Elements that belong together; nothing at all where there are none."""
    return element("g", *children, **attributes) if children else Markup("")


def path(d: str, css: str, **attributes: Value) -> Markup:
    """A path, which only `box`, `line`, `hatch` and numbers make; nothing at all where it is empty."""
    return element("path", class_=css, d=Markup(d), **attributes) if d else Markup("")


def text(x: float, y: float, words: str, css: str = "") -> Markup:
    """A line of text whose base line begins at (x, y)."""
    return element("text", words, x=x, y=y, class_=css or None)


def link(href: str | None, *children: Markup, **attributes: Value) -> Markup:
    """A link of a chart, which the keyboard passes over (a table beside the chart is for it), or a plain group."""
    return group(*children, **attributes) if href is None else anchor(href, *children, tabindex=-1, **attributes)


def anchor(href: str, *children: str | Markup, **attributes: Value) -> Markup:
    """A link within the site; any other is a bug, for what a table holds must not lead out of it."""
    if not href.startswith(("/", "?", "#")) or href.startswith(("//", "/\\")):
        raise ValueError(f"not a link within the site: {href!r}")
    return element("a", *children, href=Markup(escape(href)), **attributes)


def drawing(
    body: Iterable[Markup], width: float, height: float, title: str, says: str, form: str = "", linked: bool = False
) -> Markup:
    """A whole chart: its title and a sentence that says what it shows come first, for who cannot see it.

    `linked` is true where there are links inside: then it is a group, for an image has nothing in it to follow.
    `form` is the class that shows it for one width of the page: w, m, n, or nothing.
    """
    inside = Markup("").join(body)
    made_of = f"{title}\0{says}\0{width}\0{form}\0{inside}".encode("utf-8", "replace")
    name = "c" + hashlib.blake2b(made_of, digest_size=5).hexdigest()
    return element(
        "svg",
        element("title", title, id=f"{name}t"),
        element("desc", says, id=f"{name}d"),
        inside,
        class_=f"chart {form}".strip(),
        role="group" if linked else "img",
        aria_labelledby=f"{name}t {name}d",
        width=width,
        height=height,
        viewBox=f"0 0 {number(width)} {number(height)}",
    )


def mark(body: Iterable[Markup], width: float, height: float, css: str = "chart mark") -> Markup:
    """A small drawing beside words that say the same: hidden from who cannot see it."""
    size = f"0 0 {number(width)} {number(height)}"
    return element(
        "svg", Markup("").join(body), class_=css, aria_hidden="true", width=width, height=height, viewBox=size
    )


def for_widths(
    draw: Callable[[Chart, float, str], Markup],
    chart: Chart,
    wide: float = WIDE,
    narrow: float = NARROW,
    middle: float | None = None,
) -> Markup:
    """The chart drawn for each width of the page; chart.css shows the one that fits."""
    forms = [("w", wide), ("n", narrow)] if middle is None else [("w wm", wide), ("m", middle), ("n", narrow)]
    return Markup("").join(draw(chart, width, form) for form, width in forms)


def number(value: float) -> str:
    """A coordinate: at most two decimals, none that say nothing."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def box(x: float, y: float, width: float, height: float) -> str:
    """A rectangle as part of a path."""
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line as part of a path."""
    return f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"


def hatch(x: float, y: float, width: float, height: float) -> str:
    """Diagonal lines that fill a rectangle, as a path: what is not known, and what never ran."""
    lines = []
    at = HATCH
    while at < width + height:
        lines.append(line(x + max(0, at - height), y + min(at, height), x + min(at, width), y + max(0, at - width)))
        at += HATCH * 1.4142
    return "".join(lines)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: Value) -> str:
    if isinstance(value, Markup):
        return value
    return plain(value) if isinstance(value, str) else number(value or 0)
