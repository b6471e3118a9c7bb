"""The newest version is shown as soon as it is drawn, the last good one meanwhile, and what fails is said."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.records.running import RunningScan
from broadstreet.store.atlases import folder_of
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
from broadstreet.store.watching import SILENT, Watch
from broadstreet.surfaces.web.live import scan_line
from broadstreet.surfaces.web.shelf import DRAWING, Shelf
from tests.surfaces.shell import Fleet, broadstreet
from tests.surfaces.web.stand_in import reader

LONGEST_SECONDS = 60


@pytest.fixture
def own(casebook: str, cache: Path, tmp_path: Path) -> str:
    """A copy of the casebook, to be changed."""
    return shutil.copytree(casebook, tmp_path / "casebook").as_posix()


@pytest.fixture
def shelves() -> Iterator[Callable[..., Shelf]]:
    """Shelves that end with the test."""
    made: list[Shelf] = []

    def shelf(*arguments: object, **more: object) -> Shelf:
        made.append(Shelf(*arguments, **more))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield shelf
    for one in made:
        one.close()


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def shown(shelf: Shelf) -> int | None:
    atlas = shelf.standing().atlas
    return None if atlas is None else atlas.about.version


def changed(url: str) -> int:
    """One more version of a casebook, as another process would make it."""
    book = open_for_writing(url)
    try:
        return book.commit("pin", "a test")
    finally:
        book.close()


def test_a_page_says_that_the_casebook_is_read_and_then_shows_it(own: str, shelves: Callable[..., Shelf]) -> None:
    shelf = shelves(own)
    client = reader(shelf)
    first = client.get("/about")
    assert first.status_code == 503
    assert "is being analysed" in first.text
    assert client.get("/about.json").json()["what"]
    assert client.get("/about.json").headers["retry-after"]
    until(lambda: shown(shelf) is not None)
    assert client.get("/about.json").json()["cases"] == 7


def test_a_newer_version_replaces_an_older_that_goes_on_answering(own: str, shelves: Callable[..., Shelf]) -> None:
    shelf = shelves(own)
    client = reader(shelf)
    until(lambda: shown(shelf) is not None)
    before = shown(shelf)
    newer = changed(own)
    shelf.look()
    seen = set[int | None]()
    while shown(shelf) != newer:
        page = client.get("/about")
        seen.add(page.status_code)
        if f"A newer version is being read.</b> Shown is version {before}." in page.text:
            seen.add(before)
    assert seen == {200, before}
    assert f"Version {newer}" in shelf.news().line or shelf.news().version == newer


def test_a_casebook_that_goes_away_is_said_and_the_last_version_stays(
    own: str, shelves: Callable[..., Shelf], tmp_path: Path
) -> None:
    shelf = shelves(own)
    client = reader(shelf)
    until(lambda: shown(shelf) is not None)
    Path(own).rename(tmp_path / "away")
    shelf.look()
    until(lambda: shelf.standing().state is not None)
    page = client.get("/about")
    assert page.status_code == 200
    assert "The casebook cannot be read since" in page.text
    assert "This server changed nothing; it is tried again" in page.text
    assert "Shown is version" in page.text
    assert "Nothing was lost" not in page.text  # who knows where the casebook went
    (tmp_path / "away").rename(own)
    until(lambda: shelf.standing().state is None)


def test_a_casebook_made_anew_in_the_same_place_is_another(
    own: str, small_fleet: Fleet, shelves: Callable[..., Shelf], tmp_path: Path
) -> None:
    shelf = shelves(own)
    until(lambda: shown(shelf) is not None)
    shutil.rmtree(own)
    one = tmp_path / "one"
    one.mkdir()
    shutil.copy(small_fleet.cores / "core.0", one)
    assert broadstreet("scan", one, "--casebook", own, store=small_fleet.store).status == 0
    until(lambda: (atlas := shelf.standing().atlas) is not None and atlas.about.cases == 1)


def test_what_was_forgotten_is_shown_no_more_and_its_atlas_is_gone(own: str, shelves: Callable[..., Shelf]) -> None:
    shelf = shelves(own)
    until(lambda: shown(shelf) is not None)
    before, folder = shown(shelf), folder_of(own, shown(shelf) or 0)
    assert folder.exists()
    with Questions(own) as questions:
        case_id = questions.answer("SELECT case_id FROM cases LIMIT 1")["case_id"][0].as_py()
    said = broadstreet("casebook", "forget", "--case", case_id, "--casebook", own, store=Path(own))
    assert said.status == 0, said.err
    until(lambda: (atlas := shelf.standing().atlas) is not None and atlas.about.version != before)
    atlas = shelf.standing().atlas
    assert atlas is not None
    assert atlas.about.cases == 6
    assert case_id not in str(atlas.ask("SELECT case_id FROM crashes").rows)


def test_one_version_is_shown_as_it_was(own: str, shelves: Callable[..., Shelf]) -> None:
    with Questions(own) as questions:
        old = questions.version.number
    shelf = shelves(own, at=old)
    until(lambda: shown(shelf) == old)
    changed(own)
    shelf.look()
    time.sleep(0.5)
    assert shown(shelf) == old
    assert shelf.fixed


def test_an_analysis_that_dies_is_said_with_how(own: str, shelves: Callable[..., Shelf]) -> None:
    killed = (sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    shelf = shelves(own, drawing=killed)
    until(lambda: shelf.standing().state is not None and shelf.standing().state.name == "Error")
    page = reader(shelf).get("/about")
    assert page.status_code == 503
    assert "signal 9" in page.text
    assert "This server changed nothing; it is tried again" in page.text


def test_an_analysis_that_is_refused_says_why(own: str, shelves: Callable[..., Shelf]) -> None:
    refused = (sys.executable, "-c", "import sys; print('the table is torn', file=sys.stderr); sys.exit(3)")
    shelf = shelves(own, drawing=refused)
    until(lambda: shelf.standing().state is not None and shelf.standing().state.name == "Error")
    assert "The table is torn." in reader(shelf).get("/about").text


def test_an_analysis_ends_with_its_server(own: str) -> None:
    shelf = Shelf(own, drawing=(sys.executable, "-c", "import time; time.sleep(600)"))
    shelf.start()
    until(lambda: shelf.news().line)
    child = shelf._drawing.child if shelf._drawing else None
    assert child is not None
    shelf.close()
    assert child.wait(10) != 0


def test_an_empty_casebook_says_what_to_do(tmp_path: Path, cache: Path, shelves: Callable[..., Shelf]) -> None:
    url = str(tmp_path / "empty")
    open_for_writing(url).close()
    shelf = shelves(url)
    client = reader(shelf)
    until(lambda: shelf.standing().atlas is not None or shelf.standing().state.name == "Error")
    page = client.get("/")
    assert page.status_code == 200
    assert "No crashes yet." in page.text
    assert "broadstreet scan" in page.text
    assert client.get("/about").status_code == 200


def test_a_running_scan_is_told_of_until_it_ends(own: str, small_fleet: Fleet) -> None:
    watch = Watch(own)
    assert watch.running(datetime.now(UTC)) == ()
    book = open_for_writing(own)
    scan = book.begin(["/var/lib/cores"], "0")
    (running,) = watch.running(datetime.now(UTC))
    assert (running.sources, running.specimens, running.newest) == (("/var/lib/cores",), 0, None)
    assert watch.running(datetime.now(UTC) + SILENT) == ()
    book.end(scan, ["/var/lib/cores"], "0", 0, 0, 0)
    book.close()
    assert watch.running(datetime.now(UTC)) == ()


def test_what_a_scan_kept_is_counted(own: str) -> None:
    import pyarrow.compute as compute

    with Questions(own) as questions:
        scans = questions.table(next(one for one in questions.tables() if one.name == "scans")).to_pyarrow_table()
    left = scans.filter(compute.is_null(scans["ended"]))
    from deltalake import write_deltalake

    write_deltalake(f"{own}/scans", left, mode="overwrite")  # as if it had been killed before its end
    newest = max(left["started"].to_pylist())
    (running,) = Watch(own).running(newest)
    assert running.specimens == 8
    assert running.unreadable == 0
    assert running.per_second
    assert "8 core dumps read, " in scan_line(running)


def test_what_is_not_known_of_a_scan_is_said() -> None:
    began = datetime(2026, 3, 12, 14, 2, tzinfo=UTC)
    line = scan_line(RunningScan("s", ("/a", "/b"), began, None, 0, 0))
    assert line == "A scan of /a and 1 more runs since 2026-03-12 14:02 UTC; nothing of it is kept yet."
    running = RunningScan("s", ("/a",), began, datetime(2026, 3, 12, 14, 3, tzinfo=UTC), 6000, 10)
    assert "6,000 core dumps read, 100 a second; 10 of them could not be." in scan_line(running)


def test_where_no_casebook_is_the_watch_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no casebook"):
        Watch(str(tmp_path / "nowhere")).newest()


def test_drawing_what_is_not_there_says_so_in_one_line(tmp_path: Path, cache: Path) -> None:
    done = subprocess.run([*DRAWING, str(tmp_path / "nowhere"), "1"], capture_output=True, check=False, timeout=60)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
