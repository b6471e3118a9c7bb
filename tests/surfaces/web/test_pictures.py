"""The pictures of the README. `make pictures` takes them again, from the sample, in a real browser."""

import os
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.surfaces.web.browsing import tab
from tests.surfaces.web.pictures import written
from tests.surfaces.web.site import ROOT, Site

FOLDER = ROOT / "docs" / "images"
README = (ROOT / "README.md").read_text("utf-8")
LARGEST = 150_000  # bytes of one
# What each shows: its address, the height that is enough, and words that are on it.
PICTURES: Mapping[str, tuple[str, int, str]] = {
    "overview": ("/", 1000, "It looked like one bug."),
    "map": ("/map", 1060, "one machine."),
    "verdict": ("/outbreaks/2", 1000, "has a bad CPU"),
    "syndrome": ("/syndromes/S-344255b0", 1000, "hides two causes"),
}


def test_the_readme_shows_every_picture_and_no_other() -> None:
    assert set(re.findall(r"docs/images/(\w+)\.png", README)) == set(PICTURES)
    assert {path.stem for path in FOLDER.glob("*.png")} == set(PICTURES)
    assert all(path.stat().st_size < LARGEST for path in FOLDER.glob("*.png"))


@pytest.mark.parametrize("name", PICTURES)
def test_what_a_picture_shows_is_there(chrome: Any, site: Site, name: str) -> None:
    address, height, words = PICTURES[name]
    with tab(chrome, site.address, height=height, color_scheme="light") as reader:
        reader.open(address)
        assert words in reader.page.inner_text("h1")
        assert reader.page.locator(".simulated").is_visible()
        if os.environ.get("PICTURES"):
            FOLDER.mkdir(exist_ok=True)
            written(reader.page.screenshot(), FOLDER / f"{name}.png")
