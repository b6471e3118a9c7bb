"""The pages of syndromes: what tells their halves apart, and what people say of them."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from broadstreet.store.atlas import Atlas
from broadstreet.store.casebook import open_tables
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.surfaces import investigations as made
from tests.surfaces.web.outbreaks_told import told
from tests.surfaces.web.stand_in import OnShelf, reader
from tests.surfaces.web.test_outbreak_pages import said, words


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return reader(OnShelf(told(tmp_path, made.FOUNDING)))


def test_a_syndrome_that_was_parted_hides_as_many_causes(client: TestClient) -> None:
    html = client.get("/syndromes/S-12a").text
    assert "<h1>One syndrome that hides two causes</h1>" in html
    assert "Machine ph-7c41e9 has a bad CPU" in html


def test_what_tells_its_halves_apart_is_tested_over_all_that_was_asked(client: TestClient) -> None:
    apart = client.get("/syndromes/S-12a.json").json()["apart"]
    holds = next(row for row in apart["rows"] if "Return to null holds" in (row["name"], *row["same"]))
    assert (holds["a"], holds["known_a"], holds["b"], holds["known_b"]) == (0, 64, 309, 309)
    assert holds["q"] < 1e-60
    assert "two_sided" in holds["python"]
    assert apart["asked"] >= apart["found"] >= len(apart["rows"])


def test_the_halves_have_one_scale_and_a_stack_each(client: TestClient) -> None:
    halves = client.get("/syndromes/S-12a.json").json()["halves"]
    assert [(half["id"], half["cases"], half["inside"]) for half in halves] == [("O-7c1", 64, 63), ("O-5d1", 309, 309)]
    assert [frame["name"] for frame in halves[0]["stack"]["frames"]] == ["add", "main"]


def test_a_sample_of_each_half_says_why_it_was_chosen(client: TestClient) -> None:
    samples = client.get("/syndromes/S-12a.json").json()["samples"]
    assert {one["role"] for one in samples} == {"a", "b"}
    assert made.ELSEWHERE[0] in {one["case_id"] for one in samples}


def test_a_name_that_it_had_leads_to_it(client: TestClient) -> None:
    for name in ("S-old", "S-12", "s-12A"):
        answer = client.get(f"/syndromes/{name}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, "/syndromes/S-12a"), name
    assert "also called S-old" in words(client.get("/syndromes/S-12a").text)


def test_a_syndrome_that_is_not_there_is_said_to_be_none(client: TestClient) -> None:
    assert client.get("/syndromes/S-nothing").status_code == 404


def test_one_outbreak_is_one_bug_as_far_as_can_be_told(tmp_path: Path) -> None:
    alone = replace(made.FOUNDING, verdicts=(replace(made.SOFTWARE, outbreak=replace(made.LIBRARY, splits=())),))
    page = reader(OnShelf(told(tmp_path, alone))).get("/syndromes/S-12a.json").json()
    assert page["answer"] == "One bug, as far as the statistics can part it"
    assert page["apart"] is None


def test_syndromes_are_searched_and_the_search_is_text(client: TestClient) -> None:
    assert [one["id"] for one in client.get("/syndromes.json?q=add").json()["syndromes"]] == ["S-12a"]
    empty = client.get("/syndromes?q=<script>alert(1)</script>%25")
    assert "No syndrome has" in empty.text
    assert "<script>alert" not in empty.text


@pytest.fixture
def own(casebook: str, cache: Path, tmp_path: Path) -> TestClient:
    """A reader who may change the eight crashes."""
    copy = str(shutil.copytree(casebook, tmp_path / "casebook"))
    return reader(OnShelf(Atlas(str(draw_into_cache(copy, open_tables(copy)[1].number)))))


def test_a_note_and_a_name_are_shown_before_there_is_a_newer_atlas(own: TestClient) -> None:
    syndrome = own.get("/syndromes.json").json()["syndromes"][0]["id"]
    address = said(own, f"/syndromes/{syndrome}/say", kind="note", text="As last autumn?\r\n<b>", by="mira")
    html = own.get(address).text
    assert "As last autumn?\n&lt;b&gt;" in html
    assert "by mira" in html
    address = said(own, f"/syndromes/{syndrome}/say", kind="name", text="the ingest one")
    assert own.get(address.replace("?", ".json?")).json()["name"] == "the ingest one"
    assert re.fullmatch(rf"/syndromes/{syndrome}\?said=\d+#history", address)


def test_a_word_that_cannot_be_is_refused_with_its_reason(own: TestClient) -> None:
    syndrome = own.get("/syndromes.json").json()["syndromes"][0]["id"]
    token = re.search(r'name="token" value="([^"]+)"', own.get(f"/syndromes/{syndrome}").text)
    assert token is not None
    headers = {"Sec-Fetch-Site": "same-origin"}
    for fields, why in (
        ({"kind": "merge", "text": "S-nothing"}, "o syndrome S-nothing in this casebook"),
        ({"kind": "note", "text": "  "}, "no text to note"),
        ({"kind": "name", "text": "a\nb"}, "cannot be shown"),
        ({"kind": "praise", "text": "x"}, "says nothing"),
    ):
        answer = own.post(f"/syndromes/{syndrome}/say", data={"token": token[1], **fields}, headers=headers)
        assert (answer.status_code, why in answer.text) == (400, True), answer.text
