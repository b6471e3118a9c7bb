"""Every page, listed by hand, and the tabs in the order in which they stand."""

from broadstreet.surfaces.web import judged
from broadstreet.surfaces.web.page import Change, Page
from broadstreet.surfaces.web.pages import about, case, cases, map, outbreak, overview

# A tab is shown once its page exists.
TABS = (
    ("Overview", "/"),
    ("Map", "/map"),
    ("Syndromes", "/syndromes"),
    ("Outbreaks", "/outbreaks"),
    ("Cases", "/cases"),
    ("SQL", "/sql"),
)

PAGES: tuple[Page, ...] = (
    overview.PAGE,
    map.PAGE,
    outbreak.PAGE,
    cases.PAGE,
    case.PAGE,
    about.PAGE,
)

CHANGES: tuple[Change, ...] = (judged.CHANGE,)
