"""What others wrote is text on every page, in every form of it: nothing runs, nothing hides, nothing turns around."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from broadstreet.surfaces.web.pages import PAGES
from broadstreet.surfaces.web.safety import LONGEST_ADDRESS
from tests.surfaces.web.browsing import Tab, tab
from tests.surfaces.web.hostile import BAD_MACHINE, SCRIPT
from tests.surfaces.web.site import Site, every_page

KINDS = [page.path for page in PAGES]
every_kind = pytest.mark.parametrize("kind", KINDS)
MOST_BYTES = 400_000  # of a page, though a name has a megabyte
csv.field_size_limit(1 << 24)
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]")
FOREIGN = {"img", "style", "base", "iframe", "object", "embed", "foreignobject"}  # elements that no page of ours has


class Elements(HTMLParser):
    """Every element of a page, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text.append(data)


@pytest.fixture(scope="module")
def pages(hostile_site: Site) -> dict[str, list[str]]:
    """Addresses of every kind of page of the hostile casebook: several, since each shows other values."""
    return every_page(hostile_site, 6)


@pytest.fixture
def reader(chrome: Any, hostile_site: Site) -> Iterator[Tab]:
    """A reader who looks at it."""
    with tab(chrome, hostile_site.address) as opened:
        yield opened


def test_every_page_of_a_hostile_casebook_is_there(pages: dict[str, list[str]]) -> None:
    assert [kind for kind, found in pages.items() if not found] == []


@every_kind
def test_no_element_and_no_attribute_is_made_of_a_value(
    hostile_site: Site, pages: dict[str, list[str]], kind: str
) -> None:
    for address in pages[kind]:
        html = hostile_site.get(address).text
        found = Elements(html)
        assert [
            tag for tag, _ in found.elements if tag in ("img", "b onclick", "style", "base", "iframe", "object")
        ] == []
        for tag, attributes in found.elements:
            assert not [name for name in attributes if name.startswith("on") or name == "style"], (
                address,
                tag,
                attributes,
            )
            for name in ("href", "src", "action", "xlink:href", "formaction"):
                assert attributes.get(name, "/").startswith(("/", "#", "?")), (address, tag, attributes)
                assert not attributes.get(name, "/").startswith("//"), (address, tag, attributes)
                assert attributes.get(name, "/").isascii(), f"{address}: an address that was cut leads elsewhere"
            if tag == "script":
                assert attributes["src"].startswith("/static/")


@every_kind
def test_nothing_unseen_reaches_a_page(hostile_site: Site, pages: dict[str, list[str]], kind: str) -> None:
    for address in pages[kind]:
        html = hostile_site.get(address).text
        found = UNSEEN.search(html)
        assert found is None, (address, html[found.start() - 100 : found.end() + 100])


@every_kind
def test_a_page_stays_small_whatever_a_name_weighs(hostile_site: Site, pages: dict[str, list[str]], kind: str) -> None:
    for address in pages[kind]:
        assert len(hostile_site.get(address).text.encode()) < MOST_BYTES, address
        assert len(address) < LONGEST_ADDRESS


@every_kind
def test_nothing_runs(reader: Tab, pages: dict[str, list[str]], kind: str) -> None:
    for address in pages[kind]:
        reader.open(address)
        reader.page.wait_for_load_state("load")
        assert reader.page.evaluate("document.scripts.length") == 2
        assert reader.page.evaluate(OVERFLOWS) <= 0, address
    assert reader.done.dialogs == []
    assert reader.done.errors == []
    assert reader.elsewhere() == []


OVERFLOWS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@every_kind
def test_the_json_of_a_page_is_json(hostile_site: Site, pages: dict[str, list[str]], kind: str) -> None:
    for address in pages[kind]:
        answer = hostile_site.get(address, accept="application/json")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        json.loads(answer.text)


def test_each_of_several_machines_has_its_page_whatever_its_name(
    hostile_site: Site, pages: dict[str, list[str]]
) -> None:
    text = "".join(Elements(hostile_site.get("/").text).text)
    assert BAD_MACHINE in text
    assert SCRIPT in text


def test_a_spreadsheet_takes_no_cell_of_a_download_for_a_formula(hostile_site: Site) -> None:
    answer = hostile_site.get("/cases.csv?column=host&column=abort_message&column=instruction")
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert {len(row) for row in rows} == {3}
    assert "'=cmd|' /C calc'!A0" in {row[0] for row in rows}
    assert [cell for row in rows for cell in row if cell.startswith(("=", "@", "+", "-", "\t", "\r"))] == []


def test_the_report_of_an_outbreak_runs_nothing_and_asks_nobody(
    hostile_site: Site, pages: dict[str, list[str]]
) -> None:
    for address in pages["/outbreaks/{outbreak}"]:
        html = hostile_site.get(f"{address}.html").text
        assert len(html.encode()) < 2 * MOST_BYTES
        assert UNSEEN.search(html) is None
        for tag, attributes in Elements(html).elements:
            assert tag not in {"script", "img", "iframe", "object", "embed", "base", "link"}
            assert not [name for name in attributes if name.startswith("on")], (address, tag)
            assert attributes.get("href", "#").startswith("#"), (address, attributes["href"])
            assert "src" not in attributes
