"""Text that Markdown shows as it is, whoever wrote it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from broadstreet.surfaces.reports.markdown import coded, escaped, fenced
from broadstreet.surfaces.text import safe

PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
NASTY = (
    "# no heading", "- no list", "+ none", "1. none", "2) none", "> no quote", "=== ", "---", "***", "    no code",
    "[no](http://link)", "![no](image)", "<script>alert(1)</script>", "<!-- no comment -->", "&lt;b&gt;", "a*b*c",
    "_no_", "`no`", "~~no~~", "\\", "\\*", "ends in \\", "https://example.org/", "www.example.org", "a@example.org",
    "|a|b|", "\u202eright", "two\nlines", "tab\there", "\x00", "[^1]", "[x]: y", "$x$", "@somebody #12",
)  # fmt: skip


def text_of(markdown: str) -> str | None:
    """What a reader of this paragraph sees; null where it is anything but one paragraph of plain text."""
    tokens = PARSER.parse(markdown)
    if [one.type for one in tokens] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    children = tokens[1].children or []
    plain = {one.type for one in children} <= {"text", "text_special"}
    return "".join(one.content for one in children) if plain else None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example("|")
@example("1.")
def test_any_text_is_a_paragraph_of_itself(text: str) -> None:
    shown = safe(text, 2_000).strip()
    if shown:
        assert text_of(escaped(text)) == shown


@pytest.mark.parametrize("text", NASTY)
def test_markup_of_others_is_text(text: str) -> None:
    assert text_of(escaped(text)) == safe(text).strip()


@pytest.mark.parametrize("text", NASTY)
def test_markup_of_others_is_text_in_a_cell(text: str) -> None:
    rendered = PARSER.render(f"| a | b |\n| --- | --- |\n| {escaped(text)} | 1 |\n")
    assert rendered.count("<td>") == 2
    inside = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)[0]
    assert "<" not in inside


@pytest.mark.parametrize("address", ["https://example.org/", "WWW.example.org", "a@example.org"])
def test_an_address_is_no_link_where_addresses_are(address: str) -> None:
    # What github.com links by itself: "://" after a scheme, "www." and "@" between words.
    assert not re.search(r"(?i)[a-z]://|www\.|\w@", escaped(address))


@pytest.mark.parametrize("lines", [["```"], ["````", "a"], ["~~~"], ["</details>", "\x1b[1m"], ["a ``` b"]])
def test_no_line_ends_its_fence(lines: list[str]) -> None:
    tokens = PARSER.parse("\n".join(fenced(lines)))
    assert [one.type for one in tokens] == ["fence"]
    assert tokens[0].content.splitlines() == [safe(line) for line in lines]


@pytest.mark.parametrize("text", ["broadstreet read 1", "a`b", "``", "`", "<b>", "a | b", "*x*", "\x1b[1m"])
def test_a_command_is_code_and_nothing_else(text: str) -> None:
    tokens = PARSER.parse(coded(text))
    children = tokens[1].children or []
    assert [one.type for one in children] == ["code_inline"]
    assert children[0].content == safe(text)
