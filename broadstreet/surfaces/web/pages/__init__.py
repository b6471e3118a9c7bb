"""Every page, listed by hand, and the tabs in the order in which they stand."""

from broadstreet.surfaces.web import history, judged
from broadstreet.surfaces.web.page import Change, Page
from broadstreet.surfaces.web.pages import (
    about,
    case,
    cases,
    compare,
    host,
    map,
    new,
    outbreak,
    outbreaks,
    overview,
    sql,
    syndrome,
    syndromes,
)

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
    new.PAGE,
    map.PAGE,
    outbreaks.PAGE,
    outbreak.PAGE,
    syndromes.PAGE,
    syndrome.PAGE,
    cases.PAGE,
    compare.PAGE,
    case.PAGE,
    *host.PAGES,
    sql.PAGE,
    about.PAGE,
)

CHANGES: tuple[Change, ...] = (judged.CHANGE, history.CHANGE)
