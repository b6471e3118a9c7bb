"""The pages of outbreaks: the argument with evidence against first, and what people say of it."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from broadstreet.records.verdict import Investigation
from broadstreet.surfaces.web.page import Asked
from broadstreet.surfaces.web.pages.outbreak import OutbreakTold, tell
from broadstreet.surfaces.web.pages.outbreaks import tell as list_of
from tests.surfaces import investigations as made
from tests.surfaces.web.outbreaks_told import told
from tests.surfaces.web.stand_in import OnShelf, reader

OWN = {"Sec-Fetch-Site": "same-origin"}
SCRIPT = "<script>alert(1)</script>"


def page_of(folder: Path, found: Investigation, name: str) -> OutbreakTold:
    return tell(Asked(told(folder, found), path={"outbreak": name}))


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return reader(OnShelf(told(tmp_path, made.FOUNDING)))


def words(html: str) -> str:
    """The page as text, on one line."""
    main = re.sub(r"<(script|style|svg).*?</\1>", " ", html.partition("<main")[2], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_evidence_against_stands_before_evidence_for(client: TestClient) -> None:
    text = words(client.get("/outbreaks/1").text)
    assert text.index("1 crash of 64 elsewhere") < text.index("63 of 63 crashes show a stack off by exactly one word")
    assert "What would overturn it One more misaligned stack on another machine once ph-7c41e9 is out." in text


def test_the_title_is_the_answer_and_the_first_action_is_said_with_it(client: TestClient) -> None:
    html = client.get("/outbreaks/O-7c1").text
    assert "<h1>Machine ph-7c41e9 has a bad CPU</h1>" in html
    assert "<b>Take ph-7c41e9 out of placement.</b>" in html


def test_a_command_names_the_casebook_and_a_case_to_begin_with_is_a_link(tmp_path: Path) -> None:
    first, *more = made.FOUNDING.verdicts
    steps = ("start from the frames of one case: broadstreet read abc", "drain the host")
    page = page_of(tmp_path, replace(made.FOUNDING, verdicts=(replace(first, action=steps), *more)), "1")
    read, drain = page.action
    assert (read.command or "").startswith("broadstreet read abc --casebook ")
    assert (read.address, drain.command, drain.address) == ("/cases/abc", None, None)


@pytest.mark.parametrize("name", ["1", "O-7c1", "O-7"])
def test_an_outbreak_goes_by_its_rank_and_by_the_beginning_of_its_id(client: TestClient, name: str) -> None:
    assert client.get(f"/outbreaks/{name}.json").json()["outbreak"]["id"] == "O-7c1"


@pytest.mark.parametrize("name", ["0", "3", "O-", "O-zzz", "9" * 40])
def test_an_outbreak_that_is_not_there_is_said_to_be_none(client: TestClient, name: str) -> None:
    answer = client.get(f"/outbreaks/{name}")
    assert (answer.status_code, "There is no outbreak" in answer.text) == (404, True)


def test_ratios_speak_for_what_the_title_says(tmp_path: Path) -> None:
    software = page_of(tmp_path, made.FOUNDING, "2").argument
    against, for_it = software.sides
    assert (software.claim, against.label, for_it.label) == ("software", "Against", "For")
    assert [item.ratio.value for item in against.items] == pytest.approx([1 / 1.4])
    assert [item.ratio.value for item in for_it.items] == pytest.approx([50.0, 1 / 0.3])
    first = for_it.items[0].ratio
    assert (first.low, first.high) == pytest.approx((1 / 0.09, 100.0))


def test_odds_begin_before_any_evidence_and_end_where_the_calibration_does(tmp_path: Path) -> None:
    argument = page_of(tmp_path, made.FOUNDING, "1").argument
    assert (argument.before, argument.sides[0].items[0].odds, argument.after) == ("1 : 19", "1 : 32", "33,000 : 1")


def test_a_capped_ratio_says_the_cap_and_not_a_rounding_of_it(tmp_path: Path) -> None:
    items = page_of(tmp_path, made.FOUNDING, "1").argument.sides[1].items
    assert [item.written for item in items if item.capped] == ["400"]  # 403 exactly is not e^6, the cap


def test_the_cases_of_an_argument_are_a_link_to_them(tmp_path: Path) -> None:
    one = page_of(tmp_path, made.FOUNDING, "1").argument.sides[0].items[0]
    assert (one.case_count, one.cases) == (1, "/cases?is.among=O-7c1%3Aelsewhere")


def test_a_verdict_that_is_held_says_why_and_that_a_quiet_day_is_no_fix(tmp_path: Path) -> None:
    text = words(reader(OnShelf(told(tmp_path, made.HELD))).get("/outbreaks/1").text)
    assert "Held." in text
    assert "A quiet day is not a fix." in text


def test_what_cannot_be_told_says_what_would_decide_it(tmp_path: Path) -> None:
    text = words(reader(OnShelf(told(tmp_path, made.CANNOT_TELL))).get("/outbreaks/1").text)
    assert "What would decide it:" in text
    assert "Speaks for" in text


def test_cases_elsewhere_are_listed(client: TestClient) -> None:
    case = made.ELSEWHERE[0]
    html = client.get("/outbreaks/1").text
    assert f'href="/cases/{case}"' in html
    assert "Elsewhere: of the same kind, known to be outside" in html


def test_of_exposures_that_go_together_one_is_shown_and_names_the_others(tmp_path: Path) -> None:
    told_of = page_of(tmp_path, made.FOUNDING, "2")
    assert told_of.hits[0].adjusted == "over 51"
    assert [hit.why_not for hit in told_of.hits if not hit.adjusted] == ["cannot be told apart"]


def test_every_number_has_the_python_that_gives_it_again(tmp_path: Path) -> None:
    numbers = page_of(tmp_path, made.FOUNDING, "1").numbers
    assert any("intervals.rate_ratio" in (one.python or "") for one in numbers)
    assert all(not one.what.startswith("likelihood ratio") for one in numbers)


def test_a_hostile_title_is_text(tmp_path: Path) -> None:
    hostile = replace(made.HARDWARE, title=SCRIPT, action=(f"{SCRIPT}\x1b[31m",), overturned_by="\u202e" + SCRIPT)
    client = reader(OnShelf(told(tmp_path, replace(made.FOUNDING, verdicts=(hostile,)))))
    for path in ("/outbreaks", "/outbreaks/1", "/syndromes/S-12a"):
        html = client.get(path).text
        assert SCRIPT not in html
        assert "\x1b" not in html
        assert "\u202e" not in html


def test_the_list_says_who_judged_and_the_newest_may_come_first(client: TestClient) -> None:
    assert [one["id"] for one in client.get("/outbreaks.json").json()["outbreaks"]] == ["O-7c1", "O-5d1"]
    assert "not judged by anybody yet" in client.get("/outbreaks?order=newest").text


@pytest.fixture
def judging(casebook: str, tmp_path: Path) -> TestClient:
    own = shutil.copytree(casebook, tmp_path / "casebook")
    return reader(OnShelf(told(tmp_path / "atlas", made.FOUNDING, str(own))))


def said(client: TestClient, path: str, **fields: str) -> str:
    page = client.get(path.rpartition("/")[0])
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    answer = client.post(path, data={"token": token[1], **fields}, headers=OWN, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_an_outbreak_is_also_a_file_to_hand_over(client: TestClient) -> None:
    whole, text = client.get("/outbreaks/1.html"), client.get("/outbreaks/O-7c1.md")
    assert whole.headers["content-disposition"] == 'attachment; filename="O-7c1.html"'
    assert "Machine ph-7c41e9 has a bad CPU" in whole.text
    assert text.text.startswith("# Machine ph-7c41e9 has a bad CPU")
    assert client.get("/outbreaks/9.html").status_code == 404


def test_a_word_on_a_verdict_is_shown_before_there_is_a_newer_atlas(judging: TestClient) -> None:
    address = said(judging, "/outbreaks/O-7c1/judge", kind="confirm", by=f"mira {SCRIPT}", note="Swapped.\r\nClean.")
    assert address == "/outbreaks/O-7c1?judged=1#judged"
    html = judging.get(address).text
    assert "Confirmed by mira &lt;script&gt;" in html
    assert "Swapped.\nClean." in html
    assert "people confirmed 1 of 1" in html
    assert "Confirmed by" not in judging.get("/outbreaks/O-7c1").text
    address = said(judging, "/outbreaks/O-7c1/judge", kind="withdraw")
    assert "Confirmed by" not in judging.get(address).text


def test_a_word_without_its_token_is_refused(judging: TestClient) -> None:
    judging.get("/outbreaks/1")
    assert judging.post("/outbreaks/1/judge", data={"kind": "confirm"}, headers=OWN).status_code == 403


def test_nothing_that_nobody_judged_is_taken_back(judging: TestClient) -> None:
    token = re.search(r'name="token" value="([^"]+)"', judging.get("/outbreaks/1").text)
    assert token is not None
    for fields in ({"kind": "withdraw"}, {"kind": "praise"}, {}):
        answer = judging.post("/outbreaks/1/judge", data={"token": token[1], **fields}, headers=OWN)
        assert answer.status_code == 400, answer.text


def test_what_the_list_counts_can_be_counted_again(tmp_path: Path) -> None:
    atlas = told(tmp_path, made.FOUNDING)
    rows = atlas.ask(list_of(Asked(atlas)).query).dicts()
    assert [(row["outbreak"], row["cases"]) for row in rows] == [("O-5d1", 309), ("O-7c1", 63)]
