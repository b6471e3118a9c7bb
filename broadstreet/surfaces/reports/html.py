"""A report as one HTML file: styles, fonts and charts stand inside of it, and nothing is fetched from anywhere."""

from base64 import b64encode
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from broadstreet.surfaces.charts import curve
from broadstreet.surfaces.charts.curve import Series
from broadstreet.surfaces.charts.svg import for_widths
from broadstreet.surfaces.reports.lettering import raised
from broadstreet.surfaces.reports.record import Chart, Forest, Report
from broadstreet.surfaces.text import first_up
from broadstreet.surfaces.web import arguments, forests
from broadstreet.surfaces.web.rendering import environment

WIDE = 920  # pixels of the column: drawn for it, text of charts is 12 on the screen and 8 points on A4
FONTS = (("normal", "source-serif-4.woff2"), ("italic", "source-serif-4-italic.woff2"))
STYLES = ("palette.css", "chart.css")
STATIC = files("broadstreet.surfaces.web") / "static"
OWN = files("broadstreet.surfaces.reports")


def html(report: Report) -> str:
    """The whole file."""
    return (
        _templates()
        .from_string((OWN / "report.html").read_text("utf-8"))
        .render(report=report, style=_style(), brand=_brand())
    )


@lru_cache(1)
def _templates() -> Environment:
    made = environment()
    made.filters.update(first_up=first_up, raised=raised)
    made.globals.update(
        kind_of=lambda block: type(block).__name__,
        caption_of=curve.caption,
        sum_of=_sum_of,
        drawn_curve=_drawn_curve,
        drawn_argument=arguments.drawn,
        drawn_forest=_drawn_forest,
    )
    return made


def _drawn_curve(block: Chart) -> Markup:
    return for_widths(curve.draw, block.curve, WIDE)


def _drawn_forest(block: Forest) -> dict[str, object]:
    return forests.drawn(block.hits, block.word)


def _sum_of(series: Series) -> int:
    return sum(count or 0 for count in series.counts)


@lru_cache(1)
def _style() -> Markup:
    """The style sheets and the fonts; all of it is this program's own."""
    faces = [_face(style, (STATIC / "fonts" / name).read_bytes()) for style, name in FONTS]
    sheets = [(STATIC / name).read_text("utf-8") for name in STYLES]
    return Markup("\n".join((*faces, *sheets, (OWN / "report.css").read_text("utf-8"))))


def _face(style: str, font: bytes) -> str:
    inside = f'url(data:font/woff2;base64,{b64encode(font).decode()}) format("woff2")'
    return f'@font-face{{font-family:"Source Serif 4";font-weight:200 900;font-style:{style};src:{inside}}}'


@lru_cache(1)
def _brand() -> Markup:
    return Markup((STATIC / "mark.svg").read_text("utf-8"))
