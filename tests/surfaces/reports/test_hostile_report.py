"""A report on a casebook that means harm: every name is shown as text, in both forms."""

import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from broadstreet.store.atlas import Atlas
from broadstreet.store.casebook import open_tables
from broadstreet.surfaces.reports.html import html
from broadstreet.surfaces.reports.markdown import markdown
from broadstreet.surfaces.reports.record import Report
from broadstreet.surfaces.reports.telling import report_of
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.surfaces.web.conftest import hostile

__all__ = ["hostile"]
OURS = re.compile(r"<details><summary>[\w ,.:/&#;-]*</summary>\s*|</details>\s*")


@pytest.fixture(scope="module")
def told(hostile: str) -> Report:
    return report_of(Atlas(str(draw_into_cache(hostile, open_tables(hostile)[1].number))))


class Tags(HTMLParser):
    """The tags of a file and the names of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_it_is_about_what_was_planted(told: Report) -> None:
    assert len([one for one in told.sections if one.title.startswith("Outbreak ")]) >= 2
    assert any("onerror" in section.title for section in told.sections)


def test_nothing_of_it_is_markup_in_html(told: Report) -> None:
    found = Tags(html(told))
    assert found.tags.isdisjoint({"script", "img", "iframe", "object", "embed", "form", "input", "a", "link", "base"})
    assert not [name for name in found.attributes if name.startswith("on") or name in ("style", "src", "href")]


def test_nothing_of_it_is_markup_in_markdown(told: Report) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown(told))
    inline = [child for token in tokens for child in token.children or ()]
    ours = {"text", "text_special", "strong_open", "strong_close", "softbreak", "code_inline"}
    assert {one.type for one in inline} <= ours
    assert all(one.content.startswith("broadstreet ") for one in inline if one.type == "code_inline")
    blocks = [one.content for one in tokens if one.type == "html_block"]
    assert blocks
    assert [one for one in blocks if not OURS.fullmatch(one)] == []


@pytest.mark.parametrize("write", [html, markdown])
def test_no_control_character_and_no_mark_of_direction_is_left(told: Report, write: object) -> None:
    text = write(told)  # type: ignore[operator]
    assert {c for c in text if not c.isprintable()} <= {"\n", "\t"}
    assert len(text) < 3_000_000, "a megabyte of a name is cut"
