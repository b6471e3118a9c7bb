"""Every page, listed by hand, and the tabs in the order in which they stand."""

from broadstreet.surfaces.web.page import Change, Page
from broadstreet.surfaces.web.pages import about, overview, sql

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
    sql.PAGE,
    about.PAGE,
)

CHANGES: tuple[Change, ...] = ()
