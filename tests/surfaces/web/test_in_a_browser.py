"""What only a browser can show: the choice of paper, local time, the brush, what goes on, and that nothing leaves."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from markupsafe import Markup

from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.app import app
from broadstreet.surfaces.web.live import News
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.pages import PAGES
from tests.surfaces.web.answering import serving
from tests.surfaces.web.stand_in import OnShelf

COLUMNS = [("2026-03-10", "2026-03-11"), ("2026-03-11", "2026-03-12"), ("2026-03-12", "2026-03-13")]


class Nothing(msgspec.Struct):
    pass


class Telling(OnShelf):
    """A shelf whose news can be changed."""

    told: list[News] = []  # noqa: RUF012  # shared with the server's thread on purpose

    def news(self) -> News:
        return self.told[-1] if self.told else News(self.one.about.version, "")


def chart(told: Nothing, asked: Asked) -> dict[str, object]:
    bars = "".join(
        f'<a href="/about" data-from="{first}" data-to="{last}">'
        f'<rect x="{at * 100}" y="20" width="90" height="80"/></a>'
        for at, (first, last) in enumerate(COLUMNS)
    )
    return {"curve": Markup(f'<svg id="curve" viewBox="0 0 300 100" width="600" height="200">{bars}</svg>')}


CURVE = Page("/curve", "Curve", "", Nothing, lambda asked: Nothing(), "curve.html", "A curve.", ("",), draw=chart)


@pytest.fixture(scope="module")
def address(atlas: Atlas, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import jinja2

    from broadstreet.surfaces.web import app as application

    before = application.environment

    def environment() -> jinja2.Environment:
        made = before()
        own = jinja2.DictLoader(
            {
                "curve.html": '{% extends "layout.html" %}{% block main %}<h1>Curve</h1>{{ drawn.curve }}'
                '<time datetime="2026-03-12T14:02:00Z" data-local>14:02 UTC</time>'
                '<pre id="text">broadstreet scan</pre>'
                '<button type="button" class="copy" data-copy="text">Copy</button>{% endblock %}'
            }
        )
        made.loader = jinja2.ChoiceLoader([made.loader, own]) if made.loader else own
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "environment", environment)
        with serving(app(Telling(atlas), (*PAGES, CURVE))) as found:
            yield found


@pytest.fixture
def page(chrome: Any, address: str) -> Iterator[Any]:
    context = chrome.new_context(timezone_id="Asia/Tokyo", locale="en-GB", viewport={"width": 1400, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
    shown = context.new_page()
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    shown.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url))
    yield shown
    context.close()
    assert wrong == []


def test_the_brush_chooses_the_time_between_and_a_chip_takes_it_away(page: Any, address: str) -> None:
    page.goto(f"{address}/curve?is.host=x")
    box = page.locator("#curve").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60, steps=4)
    assert page.locator("#curve .brushed").count() == 1
    page.mouse.up()
    page.wait_for_url("**/curve?*from=*")
    asked = parse_qs(urlsplit(page.url).query)
    assert asked == {"is.host": ["x"], "from": ["2026-03-11"], "to": ["2026-03-13"]}
    assert page.locator(".chips li").count() == 4
    page.get_by_role("link", name="host is x").click()
    page.wait_for_url(lambda url: "is.host" not in url)
    assert page.title() == "Curve · Broad Street"
    page.go_back()
    page.locator(".chips li").nth(3).wait_for()
    assert parse_qs(urlsplit(page.url).query)["is.host"] == ["x"]


def test_a_click_on_a_column_is_no_brush_but_follows_its_link(page: Any, address: str) -> None:
    page.goto(f"{address}/curve")
    page.locator("#curve rect").nth(1).click()
    page.wait_for_url("**/about")


def test_a_brush_within_one_column_chooses_it_and_follows_no_link(page: Any, address: str) -> None:
    page.goto(f"{address}/curve")
    box = page.locator("#curve rect").nth(1).bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url("**/curve?from=2026-03-11&to=2026-03-12")


def test_escape_ends_a_brush(page: Any, address: str) -> None:
    """By events: a mouse that is held by Playwright while a drag ends keeps the browser from closing the page."""
    page.goto(f"{address}/curve")
    bar = page.locator("#curve rect").nth(1)
    box = bar.bounding_box()
    bar.dispatch_event("pointerdown", {"button": 0, "clientX": box["x"] + 20, "clientY": box["y"] + 20})
    bar.dispatch_event("pointermove", {"clientX": box["x"] + 150, "clientY": box["y"] + 20})
    assert page.locator("#curve .brushed").count() == 1
    page.dispatch_event("body", "keydown", {"key": "Escape"})
    assert page.locator("#curve .brushed").count() == 0
    bar.dispatch_event("pointerup", {"clientX": box["x"] + 150, "clientY": box["y"] + 20})
    assert urlsplit(page.url).query == ""


def test_paper_is_light_or_dark_as_was_chosen_also_on_the_next_page(page: Any, address: str) -> None:
    page.goto(f"{address}/about")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(253, 253, 251)"
    page.get_by_role("button", name="dark").click()
    assert page.evaluate(ground) == "rgb(20, 22, 26)"
    page.goto(f"{address}/sql")
    assert page.evaluate(ground) == "rgb(20, 22, 26)"
    assert page.get_by_role("button", name="dark").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="as the system").click()
    assert page.evaluate(ground) == "rgb(253, 253, 251)"


def test_local_time_stands_in_brackets(page: Any, address: str) -> None:
    page.goto(f"{address}/curve")
    assert page.locator("time").inner_text() == "14:02 UTC (12 Mar 2026, 23:02 Asia/Tokyo)"


def test_a_text_is_copied(page: Any, address: str) -> None:
    page.goto(f"{address}/curve")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    page.goto(f"{address}/sql")
    question = page.get_by_label("One SELECT")
    question.fill("")
    question.press("Control+V")  # to ask the clipboard by script may wait for ever
    question.press("End")
    assert question.input_value() == "broadstreet scan"


def test_what_goes_on_is_told_and_a_newer_version_is_offered(page: Any, address: str, atlas: Atlas) -> None:
    version = atlas.about.version
    Telling.told.append(News(version, "A scan of <b>/cores</b> runs.", 0.5))
    page.goto(f"{address}/about")
    live = page.locator("[data-live]")
    live.get_by_text("A scan of <b>/cores</b> runs.").wait_for()
    assert page.locator("[data-live] progress").get_attribute("value") == "0.5"
    Telling.told.append(News(version + 1, ""))
    live.get_by_role("link", name=f"Version {version + 1}").wait_for()
    Telling.told.append(News(version, ""))
    live.wait_for(state="hidden")


def test_a_question_is_asked_and_answered(page: Any, address: str) -> None:
    page.goto(f"{address}/sql")
    page.get_by_label("One SELECT").fill("SELECT '<script>alert(1)</script>' AS a,\n  count(*) FROM crashes")
    page.get_by_role("button", name="Ask").click()
    assert page.locator("h1").inner_text() == "1 row."
    assert page.locator("td").first.inner_text() == "<script>alert(1)</script>"
    assert page.get_by_label("One SELECT").input_value().count("\n") == 1


@pytest.mark.parametrize("path", ["/about", "/sql", "/sql?select=select * from crashes", "/nowhere", "/curve?from=x"])
def test_no_page_scrolls_sideways_and_axe_finds_nothing(chrome: Any, address: str, path: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for width, scheme in ((400, "light"), (2000, "dark")):
        context = chrome.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
        shown = context.new_page()
        shown.goto(address + path)
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.run(shown)
        assert found.violations_count == 0, found.generate_report()
        context.close()


def test_every_page_works_without_script(chrome: Any, address: str) -> None:
    context = chrome.new_context(java_script_enabled=False)
    shown = context.new_page()
    shown.goto(f"{address}/curve?is.host=x")
    shown.get_by_role("link", name="host is x").click()
    assert shown.url == f"{address}/curve"
    shown.goto(f"{address}/sql")
    shown.get_by_role("link", name="Crashes by mechanism").click()
    assert "row" in shown.locator("h1").inner_text()
    context.close()
