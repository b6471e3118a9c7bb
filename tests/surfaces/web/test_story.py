"""The story of the sample, followed by clicks; and the pictures of it in the readme."""

from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.web.browsing import Tab, tab
from tests.surfaces.web.pictures import written
from tests.surfaces.web.site import ROOT, Site

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 150_000
BAD_MACHINE = "ph-d11847"  # sample/truth says so


def follow(reader: Tab, words: str) -> None:
    """Click the first link of the page itself that says so."""
    reader.page.locator("main a", has_text=words).first.click()
    reader.page.wait_for_load_state("load")


def heading(reader: Tab) -> str:
    """What the page says first."""
    return str(reader.page.inner_text("h1"))


def path(reader: Tab) -> str:
    """Where the reader is."""
    return str(reader.page.url).removeprefix(reader.address)


def test_clicks_lead_from_the_overview_to_the_bad_machine(chrome: Any, site: Site) -> None:
    with tab(chrome, site.address) as reader:
        reader.open("/")
        assert "one machine" in heading(reader)
        follow(reader, "has a bad CPU")
        assert heading(reader) == f"Machine {BAD_MACHINE} in eu-west has a bad CPU"
        assert "Hardware, more than 99%" in reader.page.inner_text("main")
        follow(reader, f"Machine {BAD_MACHINE}")
        assert path(reader) == f"/machines/{BAD_MACHINE}"
        assert BAD_MACHINE in heading(reader)
        assert reader.done.errors == []


def test_clicks_lead_from_the_overview_to_the_frame_of_libunwind(chrome: Any, site: Site) -> None:
    with tab(chrome, site.address) as reader:
        reader.open("/")
        follow(reader, "Return-to-null crashes")
        assert "libunwind.so.8" in heading(reader)
        follow(reader, "Syndrome S-")
        assert path(reader).startswith("/syndromes/S-")
        reader.page.locator("main a[href^='/cases/']").first.click()
        reader.page.wait_for_load_state("load")
        assert path(reader).startswith("/cases/")
        assert "libunwind.so.8" in reader.page.inner_text(".frames >> nth=0")
        assert reader.done.errors == []


@pytest.mark.parametrize(
    ("name", "steps", "height"),
    [
        ("overview", (), 1180),
        ("map", ("Open the map",), 1100),
        ("verdict", ("has a bad CPU",), 1000),
        ("case", ("Return-to-null crashes", "Syndrome S-", "/cases/"), 1100),
    ],
)
def test_the_pictures_of_the_readme_are_of_these_pages(
    chrome: Any, site: Site, tmp_path: Path, name: str, steps: tuple[str, ...], height: int, request: Any
) -> None:
    """With --screenshots they are written anew."""
    folder = IMAGES if request.config.getoption("--screenshots", False) else tmp_path
    with tab(chrome, site.address, 1400, height, color_scheme="light", reduced_motion="reduce") as reader:
        reader.open("/")
        for step in steps:
            link = f"main a[href^='{step}']" if step.startswith("/") else f"main a:has-text('{step}')"
            reader.page.locator(link).first.click()
            reader.page.wait_for_load_state("load")
        reader.page.mouse.move(0, 0)
        written(reader.page.screenshot(), folder / f"{name}.png")
    assert (folder / f"{name}.png").stat().st_size < MOST_BYTES
    assert (IMAGES / f"{name}.png").exists(), "make screenshots"
