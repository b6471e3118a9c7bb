"""Other pages of the browser, other names of this machine and other people's forms get nothing and change nothing."""

import re
from collections.abc import Mapping

import msgspec
import pytest
from starlette.testclient import TestClient

from broadstreet.surfaces.web.page import Asked, Change, Page
from broadstreet.surfaces.web.safety import HEADERS, LARGEST_BODY, LONGEST_ADDRESS
from tests.surfaces.web.stand_in import OnShelf, reader

OWN = {"Origin": "http://localhost:1854", "Sec-Fetch-Site": "same-origin"}


class Nothing(msgspec.Struct):
    pass


def fail(asked: Asked) -> Nothing:
    raise RuntimeError("a secret of the inside")


FAILS = Page("/fails", "Fails", "", Nothing, fail, "about.html", "Fails.")


class Noted:
    def __init__(self) -> None:
        self.fields: list[dict[str, str]] = []

    def note(self, asked: Asked, fields: Mapping[str, str]) -> str:
        self.fields.append(dict(fields))
        return "/about"


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def client(noted: Noted) -> TestClient:
    return reader(None, FAILS, changes=(Change("/note", "Note", noted.note, "Note."),))


def token(client: TestClient) -> str:
    """The one that a page of ours got, by its cookie."""
    client.get("/about")
    return next(cookie.value for cookie in client.cookies.jar if cookie.name.startswith("broadstreet-")) or ""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:1854", "localhost.evil.example", "", "10.0.0.1:1854"])
def test_a_name_that_leads_here_by_accident_or_malice_is_not_answered(client: TestClient, host: str) -> None:
    for path in ("/about", "/about.json", "/openapi.json", "/static/page.css", "/nowhere"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert "391" not in answer.text
        assert "casebook, version" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1854", "[::1]:1854", "[::1]"])
def test_this_machine_is_answered_under_each_of_its_own_names_through_any_port(client: TestClient, host: str) -> None:
    assert client.get("/about", headers={"Host": host}).status_code == 200


def test_every_answer_has_the_headers_that_bound_it(client: TestClient) -> None:
    for path in ("/about", "/about.json", "/nowhere", "/fails", "/static/page.css", "/openapi.json"):
        answer = client.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "cache-control" in answer.headers
        assert "server" not in answer.headers


def test_a_page_is_kept_by_nobody_but_its_reader(client: TestClient) -> None:
    answer = client.get("/about")
    assert answer.headers["cache-control"] == "private, no-cache"
    again = client.get("/about", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_form_of_ours_is_taken(client: TestClient, noted: Noted) -> None:
    fields = {"token": token(client), "text": "a name"}
    answer = client.post("/note", data=fields, headers=OWN, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/about")
    assert noted.fields == [{"text": "a name"}]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1854", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:1854", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:9999"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_token(
    client: TestClient, noted: Noted, headers: dict[str, str]
) -> None:
    assert client.post("/note", data={"token": token(client)}, headers=headers).status_code == 403
    assert noted.fields == []


@pytest.mark.parametrize("sent", ["", "wrong", "ünicode"])
def test_a_form_without_the_token_is_refused(client: TestClient, noted: Noted, sent: str) -> None:
    token(client)
    assert client.post("/note", data={"token": sent}, headers=OWN).status_code == 403
    assert noted.fields == []


def test_a_form_without_the_cookie_is_refused(client: TestClient, noted: Noted) -> None:
    known = token(client)
    client.cookies.clear()
    assert client.post("/note", data={"token": known}, headers=OWN).status_code == 403
    assert noted.fields == []


def test_the_token_is_for_our_own_pages_only(client: TestClient) -> None:
    cookie = client.get("/about").headers["set-cookie"]
    assert "SameSite=Strict" in cookie
    assert "HttpOnly" in cookie


def test_a_version_that_is_shown_as_it_was_is_not_changed(noted: Noted) -> None:
    client = reader(OnShelf(fixed=True), changes=(Change("/note", "Note", noted.note, "Note."),))
    assert client.post("/note", data={"token": token(client)}, headers=OWN).status_code == 409
    assert noted.fields == []


@pytest.mark.parametrize("length_is_said", [True, False])
def test_more_than_a_form_holds_is_refused(client: TestClient, length_is_said: bool) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = body if length_is_said else iter([body[:1000], body[1000:]])
    assert client.post("/note", content=sent, headers=OWN | kind).status_code == 413


def test_what_is_no_form_is_refused(client: TestClient) -> None:
    assert client.post("/note", content=b"{}", headers=OWN | {"Content-Type": "application/json"}).status_code == 415
    assert client.post("/note", content=b"&" * 200, headers=OWN | {"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "NONSENSE"])
def test_other_methods_are_refused(client: TestClient, method: str) -> None:
    answer = client.request(method, "/about")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


def test_a_page_is_not_posted_to(client: TestClient) -> None:
    assert client.post("/about", headers=OWN).status_code == 405


def test_another_site_may_link_here_and_no_more(client: TestClient) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/about", headers=link).status_code == 200
    for mode in ("no-cors", "cors"):
        picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
        assert client.get("/about", headers=picture).status_code == 403


def test_an_address_without_end_is_refused(client: TestClient) -> None:
    assert client.get("/about?x=" + "x" * LONGEST_ADDRESS).status_code == 414


def test_what_fails_inside_stays_inside(client: TestClient) -> None:
    for path in ("/fails", "/fails.json"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert not re.search("secret|Traceback|RuntimeError", answer.text)
        assert "could not be made" in answer.text


def test_a_form_of_ours_tells_where_it_is_from() -> None:
    """With a form of a page that forbids every referrer a browser sends `Origin: null`."""
    assert reader().get("/about").headers["referrer-policy"] == "same-origin"
