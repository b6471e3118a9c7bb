"""Words and numbers for people."""

import pytest

from broadstreet.surfaces.text import encodable, in_ascii, plural, safe, shortened, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (9949, "9.9 KB"),
        (9950, "10 KB"),
        (41_000, "41 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (1_900_000_000, "1.9 GB"),
        (100 * 10**9, "100 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_a_number_of_bytes_has_two_or_three_digits(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("naïve – café", "naïve – café"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("tab\there\nnew", r"tab\there\nnew"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("\u2028\u2066\u200b", r"\u2028\u2066\u200b"),
        ("core.\udcff\udcfe", r"core.\xff\xfe"),
    ],
)
def test_text_from_outside_keeps_no_character_that_steers_a_terminal(value: str, shown: str) -> None:
    assert safe(value) == shown


def test_text_from_outside_is_cut_to_a_length() -> None:
    assert safe("x" * 300) == "x" * 199 + "…"
    assert safe("x" * 10, 10) == "x" * 10
    assert safe("\x1b" * 10, 6) == r"\x1b\…"


def test_a_path_is_cut_in_its_middle() -> None:
    assert shortened("/srv/walker/bin/walker", 22) == "/srv/walker/bin/walker"
    assert shortened("/srv/walker/bin/walker", 11) == "/srv/…alker"
    assert len(shortened("/srv/walker/bin/walker", 12)) == 12


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 core dumps"), (1, "1 core dump"), (2, "2 core dumps"), (1234, "1,234 core dumps")]
)
def test_a_count_agrees_with_its_noun(count: int, text: str) -> None:
    assert plural(count, "core dump") == text


def test_an_irregular_plural_is_given() -> None:
    assert plural(2, "crash", "crashes") == "2 crashes"


def test_shapes_have_counterparts_in_ascii_and_the_rest_codes() -> None:
    assert in_ascii("● ○ ◌ ┃ ║ ┊ │ ▶ ▏ █ × ← − …") == "o - ? | = : ' > | # x < - ..."
    assert in_ascii("■ ◇ ◦ ◀ ─ – ▁ ▂ ▃ ▄ ▅ ▆ ▇") == "# ? . < - - . : - = + * %"
    assert in_ascii("naïve") == r"na\xefve"


def test_a_name_that_is_no_utf_8_can_be_written_as_utf_8() -> None:
    assert encodable("core.\udcff") == r"core.\xff"
    assert encodable("core.é") == "core.é"
