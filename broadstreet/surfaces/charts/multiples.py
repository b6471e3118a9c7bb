"""Small multiples: more than four syndromes, each a low curve of its own, all on one scale.

One drawing serves every width of a page: it is as wide as a telephone, and a wide page has several in a row.
"""

from collections.abc import Sequence

from markupsafe import Markup

from broadstreet.surfaces.charts import curve
from broadstreet.surfaces.charts.curve import Curve
from broadstreet.surfaces.charts.svg import NARROW, anchor, element


def draw(curves: Sequence[Curve], links: Sequence[str | None] = ()) -> Markup:
    """A list of curves under their titles, each a link where there is one."""
    shown = []
    for place, one in enumerate(curve.on_one_scale(curves)):
        href = links[place] if place < len(links) else None
        name = anchor(href, one.title) if href else element("span", one.title)
        shown.append(element("li", name, curve.draw_low(one, NARROW)))
    return element("ol", *shown, class_="multiples")


def caption(curves: Sequence[Curve]) -> str:
    """What they are: Cases per day, one block a case, all on one scale."""
    return f"{curve.caption(curve.on_one_scale(curves)[0])}, all on one scale" if curves else ""
