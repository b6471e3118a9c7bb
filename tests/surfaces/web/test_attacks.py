"""What somebody would try who knows how it is built: each of these did some harm once, or would without its guard."""

import logging
import os
import shutil
import stat
import threading
import time
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from broadstreet.errors import CasebookError, UsageError
from broadstreet.store.atlas import REMEMBERED_BYTES, Atlas
from broadstreet.surfaces.charts.svg import anchor
from broadstreet.surfaces.web import sql_box
from broadstreet.surfaces.web.answers import MOST_AT_WORK, Answers
from broadstreet.surfaces.web.page import Asked
from broadstreet.surfaces.web.pages import cases
from broadstreet.surfaces.web.selection import MOST_VALUES, selection_of
from broadstreet.surfaces.web.serving import _Plain
from tests.surfaces.web.stand_in import reader

COPY = "COPY (SELECT 1) TO '{there}'"
HIDDEN = f"WITH x AS ({COPY}) SELECT 1"
QUOTED = HIDDEN.replace("'", "''")
JSON = f"json_execute_serialized_sql(json_serialize_sql('{QUOTED}'))"


@pytest.mark.parametrize(
    "select",
    [
        HIDDEN,
        f"({HIDDEN})",
        f"{HIDDEN};",
        f"WITH x AS ({COPY}) FROM x",
        f"WITH x AS MATERIALIZED ({COPY}) SELECT * FROM x",
        f"WITH x AS ({COPY}) SELECT * FROM cases",
        f"WITH x AS ({COPY}) PIVOT (SELECT 1 AS a) ON a USING count(*)",
        f"SELECT * FROM (WITH x AS ({COPY}) PIVOT (SELECT 1 AS a) ON a USING count(*))",
        f"SELECT * FROM cases, (WITH x AS ({COPY}) PIVOT (SELECT 1 AS a) ON a USING count(*))",
        f"SELECT * FROM query('{QUOTED}')",
        f"SELECT * FROM {JSON}",
        f"SELECT * FROM cases, {JSON}",
        f"SELECT * FROM query('SELECT * FROM json_' || 'execute_serialized_sql(json_serialize_sql(''' "
        f"|| '{QUOTED.replace(chr(39), chr(39) * 2)}' || '''))')",
    ],
)
def test_a_question_that_hides_a_statement_which_writes_writes_nothing(atlas: Atlas, select: str) -> None:
    for folder in (atlas.folder, atlas.about.casebook):
        there = Path(folder) / "there"
        with pytest.raises(UsageError):
            sql_box.rows(atlas.about, atlas.folder, select.format(there=there))
        assert not there.exists()


def test_a_question_may_still_end_in_a_remark_and_begin_with_a_with(atlas: Atlas) -> None:
    for select in ("WITH x AS (SELECT 7 AS n) SELECT n FROM x; -- seven", "SELECT count(*) FROM cases -- all\n;"):
        assert sql_box.rows(atlas.about, atlas.folder, select).rows == [[7]]


def test_no_address_makes_a_page_of_a_thousand_conditions() -> None:
    one = [("is.host", f"vm-{number}") for number in range(MOST_VALUES)]
    assert len(selection_of(one).conditions[0].values) == MOST_VALUES
    with pytest.raises(UsageError):
        selection_of([*one, ("not.region", "x")])


@pytest.fixture
def client() -> TestClient:
    return reader()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_others_cannot_have_a_question_answered_in_a_frame(client: TestClient, site: str) -> None:
    """The frame stays empty, but the page would have been worked out."""
    for dest, status in (("document", 200), ("iframe", 403), ("frame", 403), ("object", 403), ("embed", 403)):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": dest}
        assert client.get("/about", headers=headers).status_code == status
    assert client.get("/about", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status_code == 403


def test_pages_that_take_long_leave_room_for_those_that_are_kept() -> None:
    answers, going_on = Answers(), threading.Event()
    answers.of(("kept",), "text/html", lambda: b"kept")

    def slow() -> bytes:
        going_on.wait(60)
        return b"slow"

    # Half of them ask for one page, which one of them works out and the others wait for.
    keys = [(f"{number}",) if number % 2 else ("same",) for number in range(MOST_AT_WORK)]
    asking = [threading.Thread(target=answers.of, args=(key, "text/html", slow)) for key in keys]
    for one in asking:
        one.start()
    try:
        assert answers.of(("kept",), "text/html", slow).plain() == b"kept"
        with pytest.raises(HTTPException) as refused:
            answers.of(("one more",), "text/html", slow)
        assert refused.value.status_code == 503
    finally:
        going_on.set()
        for one in asking:
            one.join()
    assert answers.of(("one more",), "text/html", lambda: b"again").plain() == b"again"


def test_a_question_waits_for_a_place_only_while_few_do(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that waits holds one of the threads that answer all pages."""
    monkeypatch.setattr(sql_box, "_waiting", threading.BoundedSemaphore(1))
    with sql_box._one_of(sql_box._waiting, 0, "busy"):
        began = time.monotonic()
        with pytest.raises(HTTPException):
            sql_box.rows(atlas.about, atlas.folder, "SELECT 1")
        assert time.monotonic() - began < sql_box.WAIT_SECONDS / 2


def test_readers_who_do_not_fetch_their_files_hold_few_of_them(atlas: Atlas) -> None:
    held = [sql_box.file(atlas.about, atlas.folder, "SELECT 1", "csv") for _ in range(sql_box.FILES)]
    for one in held:
        next(one)
    with pytest.raises(HTTPException):
        next(sql_box.file(atlas.about, atlas.folder, "SELECT 1", "csv"))
    del held, one  # they went away
    assert b"".join(sql_box.file(atlas.about, atlas.folder, "SELECT 1 AS n", "csv")).split() == [b"n", b"1"]


def test_an_atlas_is_for_the_eyes_of_its_user(atlas: Atlas) -> None:
    assert stat.S_IMODE(os.stat(Path(atlas.folder).parent).st_mode) == 0o700


def test_a_damaged_atlas_is_an_error_that_is_said(atlas: Atlas, tmp_path: Path) -> None:
    """Else the thread that looks at the casebook ends, and the page says that it is being analysed for ever."""
    folder = shutil.copytree(atlas.folder, tmp_path / "atlas")
    (folder / "crashes.parquet").write_bytes(b"PAR1 no more PAR1")
    with pytest.raises(CasebookError):
        Atlas(str(folder))


def test_a_long_question_is_not_remembered_for_its_short_answer(atlas: Atlas) -> None:
    opened = Atlas(atlas.folder)
    select = f"SELECT 1 -- {'x' * REMEMBERED_BYTES}"
    opened.ask(select)
    assert select not in opened._known
    opened.close()


def test_what_failed_is_written_without_the_control_characters_of_a_name() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "no host %s", ("\x1b]0;mine\x07\r\x9b2J\u202e",), None)
    said = _Plain("%(message)s").format(record)
    assert said.isprintable()
    assert "\\x1b" in said


@pytest.mark.parametrize("address", ["//evil.example/", "/\\evil.example/", "javascript:alert(1)", "https:evil"])
def test_no_link_of_a_chart_leads_out(address: str) -> None:
    with pytest.raises(ValueError, match="not a link"):
        anchor(address)


def test_two_hundred_values_are_counted_in_few_questions(atlas: Atlas) -> None:
    """Each was a question of its own once, with all the others in it: one address took half a minute."""
    opened = Atlas(atlas.folder)
    chosen = selection_of([("is.host", f"vm-{number}") for number in range(MOST_VALUES)])
    cases.PAGE.tell(Asked(opened, chosen))
    assert len(opened._known) < 40
    opened.close()
