"""What answers here: versions, the casebook, the licence."""

import platform

import msgspec

from broadstreet import __version__
from broadstreet.labels import RULES_VERSION
from broadstreet.reading.reader import READER_VERSION
from broadstreet.surfaces.web.page import Asked, Page

LICENCE = "Apache-2.0"


class About(msgspec.Struct, frozen=True):
    """The programs and the data behind every page."""

    broadstreet: str
    reader: int
    rules: int
    python: str
    casebook: str
    casebook_version: int
    simulated: bool
    cases: int
    drawn: str
    licence: str


def tell(asked: Asked) -> About:
    """What answers here."""
    about = asked.atlas.about
    return About(
        broadstreet=__version__,
        reader=READER_VERSION,
        rules=RULES_VERSION,
        python=platform.python_version(),
        casebook=about.casebook,
        casebook_version=about.version,
        simulated=about.simulated,
        cases=about.cases,
        drawn=about.drawn,
        licence=LICENCE,
    )


PAGE = Page(
    path="/about",
    name="About",
    tab="",
    told=About,
    tell=tell,
    template="about.html",
    summary="The versions and the casebook behind every page.",
    needs_cases=False,
)
