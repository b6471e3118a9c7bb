"""The story of the sample, followed by clicks."""

from typing import Any

from tests.surfaces.web.browsing import Tab, tab
from tests.surfaces.web.site import Site

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


def test_clicks_lead_from_the_overview_to_a_crash_of_the_race(chrome: Any, site: Site) -> None:
    """A thread that returned to null has lost its stack: libunwind is what is mapped, and what the outbreak names."""
    with tab(chrome, site.address) as reader:
        reader.open("/")
        follow(reader, "Return-to-null crashes")
        assert "libunwind.so.8" in heading(reader)
        follow(reader, "Syndrome S-")
        assert path(reader).startswith("/syndromes/S-")
        reader.page.locator("main a[href^='/cases/']").first.click()
        reader.page.wait_for_load_state("load")
        assert path(reader).startswith("/cases/")
        assert heading(reader) == "A return instruction popped zero, while an exception was being unwound."
        modules = reader.page.locator("section", has=reader.page.get_by_role("heading", name="Modules"))
        assert "libunwind.so.8" in modules.first.text_content()
        assert reader.done.errors == []


def test_clicks_lead_from_the_overview_to_a_frame_of_libunwind(chrome: Any, site: Site) -> None:
    """What the bad CPU broke while it unwound still has its stack."""
    with tab(chrome, site.address) as reader:
        reader.open("/")
        follow(reader, "has a bad CPU")
        follow(reader, "Inside: 61 cases")
        reader.page.locator("tr", has_text="dl_iterate_phdr").locator("th a").first.click()
        reader.page.wait_for_load_state("load")
        assert "while an exception was being unwound" in heading(reader)
        frames = reader.page.locator("section", has=reader.page.get_by_role("heading", name="Frames"))
        assert "libunwind.so.8.0.1" in frames.first.inner_text()
        assert reader.done.errors == []
