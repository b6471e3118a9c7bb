"""`broadstreet report`, over the sample's fleet: what it says, in which order, and that the file needs nothing else."""

import html as entities
import io
import os
import re
import shlex
from contextlib import redirect_stdout
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broadstreet.store.atlas import Atlas
from broadstreet.store.casebook import open_for_writing, open_tables
from broadstreet.surfaces import report as module
from broadstreet.surfaces.cli import cli
from broadstreet.surfaces.reports.html import html
from broadstreet.surfaces.reports.markdown import markdown
from broadstreet.surfaces.reports.record import Code, Report
from broadstreet.surfaces.reports.telling import report_of
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.store.examined import ROOT, case, corpus, sample

CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if os.path.exists(path)), "")
EMPTY_TAGS = {"meta", "path", "rect", "circle", "br"}
ORDER = (
    "Summary",
    "Cases over time",
    "Timeline",
    "The argument, evidence against first",
    "Who is hit",
    "What could not be checked",
    "What would overturn it",
    "What to do",
    "Appendix: how to check this",
)


def here(*arguments: str) -> Result:
    """The command in this process."""
    return CliRunner(env={"COLUMNS": "80", "LC_ALL": "C.UTF-8"}).invoke(cli, list(arguments))


def done(*arguments: str) -> str:
    said = here(*arguments)
    assert said.exit_code == 0, said.output + repr(said.exception)
    return said.stdout


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample with its fleet, and a word on the verdict of the machine."""
    url = str(tmp_path_factory.mktemp("reported") / "casebook")
    cores, binaries = ROOT / "sample" / "cores", ROOT / "sample" / "binaries"
    done("scan", str(cores), "--binaries", str(binaries), "--casebook", url)
    done("fleet", "add", str(ROOT / "sample" / "fleet"), "--casebook", url)
    return url


@pytest.fixture(scope="module")
def atlas(book: str) -> Atlas:
    return Atlas(str(draw_into_cache(book, open_tables(book)[1].number)))


@pytest.fixture(scope="module")
def every(atlas: Atlas) -> Report:
    return report_of(atlas)


@pytest.fixture(scope="module")
def machine(atlas: Atlas) -> Report:
    """The report on the bad machine alone."""
    return report_of(atlas, "2")


class Page(HTMLParser):
    """What an HTML file has: its words, its tags with their attributes, and which stayed open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY_TAGS:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)


def words_of(text: str) -> str:
    return " ".join(" ".join(Page(text).words).split())


def test_the_title_is_the_answer(every: Report, machine: Report) -> None:
    assert every.title == "It looked like one bug. It is one library and one machine."
    assert re.fullmatch(r"Machine ph-\w+ in eu-west has a bad CPU\.", machine.title)


def test_one_outbreak_is_told_in_the_order_in_which_it_is_read(machine: Report) -> None:
    assert tuple(section.title for section in machine.sections if section.depth == 2) == ORDER


def test_of_several_each_has_its_own_part_of_every_section(every: Report) -> None:
    titles = [section.title for section in every.sections]
    assert [one.split(":")[0] for one in titles if one.startswith("Outbreak ")] == ["Outbreak 1", "Outbreak 2"]
    assert all(titles.count(name) == 2 for name in ORDER[3:8])


@pytest.mark.parametrize("write", [html, markdown])
def test_evidence_against_stands_before_evidence_for(machine: Report, write: object) -> None:
    text = words_of(write(machine)) if write is html else write(machine)  # type: ignore[operator]
    assert 0 < text.index("Against") < text.index("All die in one way") < text.index("stack off by exactly one word")


@pytest.mark.parametrize("write", [html, markdown])
def test_both_forms_say_the_same(machine: Report, write: object) -> None:
    text = write(machine)  # type: ignore[operator]
    plain = words_of(text) if write is html else re.sub(r"\\(?=[^a-zA-Z0-9\s])", "", text)
    for said in (
        machine.title.rstrip("."),
        "Real crashes made in the lab; where and when is made up",
        "Hardware, more than 99%",
        "It began on 12 March 2026, 23:57 UTC (95% interval 10 Mar 22:52 to 15 Mar 04:29)",
        "8 hosts; region eu-west; release 26.2",
        "New then: release 26.2.",
        "Alarm: S-344255b0 comes oftener than its own past",
        "The first of these crashes that was read",
        "398 of 546 with bad hardware",
        "over 6,800",
        "less than 1% of the time at risk",
        "Whether code in memory is as in its file",
        "out of placement; keep it for the tests.",
        "then it cannot be told",
        "Nobody has judged this one yet",
        "--mechanism misaligned_stack --since",
        "Mozilla, 2026",
    ):
        assert said in plain, said


def test_the_html_is_whole_and_asks_nothing_of_anybody(every: Report) -> None:
    page = Page(html(every))
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "object", "form", "a", "base"})
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    text = html(every)
    assert set(re.findall(r"url\(([a-z]+):", text)) == {"data"}
    assert not re.search(r"@import|url\((?!data:)", text)
    assert "default-src 'none'" in text


def test_the_simulated_mark_is_on_every_page_of_a_print(every: Report) -> None:
    assert '@page { @bottom-left { content: "Simulated fleet' in html(every)


def test_the_same_version_gives_the_same_bytes(book: str, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.html", "b.html")]
    for file in files:
        done("report", "--casebook", book, "--output", str(file))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_every_number_is_given_again_by_what_stands_under_it(machine: Report, book: str) -> None:
    (section,) = (one for one in machine.sections if one.title.startswith("Every number"))
    checked = 0
    for block in section.blocks:
        if not isinstance(block, Code):
            continue
        sql = [line for line in block.lines if line.startswith("broadstreet sql ")]
        for line in sql:
            assert here(*shlex.split(line)[1:], "--casebook", book).exit_code == 0
        value = block.label.rpartition(" = ")[2]
        for python in block.lines[len(sql) :]:
            said = io.StringIO()
            with redirect_stdout(said):
                exec(python, {})
            assert float(said.getvalue()) == pytest.approx(float(value.replace("infinite", "inf")), rel=1e-5)
            checked += 1
        assert block.lines, block.label
    assert checked > 10


def test_a_word_of_a_person_is_in_the_timeline_and_the_summary(book: str, tmp_path: Path) -> None:
    before = open_tables(book)[1].number
    done(
        "outbreaks", "confirm", "2", "--casebook", book, "--by", "ann", "--truth", "core 7", "--note", "it is scrapped"
    )
    file = tmp_path / "report.md"
    done("report", "2", "--casebook", book, "--output", str(file))
    text = file.read_text("utf-8")
    assert len(re.findall(r"Confirmed by ann on \d+ \w+ \d{4}: core 7\. Note: it is scrapped", text)) == 2
    assert "people confirmed 1 of 1 (lower bound 2%)" in text
    done("report", "2", "--casebook", book, "--output", str(file), "--force", "--at", str(before))
    assert "Confirmed" not in file.read_text("utf-8")


def test_a_syndrome_is_reported_by_its_id_and_by_its_name(atlas: Atlas) -> None:
    assert report_of(atlas, "S-344255b0").title == "Syndrome S-344255b0 is 2 outbreaks."
    assert report_of(atlas, "s-344").title == "Syndrome S-344255b0 is 2 outbreaks."
    assert report_of(atlas, "S-c5f").title == "Nothing stands out in syndrome S-c5f839a0."


@pytest.mark.parametrize("name", ["99", "O-zz", "O-", "S-", "S-zz", "nonsense", "", "'; drop", "%", "0000"])
def test_what_cannot_be_meant_is_refused_and_nothing_is_written(book: str, tmp_path: Path, name: str) -> None:
    said = here("report", name, "--casebook", book, "--output", str(tmp_path / "x.md"))
    assert type(said.exception).__name__ == "UsageError"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("report.pdf", "ends in neither .html nor .md"),
        ("report", "ends in neither .html nor .md"),
        ("nowhere/report.md", "there is no folder"),
        ("folder.md", "is a folder"),
        ("there.md", "is there already"),
    ],
)
def test_a_file_that_cannot_be_is_refused_before_anything_is_asked(tmp_path: Path, output: str, why: str) -> None:
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "there.md").write_text("mine")
    said = here("report", "--casebook", str(tmp_path / "no casebook"), "--output", str(tmp_path / output))
    assert why in str(said.exception)
    assert (tmp_path / "there.md").read_text() == "mine"


def test_a_file_that_was_made_meanwhile_stays(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("mine")
    with pytest.raises(Exception, match="is there already"):
        module.write(tmp_path / "there.md", "other", force=False)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"there.md": "mine"}
    module.write(tmp_path / "there.md", "other", force=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"there.md": "other"}


def test_what_cannot_be_written_to_its_end_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(Exception, match="No space left"):
        module.write(tmp_path / "x.md", "text", force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["html", "md"])
def test_an_empty_casebook_says_what_to_do(tmp_path: Path, form: str) -> None:
    open_for_writing(str(tmp_path / "book")).close()
    file = tmp_path / f"report.{form}"
    assert "No crashes yet." in done("report", "--casebook", str(tmp_path / "book"), "--output", str(file))
    text = entities.unescape(file.read_text("utf-8"))
    assert "broadstreet scan DIR" in text
    assert "Simulated" not in text


@pytest.mark.parametrize("form", ["html", "md"])
@pytest.mark.parametrize("dated", [True, False])
def test_where_nothing_stands_out_it_says_so_and_what_there_is_most_of(tmp_path: Path, form: str, dated: bool) -> None:
    crashes = sample() if dated else corpus()
    book = open_for_writing(str(tmp_path / "book"))
    book.add(crashes, book.begin(["made"], "test"), "none", case(crashes[0]).reader_version)
    book.close()
    file = tmp_path / f"report.{form}"
    done("report", "--casebook", str(tmp_path / "book"), "--output", str(file))
    text = file.read_text("utf-8")
    assert f"Nothing stands out of {len(crashes)} crashes." in text
    assert "How long anything ran is not known" in text
    assert "What there is most of" in text
    assert ("The last crash that was read." in text) is dated
    assert ("Nothing that is known of has a time that can be trusted." in text) is not dated
    assert ("Simulated fleet" in text) is dated


def test_a_held_verdict_is_reported_as_held(tmp_path: Path) -> None:
    url = str(tmp_path / "book")
    cores, binaries = ROOT / "sample" / "cores", ROOT / "sample" / "binaries"
    done("scan", str(cores), "--binaries", str(binaries), "--casebook", url, "--name", "0[0-2]*")
    done("fleet", "add", str(ROOT / "sample" / "fleet"), "--casebook", url)
    done("report", "--casebook", url, "--output", str(tmp_path / "report.md"))
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "No verdict: only" in text.splitlines()[0]
    assert "◇ **Held.**" in text
    assert "No verdict is given while crashes are lost" in text


@pytest.mark.skipif(not CHROMIUM, reason="no chromium is installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_opens_offline_and_fits_its_window(every: Report, tmp_path: Path, width: int, scheme: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    (tmp_path / "report.html").write_text(html(every), "utf-8")
    asked: list[str] = []
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        page.goto(f"file://{tmp_path / 'report.html'}")
        wide = page.evaluate("document.documentElement.scrollWidth")
        shown = page.evaluate(
            "[...document.querySelectorAll('svg.chart')].filter(s => s.getClientRects().length).length"
        )
        faces = page.evaluate("document.fonts.ready.then(() => [...document.fonts].map(face => face.status))")
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        browser.close()
    assert [url for url in asked if not url.startswith("data:")] == [f"file://{tmp_path / 'report.html'}"]
    assert wide == width
    assert shown > 10
    assert "loaded" in faces
    assert (ground == "rgb(20, 22, 26)") is (scheme == "dark")
