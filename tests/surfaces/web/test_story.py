"""The founding story, followed by clicks in a real browser: to the bad machine, and to the frame of libunwind."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.surfaces.web.browsing import Tab, tab
from tests.surfaces.web.site import Site

MACHINE = "ph-d11847"  # sample/truth: behind eight virtual hosts


@pytest.fixture
def reader(chrome: Any, site: Site) -> Iterator[Tab]:
    """A reader who begins at the overview."""
    with tab(chrome, site.address) as opened:
        opened.open("/")
        yield opened


def heading(reader: Tab) -> str:
    reader.page.wait_for_load_state("networkidle")
    return str(reader.page.inner_text("h1"))


def test_the_answer_comes_first_and_says_that_the_fleet_is_simulated(reader: Tab) -> None:
    assert heading(reader) == "It looked like one bug. It is one library and one machine."
    assert reader.page.locator(".simulated").is_visible()


def test_two_clicks_lead_to_the_bad_machine_and_to_what_to_do(reader: Tab) -> None:
    reader.page.locator(".outbreak a", has_text=MACHINE).first.click()
    assert MACHINE in heading(reader)
    assert "Hardware, more than 99%" in reader.page.inner_text(".dek")
    assert f"Take machine {MACHINE} out of placement" in reader.page.inner_text("main")
    reader.page.locator("main a[href^='/machines/']").first.click()
    assert heading(reader).startswith(f"Machine {MACHINE} has 61 crashes where 0.7 are expected")


def test_the_map_leads_there_too(reader: Tab) -> None:
    reader.page.locator("a.inset").click()
    assert heading(reader) == "61 crashes, 8 addresses, one machine."
    reader.page.locator("main table a", has_text=MACHINE).click()
    assert MACHINE in heading(reader)


def test_clicks_lead_to_the_frame_of_libunwind(reader: Tab) -> None:
    reader.page.locator(".outbreak a", has_text="libunwind.so.8").first.click()
    assert "while unwinding an exception" in heading(reader)
    reader.page.locator("main a[href^='/syndromes/']").first.click()
    assert heading(reader) == "One syndrome that hides two causes"
    reader.page.locator("main table a[href^='/cases/']").first.click()
    assert "while an exception was being unwound" in heading(reader)
    left = reader.page.locator("table.unwinder").inner_text()
    assert "_Ux86_64_setcontext" in left
    assert "libunwind.so.8" in left


def test_a_click_on_the_curve_shows_the_cases_of_that_day(reader: Tab) -> None:
    day = reader.page.locator("svg.chart.w [data-from^='2026-04-08']").first
    day.dispatch_event("click")
    reader.page.wait_for_url("**/cases?**")
    assert "from=2026-04-08" in reader.page.url
    assert heading(reader).startswith("14 of 391 crashes")
