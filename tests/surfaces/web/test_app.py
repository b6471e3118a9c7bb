"""Pages are HTML and JSON at one address, described by OpenAPI, and every value on them is text."""

import json
import re
from dataclasses import replace

import msgspec
import pytest
from starlette.testclient import TestClient

from broadstreet.errors import NotInCasebook
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.pages import about
from tests.surfaces.web.stand_in import ABOUT, OnShelf, StandIn
from tests.surfaces.web.stand_in import reader as to_read

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202egnp.exe\x00" + "x" * 1_000_000


class Said(msgspec.Struct, frozen=True):
    case: str
    conditions: int


def tell(asked: Asked) -> Said:
    if asked.path["case_id"] == "none":
        raise NotInCasebook("there is no case none", "look among the cases")
    return Said(asked.path["case_id"], len(asked.selection.conditions))


CASE = Page("/case/{case_id}", "Case", "Cases", Said, tell, "about.html", "One case.", selects=("",))


@pytest.fixture
def reader() -> TestClient:
    return to_read(None, CASE)


def test_a_page_is_json_at_its_address_with_json(reader: TestClient) -> None:
    answer = reader.get("/about.json")
    assert answer.headers["content-type"] == "application/json"
    assert msgspec.json.decode(answer.content, type=about.About).casebook_version == 7


def test_a_page_is_json_for_who_accepts_json(reader: TestClient) -> None:
    assert reader.get("/about", headers={"Accept": "application/json"}).json() == reader.get("/about.json").json()


def test_a_browser_gets_html_though_it_takes_anything(reader: TestClient) -> None:
    answer = reader.get("/about", headers={"Accept": "text/html,application/json;q=0.9,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")


def test_every_page_is_described_with_its_schema(reader: TestClient) -> None:
    document = reader.get("/openapi.json").json()
    of_about = document["paths"]["/about.json"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert of_about == {"$ref": "#/components/schemas/About"}
    assert set(document["components"]["schemas"]["About"]["required"]) == set(reader.get("/about.json").json())
    names = {one["name"] for one in document["paths"]["/case/{case_id}.json"]["get"]["parameters"]}
    assert {"case_id", "from", "is.COLUMN"} <= names


def test_what_is_in_the_path_and_the_selection_reach_the_page(reader: TestClient) -> None:
    answer = reader.get("/case/a%2Eb.json?is.host=x&is.host=y&not.region=")
    assert answer.json() == {"case": "a.b", "conditions": 2}


def test_a_simulated_fleet_is_marked_and_another_is_not() -> None:
    band = "real crashes made in the lab; where and when is made up"
    assert band in to_read().get("/about").text
    assert band not in to_read(OnShelf(StandIn(replace(ABOUT, simulated=False)))).get("/about").text


def test_a_hostile_name_is_text() -> None:
    page = to_read(OnShelf(StandIn(replace(ABOUT, casebook=HOSTILE)))).get("/about").text
    assert "<script>alert" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)
    assert len(page) < 20_000


def test_no_page_has_script_or_style_in_it(reader: TestClient) -> None:
    page = reader.get("/about").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", page)


def test_a_page_that_is_not_there_says_so_for_a_human_and_for_a_program(reader: TestClient) -> None:
    page = reader.get("/nowhere")
    assert page.status_code == 404
    assert "There is no page /nowhere" in page.text
    assert reader.get("/case/none.json").json() == {"what": "There is no case none.", "hint": "Look among the cases."}
    assert reader.get("/case/none").status_code == 404


def test_a_page_that_selects_nothing_ignores_limits_and_another_refuses_bad_ones(reader: TestClient) -> None:
    assert reader.get("/about?from=yesterdayish").status_code == 200
    answer = reader.get("/case/a?from=yesterdayish")
    assert answer.status_code == 400
    assert "yesterdayish" in answer.text


def test_static_files_are_kept_by_what_they_hold(reader: TestClient) -> None:
    address = re.search(r'href="(/static/page.css[^"]*)"', reader.get("/about").text)
    assert address is not None
    answer = reader.get(address[1])
    assert "immutable" in answer.headers["cache-control"]
    again = reader.get(address[1], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert reader.get("/static/../app.py").status_code == 404
    assert json.loads(reader.get("/nowhere.json").content)["what"]
