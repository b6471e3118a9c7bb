"""Two populations side by side: what differs, corrected; what cannot be asked; rates where time at risk is told."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from tests.surfaces.web.few_cases import QUOTES, ROWS, SCRIPT, few_cases, reader_of

PIECES = [{"region": "eu", "host_hours": 1_000.0}, {"region": "us", "host_hours": 3_000.0}]


def _many() -> list[dict[str, Any]]:
    """Forty torn crashes in eu, forty bent ones in us, equal in size; of ten torn ones it is not known what holds."""
    torn = [{"mechanism": "torn", "region": "eu", "host": f"h{n}", "holds": ["odd"], "size": n % 2} for n in range(40)]
    bent = [{"mechanism": "bent", "region": "us", "host": f"h{n}", "holds": [], "size": n % 2} for n in range(40)]
    return [*torn, *bent]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    return reader_of(few_cases(tmp_path_factory.mktemp("atlas"), _many(), PIECES))


def _told(reader: TestClient, *pairs: tuple[str, str]) -> dict[str, Any]:
    answer = reader.get("/compare.json?" + urlencode(pairs))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_what_differs_is_told_with_its_counts_and_corrected_for_all_that_was_asked(reader: TestClient) -> None:
    told = _told(reader, ("a.is.region", "eu"))
    first = told["differences"][0]
    assert (first["column"], first["value"]) in {("mechanism", "torn"), ("mechanism", "bent"), ("holds", "odd")}
    assert {first["a"], first["b"]} == {0, 40}
    assert first["q"] == pytest.approx(min(1.0, first["p"] * told["questions"] / 2), rel=1e-6)
    assert told["defined_by"] == ["region"]


def test_the_python_of_a_difference_gives_its_p_again(reader: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    first = _told(reader, ("a.is.region", "eu"))["differences"][0]
    exec(first["python"])
    assert float(capsys.readouterr().out) == pytest.approx(first["p"])


def test_where_one_population_is_not_said_it_is_the_rest(reader: TestClient) -> None:
    told = _told(reader, ("a.is.region", "eu"))
    assert (told["b"]["rest"], told["a"]["cases"], told["b"]["cases"], told["both"]) == (True, 40, 40, 0)
    assert told["b"]["address"] == "/cases?not.region=eu"


def test_what_does_not_differ_is_said_of_what_one_asks_first(reader: TestClient) -> None:
    told = _told(reader, ("a.is.size", "0"))
    assert told["answer"] == "Nothing that was asked tells A from B."
    assert {one["column"] for one in told["same"]} >= {"mechanism", "region"}


def test_a_value_that_one_crash_has_is_not_asked(reader: TestClient) -> None:
    told = _told(reader, ("a.is.mechanism", "torn"), ("a.is.host", "h1"), ("a.is.host", "h2"), ("b.is.host", "h3"))
    assert all(one["column"] != "host" for one in told["differences"])
    assert told["questions"] < 10


def test_a_finding_that_could_not_be_judged_leaves_its_row(tmp_path: Path) -> None:
    rows = [{"region": "eu" if n < 20 else "us", "holds": ["odd"] if n < 10 else []} for n in range(40)]
    for row in rows[30:]:
        row["could_not_be_judged"] = ["odd"]
    reader = reader_of(few_cases(tmp_path, rows, types={"could_not_be_judged": "texts"}))
    (odd,) = [one["nearest"] for one in _told(reader, ("a.is.region", "eu"))["same"] if one["column"] == "holds"] or [
        one for one in _told(reader, ("a.is.region", "eu"))["differences"] if one["column"] == "holds"
    ]
    assert (odd["a"], odd["known_a"], odd["b"], odd["known_b"]) == (10, 20, 0, 10)


def test_rates_and_their_ratio_are_told_where_time_at_risk_is(reader: TestClient) -> None:
    told = _told(reader, ("a.is.region", "eu"), ("b.is.region", "us"))
    assert told["a"]["rate"]["value"] == pytest.approx(4_000)
    assert told["ratio"]["value"] == pytest.approx(3.0)
    assert told["ratio"]["low"] < 3.0 < told["ratio"]["high"]


def test_the_rest_has_the_rest_of_the_time_at_risk(reader: TestClient) -> None:
    assert _told(reader, ("a.is.region", "eu"))["ratio"]["value"] == pytest.approx(3.0)


def test_what_bounds_both_need_not_tell_time_at_risk_and_what_tells_them_apart_must(reader: TestClient) -> None:
    both = (("a.is.mechanism", "torn"), ("b.is.mechanism", "torn"))
    assert _told(reader, ("a.is.region", "eu"), ("b.is.region", "us"), *both)["a"]["rate"] is not None
    told = _told(reader, ("a.is.mechanism", "torn"), ("b.is.mechanism", "bent"))
    assert (told["a"]["rate"], told["ratio"]) == (None, None)
    assert "time at risk is not told by mechanism" in told["no_rate"]


def test_crashes_in_both_are_counted_and_said_and_have_no_ratio(reader: TestClient) -> None:
    told = _told(reader, ("a.is.region", "eu"), ("b.is.region", "eu"), ("b.is.region", "us"))
    assert (told["both"], told["ratio"]) == (40, None)
    assert "40 crashes are in A and in B" in reader.get("/compare?a.is.region=eu&b.not.region=").text


def test_swapping_gives_the_mirror(reader: TestClient) -> None:
    told = _told(reader, ("a.is.region", "eu"))
    other = reader.get(told["swap"].replace("/compare", "/compare.json")).json()
    assert (other["a"]["cases"], other["b"]["rest"], other["a"]["rest"]) == (40, False, True)
    assert other["differences"][0]["b"] == told["differences"][0]["a"]


def test_a_limit_put_on_a_population_by_the_form_is_in_every_link_of_the_page(reader: TestClient) -> None:
    told = _told(reader, ("a.is.region", "eu"), ("of", "b"), ("column", "region"), ("how", "is"), ("value", "us"))
    assert told["swap"] == "/compare?a.is.region=us&b.is.region=eu"
    assert [one["without"] for one in told["b"]["limits"]] == ["/compare?a.is.region=eu"]


@pytest.mark.parametrize(
    "query", ["a.is.nothing=1", "of=c&column=region&value=x", "of=a&column=nothing&value=x", "a.min.region=1"]
)
def test_what_there_is_not_is_refused(reader: TestClient, query: str) -> None:
    assert reader.get(f"/compare?{query}").status_code == 400


def test_without_any_population_the_page_asks_for_them(reader: TestClient) -> None:
    assert _told(reader)["answer"] == "Choose two populations."
    assert "where only one is chosen" in reader.get("/compare").text


def test_a_population_without_crashes_is_said(reader: TestClient) -> None:
    assert _told(reader, ("a.is.region", "mars"))["answer"].startswith("A has no crash")
    assert reader.get("/compare?a.is.region=mars").status_code == 200


def test_hostile_values_are_text(tmp_path: Path) -> None:
    reader = reader_of(few_cases(tmp_path, [*ROWS, *ROWS]))
    for pairs in ([(f"a.is.{SCRIPT}", QUOTES)], [("a.is.mechanism", "torn")], [("a.is.mechanism", SCRIPT)]):
        text = reader.get("/compare?" + urlencode(pairs)).text
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert text.count("<script") == 2


def test_what_lies_within_the_choice_is_said_to_and_is_not_the_first_sentence(tmp_path: Path) -> None:
    rows = [
        {"region": region, "zone": f"{region}-{n % 2}", "mechanism": "torn" if region == "eu" and n < 15 else "bent"}
        for region in ("eu", "us")
        for n in range(20)
    ]
    pieces = [{"region": r, "zone": f"{r}-{n}", "host_hours": 9.0} for r in ("eu", "us") for n in range(2)]
    reader = reader_of(few_cases(tmp_path, rows, pieces, types={"zone": "text"}))
    told = _told(reader, ("a.is.region", "eu"))
    assert {one["within"] for one in told["differences"] if one["column"] == "zone"} == {"region"}
    assert told["answer"].startswith("Mechanism ")
    assert all(one["within"] is None for one in _told(reader, ("a.is.mechanism", "torn"))["differences"])
