"""The site as a reader meets it, in a real browser."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from broadstreet.surfaces.web.pages import PAGES
from tests.surfaces.web.browsing import Tab, tab
from tests.surfaces.web.site import Site, every_page

KINDS = [page.path for page in PAGES]
WIDTHS = (400, 1100, 1400, 2000)
every_kind = pytest.mark.parametrize("kind", KINDS)
OVERFLOW = """() => {
    const page = document.documentElement, wide = page.scrollWidth - page.clientWidth;
    if (wide <= 0) return [];
    return ['page ' + wide, ...[...document.querySelectorAll('body *')]
        .filter(one => one.getBoundingClientRect().right > page.clientWidth + 0.5)
        .map(one => one.outerHTML.slice(0, 120)).slice(0, 5)];
}"""

MOST_TABS = 150
CONTROLS = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter(one => one.tabIndex >= 0 && !one.disabled && one.type !== 'hidden')
    .filter(one => one.checkVisibility({visibilityProperty: true}))
    .map((one, n) => { one.dataset.proof = n; return one.outerHTML.slice(0, 160); })"""
FOCUSED = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
    return {
        number: Number(one.dataset.proof ?? -1), text: one.textContent.trim(), html: one.outerHTML.slice(0, 160),
        seen: marked && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


@pytest.fixture(scope="session")
def pages(site: Site) -> dict[str, list[str]]:
    """Addresses of every kind of page of the sample."""
    return every_page(site)


@pytest.fixture
def reader(chrome: Any, site: Site) -> Iterator[Tab]:
    """A reader at a desk."""
    with tab(chrome, site.address) as opened:
        yield opened


def test_links_lead_from_the_overview_to_every_page(pages: dict[str, list[str]]) -> None:
    assert [kind for kind, found in pages.items() if not found] == []


@every_kind
def test_a_page_asks_only_its_server_and_has_no_error(reader: Tab, pages: dict[str, list[str]], kind: str) -> None:
    for address in pages[kind]:
        reader.open(address)
        reader.page.wait_for_load_state("load")
    assert reader.elsewhere() == []
    assert reader.done.errors == []
    assert reader.done.dialogs == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 400), ("dark", 1400)])
@every_kind
def test_axe_finds_no_violation(
    chrome: Any, site: Site, pages: dict[str, list[str]], kind: str, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with tab(chrome, site.address, width, color_scheme=scheme, bypass_csp=True) as opened:
        for address in pages[kind][:1]:
            opened.open(address)
            found = Axe().run(opened.page)
            told = [
                f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:200]}"
                for one in found.response["violations"]
                for node in one["nodes"][:3]
            ]
            assert told == [], address


@every_kind
def test_a_page_never_scrolls_sideways(reader: Tab, pages: dict[str, list[str]], kind: str) -> None:
    reader.open(pages[kind][0])
    for width in WIDTHS:
        reader.page.set_viewport_size({"width": width, "height": 900})
        assert reader.page.evaluate(OVERFLOW) == [], f"{pages[kind][0]} at {width}"


@every_kind
def test_a_page_says_the_same_without_script(chrome: Any, site: Site, pages: dict[str, list[str]], kind: str) -> None:
    address = pages[kind][0]
    with tab(chrome, site.address) as with_script, tab(chrome, site.address, java_script_enabled=False) as without:
        with_script.open(address)
        without.open(address)
        said, bare = (re.sub(r"\s+", " ", one.page.inner_text("main")) for one in (with_script, without))
        assert bare == said
        assert without.page.locator("h1").is_visible()


@every_kind
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(
    reader: Tab, pages: dict[str, list[str]], kind: str
) -> None:
    reader.open(pages[kind][0])
    wanted = dict(enumerate(reader.page.evaluate(CONTROLS)[:MOST_TABS]))
    for number in range(MOST_TABS * 2):  # a date has several stops
        reader.page.keyboard.press("Tab")
        at = reader.page.evaluate(FOCUSED)
        if at is None or not wanted:
            break
        assert number or at["text"].startswith("Skip to")
        if wanted.pop(at["number"], None) is not None:
            assert at["seen"], f"the focus cannot be seen on {at['html']}"
    assert wanted == {}


def test_the_skip_link_goes_to_the_page(reader: Tab) -> None:
    reader.open("/")
    reader.page.keyboard.press("Tab")
    reader.page.keyboard.press("Enter")
    assert reader.page.evaluate("document.activeElement.id") == "main"
