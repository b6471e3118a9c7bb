"""An SVG read again as XML."""

import re
from xml.etree import ElementTree

from markupsafe import Markup

SVG = "{http://www.w3.org/2000/svg}"


def tree(svg: Markup) -> ElementTree.Element:
    """The drawing as a browser would parse it: not well-formed is an error."""
    return ElementTree.fromstring(str(svg))


def texts(svg: Markup) -> list[str]:
    """Every line of text that is drawn."""
    return ["".join(one.itertext()) for one in tree(svg).iter("text")]


def paths(svg: Markup, css: str) -> list[str]:
    """The paths that have all the classes of `css`."""
    wanted = set(css.split())
    return [one.attrib["d"] for one in tree(svg).iter("path") if wanted <= set(one.attrib["class"].split())]


def boxes(d: str) -> list[tuple[float, float, float, float]]:
    """The rectangles of a path: x, y, width, height."""
    found = re.findall(r"M([-\d.]+) ([-\d.]+)h([-\d.]+)v([-\d.]+)h[-\d.]+z", d)
    return [(float(x), float(y), float(width), float(height)) for x, y, width, height in found]
