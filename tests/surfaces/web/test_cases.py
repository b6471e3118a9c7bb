"""The page of cases: what is selected, in words; facets that narrow and widen; pages; and files."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pytest
from pyarrow import parquet
from starlette.testclient import TestClient

from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.surfaces.web.facets import toggled
from broadstreet.surfaces.web.pages.cases import ROWS as ROWS_OF_A_PAGE
from tests.store.small_atlas import atlas_of
from tests.surfaces.web.few_cases import BACKWARDS, LONG, QUOTES, ROWS, SCRIPT, few_cases, reader_of


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return reader_of(few_cases(tmp_path_factory.mktemp("atlas")))


def _told(reader: TestClient, *pairs: tuple[str, str]) -> dict[str, Any]:
    answer = reader.get("/cases.json?" + urlencode(pairs))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _facet(told: dict[str, Any], column: str) -> dict[str, Any]:
    (one,) = (facet for facet in told["facets"] if facet["column"] == column)
    return dict(one)


def _counts(told: dict[str, Any], column: str) -> dict[str | None, int]:
    return {value["value"]: value["cases"] for value in _facet(told, column)["values"]}


def test_the_first_sentence_says_how_many_crashes_on_how_many_hosts_and_when(reader: TestClient) -> None:
    assert _told(reader)["answer"] == "5 crashes on 3 hosts, 1 Mar 2026."


def test_a_selection_is_said_in_words_and_of_how_many(reader: TestClient) -> None:
    told = _told(reader, ("is.mechanism", "torn"), ("is.mechanism", "bent"), ("not.region", ""))
    assert told["answer"].startswith("3 of 5 crashes")
    assert told["selected_in_words"] == "whose mechanism is torn or bent; whose region is not not known"


def test_a_facet_ignores_its_own_condition_and_no_other(reader: TestClient) -> None:
    told = _told(reader, ("is.mechanism", "torn"), ("is.region", "us"))
    assert _counts(told, "mechanism") == {"bent": 1, "lost": 1, "torn": 0}
    assert _counts(told, "region") == {"eu": 2, "us": 0}


def test_not_known_is_a_value_that_can_be_chosen(reader: TestClient) -> None:
    assert _counts(_told(reader), "region") == {"eu": 2, "us": 2, None: 1}
    (row,) = _told(reader, ("is.region", ""))["rows"]
    assert row["number"] == 3


def test_a_second_value_widens_and_another_click_takes_it_away() -> None:
    one = toggled(EVERYTHING, "region", "eu", "is")
    two = toggled(one, "region", None, "is")
    assert two == Selection(conditions=(Condition("region", "is", ("eu", None)),))
    assert toggled(toggled(two, "region", None, "is"), "region", "eu", "is") == EVERYTHING
    assert toggled(one, "region", "eu", "not") == Selection(conditions=(Condition("region", "not", ("eu",)),))


def test_numbers_are_narrowed_by_least_and_most_in_hex_too(reader: TestClient) -> None:
    assert _told(reader, ("min.size", "3"), ("max.size", "7"))["cases"] == 2
    assert _told(reader, ("min.pc", "0x20"))["cases"] == 3


def test_any_column_can_be_a_facet_and_be_taken_away_again(reader: TestClient) -> None:
    facet = _facet(_told(reader, ("facet", "size"), ("is.mechanism", "torn")), "size")
    assert facet["away"] == "/cases?is.mechanism=torn"


@pytest.mark.parametrize("query", ["is.nothing=1", "facet=nothing", "column=nothing", "min.mechanism=1", "after=x"])
def test_what_there_is_not_is_refused_with_a_sentence(reader: TestClient, query: str) -> None:
    for form in ("", ".json"):
        answer = reader.get(f"/cases{form}?{query}")
        assert answer.status_code == 400
        assert "nothing" in answer.text or "number" in answer.text


def test_a_bad_download_is_refused_before_its_first_byte(reader: TestClient) -> None:
    assert reader.get("/cases.csv?is.nothing=1").status_code == 400
    assert reader.get("/cases.parquet?column=nothing").status_code == 400


def test_nothing_selected_says_what_to_take_away(reader: TestClient) -> None:
    told = _told(reader, ("is.mechanism", "lost"), ("is.region", "eu"))
    assert told["answer"] == "No crash of 5 is all of this."
    assert [(way["text"], way["cases"]) for way in told["ways_out"]] == [
        ("whose mechanism is lost", 2),
        ("whose region is eu", 1),
    ]
    assert (
        "then 2 crashes"
        in reader.get(told["ways_out"][0]["address"].replace("is.region", "is.mechanism=lost&is.region")).text
    )


def test_the_rest_is_what_they_are_compared_with(reader: TestClient) -> None:
    assert _told(reader)["compare"] is None
    assert _told(reader, ("is.mechanism", "torn"))["compare"] == "/compare?a.is.mechanism=torn"


class _Page(HTMLParser):
    """The tags of a page, and the attributes that could do something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "action")]


def test_hostile_names_and_values_are_text_wherever_they_stand(reader: TestClient) -> None:
    pairs = [
        ("facet", SCRIPT),
        ("column", SCRIPT),
        ("column", "host"),
        (f"not.{SCRIPT}", QUOTES),
        (f"not.{SCRIPT}", "="),
    ]
    text = reader.get("/cases?" + urlencode(pairs)).text
    page = _Page(text)
    assert page.tags.count("script") == 2  # those of every page
    assert "onload" not in page.names
    assert "style" not in page.names
    assert all(link.startswith(("/", "#", "?")) for link in page.links)
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "\\u202e" in text
    assert len(text) < 200_000


def test_a_value_too_long_for_an_address_is_shown_cut_and_is_no_link(reader: TestClient) -> None:
    values = _facet(_told(reader, ("facet", SCRIPT)), SCRIPT)["values"]
    (long,) = [value for value in values if (value["value"] or "").startswith("xxx")]
    assert (long["narrow"], long["but"]) == (None, None)
    assert len(long["value"]) == 1_001


@pytest.mark.parametrize("value", [SCRIPT, QUOTES, BACKWARDS, "=1+1"])
def test_the_link_of_a_hostile_value_selects_exactly_it(reader: TestClient, value: str) -> None:
    values = _facet(_told(reader, ("facet", SCRIPT)), SCRIPT)["values"]
    (narrow,) = [one["narrow"] for one in values if one["value"] == value]
    assert reader.get(narrow.replace("/cases?", "/cases.json?")).json()["cases"] == 1


@pytest.mark.parametrize("value", ["x" * 1_001, "'" * 5_000])
def test_a_value_no_link_carries_is_refused(reader: TestClient, value: str) -> None:
    assert reader.get("/cases?" + urlencode([("is.mechanism", value)])).status_code == 400


def test_forms_carry_the_whole_state_with_them(reader: TestClient) -> None:
    text = reader.get("/cases?" + urlencode([("is.mechanism", "torn"), ("facet", "size"), ("column", "host")])).text
    for form in re.findall(r"<form.*?</form>", text, re.S):
        assert 'name="is.mechanism" value="torn"' in form
        assert 'name="facet" value="size"' in form
        assert 'name="column" value="host"' in form


def test_an_address_by_hand_and_by_link_is_one_state(reader: TestClient) -> None:
    by_hand = _told(reader, ("is.region", "us"), ("is.mechanism", "lost"), ("is.mechanism", "bent"))
    assert by_hand["downloads"]["csv"][1] == "/cases.csv?is.mechanism=bent&is.mechanism=lost&is.region=us"


def test_pages_of_a_selection_lead_on_and_back(tmp_path: Path) -> None:
    rows = [{"mechanism": "odd" if n % 2 else "even", "host": f"h{n}"} for n in range(5 * ROWS_OF_A_PAGE)]
    reader = reader_of(few_cases(tmp_path, rows))
    first = _told(reader, ("is.mechanism", "odd"))
    assert first["turn"] | {"older": "", "oldest": ""} == {
        **{"first": 1, "last": ROWS_OF_A_PAGE, "newest": None, "newer": None, "older": "", "oldest": ""},
    }
    second = reader.get(first["turn"]["older"].replace("/cases", "/cases.json")).json()
    assert second["turn"]["first"] == ROWS_OF_A_PAGE + 1
    assert second["turn"]["newer"] == "/cases?is.mechanism=odd"
    last = reader.get(first["turn"]["oldest"].replace("/cases", "/cases.json")).json()
    assert (last["turn"]["last"], last["turn"]["older"]) == (5 * ROWS_OF_A_PAGE // 2, None)
    assert last["rows"][-1]["number"] == 5 * ROWS_OF_A_PAGE - 1


def test_csv_has_the_selection_and_no_cell_that_a_spreadsheet_runs(reader: TestClient) -> None:
    answer = reader.get(
        "/cases.csv?" + urlencode([("column", "size"), ("column", "pc"), ("column", SCRIPT), ("column", "holds")])
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="cases-1.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    csv.field_size_limit(2 * len(LONG))
    rows = list(csv.reader(io.StringIO(answer.text.replace("\0", "\\0"), newline="")))
    assert rows[0] == ["size", "pc", SCRIPT, "holds"]
    assert rows[1] == ["3", "0x10", "'=1+1", "torn,odd"]
    assert rows[2] == ["-5", "0x20", SCRIPT, "torn"]
    assert rows[3] == ["40", "", QUOTES, ""]
    assert rows[5][2] == LONG
    assert len(rows) == 1 + len(ROWS)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_each_begin_of_a_formula_is_quoted(tmp_path: Path, start: str) -> None:
    reader = reader_of(few_cases(tmp_path, [{"host": f"{start}cmd|' /C calc'!A0"}]))
    (_, row) = csv.reader(io.StringIO(reader.get("/cases.csv?column=host").text, newline=""))
    assert row == [f"'{start}cmd|' /C calc'!A0"]


def test_a_column_is_named_in_csv_such_that_no_spreadsheet_runs_its_name(tmp_path: Path) -> None:
    reader = reader_of(atlas_of(tmp_path, {"=1+1": "text"}, [{"=1+1": "a"}]))
    assert next(csv.reader(io.StringIO(reader.get("/cases.csv?column==1%2B1").text))) == ["'=1+1"]


def test_ndjson_and_parquet_have_the_same_rows(reader: TestClient) -> None:
    query = "is.mechanism=torn&column=host&column=holds&column=time"
    lines = [json.loads(line) for line in reader.get(f"/cases.ndjson?{query}").text.splitlines()]
    assert lines == [
        {"host": "h1", "holds": ["torn", "odd"], "time": "2026-03-01T05:00:00.000000Z"},
        {"host": "h2", "holds": ["torn"], "time": "2026-03-01T04:00:00.000000Z"},
    ]
    table = parquet.read_table(io.BytesIO(reader.get(f"/cases.parquet?{query}").content))
    assert table.column("host").to_pylist() == ["h1", "h2"]
    assert table.schema.field("time").type == pa.timestamp("us", "UTC")


def test_a_download_without_columns_has_all_of_them(reader: TestClient) -> None:
    table = parquet.read_table(io.BytesIO(reader.get("/cases.parquet").content))
    assert table.num_rows == len(ROWS)
    assert {"case_id", "time", "mechanism", "pc", SCRIPT} <= set(table.column_names)


def test_an_empty_selection_is_a_file_with_its_columns(reader: TestClient) -> None:
    query = "is.mechanism=none&column=host"
    assert reader.get(f"/cases.csv?{query}").text.strip().strip('"') == "host"
    assert reader.get(f"/cases.ndjson?{query}").text == ""
    assert parquet.read_table(io.BytesIO(reader.get(f"/cases.parquet?{query}").content)).column_names == ["host"]
