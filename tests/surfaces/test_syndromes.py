"""`broadstreet syndromes`, as its users meet it."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from broadstreet.store.casebook import open_for_writing
from broadstreet.surfaces.cli import cli
from tests.store.examined import case, sample


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A casebook of forty crashes, as `./casebook`."""
    book = open_for_writing(str(tmp_path / "casebook"))
    book.add(sample(), book.begin(["made"], "test"), "none", case(sample()[0]).reader_version)
    book.close()
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BROADSTREET_CASEBOOK", raising=False)
    return Run()


class Run:
    """The command in this process."""

    def __call__(self, *arguments: str) -> Result:
        return self.cli("syndromes", *arguments)

    def cli(self, *arguments: str) -> Result:
        """Another command."""
        return CliRunner(env={"COLUMNS": "80", "LC_ALL": "C.UTF-8"}).invoke(cli, arguments)

    def ids(self) -> list[str]:
        """The syndromes, the largest first."""
        return [row["syndrome"] for row in json.loads(self("list", "-o", "json").stdout)]


def test_without_a_word_more_it_lists(run: Run) -> None:
    assert run().stdout == run("list").stdout
    assert run().stdout.splitlines()[0].split() == ["syndrome", "cases", "hosts", "first", "last", "where"]


def test_the_table_fits_a_terminal_also_with_a_name(run: Run) -> None:
    run("name", run.ids()[0], "returns to null, everywhere")
    assert max(map(len, run("list").stdout.splitlines())) <= 80


def test_programs_get_every_column(run: Run) -> None:
    rows = json.loads(run("list", "-o", "json").stdout)
    assert sum(row["cases"] for row in rows) == len(sample())
    columns = {"syndrome", "name", "cases", "hosts", "first", "last", "mechanisms", "frames"}
    assert all(set(row) == columns for row in rows)
    assert run("list", "-o", "csv", "-n", "1").stdout.count("\n") == 2


def test_a_syndrome_shows_why_its_traces_are_there(run: Run) -> None:
    own = run.ids()[0]
    run("name", own, "the race", "--by", "ann")
    run("note", "the race", "ask the kernel team", "--by", "bob")
    shown = run("show", "the race").stdout
    assert shown.splitlines()[0] == f"  {own}  the race"
    assert "founded this syndrome" in shown
    assert "counts 0." in shown
    assert "irrelevant" in shown
    assert "ann: name: the race" in shown
    assert "bob: note: ask the kernel team" in shown


def test_a_name_that_is_taken_is_refused_with_the_id_that_has_it(run: Run) -> None:
    first, second, *_ = run.ids()
    assert run("name", first, " the race ").stdout == f"  {first} is called the race from now on.\n"
    for taken, has in (("the race", first), (first[:6], first), (second, second)):
        asked = run("name", first if has == second else second, taken)
        assert str(asked.exception) == f"{has} goes by {taken} already"
    assert run("name", first, "the race").exit_code == 0
    assert run("name", second, "another race").exit_code == 0


@pytest.mark.parametrize("name", ["the race", "cafe"])
def test_a_syndrome_is_explained_by_its_name(run: Run, name: str) -> None:
    own = run.ids()[0]
    run("name", own, name)
    by_name, by_id = (run.cli("explain", asked).stdout for asked in (name, own))
    assert by_name == by_id
    assert own in by_name


def test_a_rank_is_no_name(run: Run) -> None:
    run("name", run.ids()[0], "7")
    assert "no outbreak 7" in str(run.cli("explain", "7").exception)


def test_an_empty_note_is_refused(run: Run) -> None:
    own = run.ids()[0]
    assert str(run("note", own, "  ").exception) == "the note is empty"
    assert "note:" not in run("show", own).stdout


def test_the_traces_that_are_not_shown_can_be_asked_for(run: Run) -> None:
    own, *others = run.ids()
    run("merge", own, *others)
    lines = run("show", own).stdout.splitlines()
    traces = int(lines[1].split(" in ")[1].split()[0])
    asked = next(line for line in lines if line.startswith("broadstreet sql"))
    rows = json.loads(run.cli(*shlex.split(asked)[1:], "-o", "json").stdout)
    assert len(rows) == traces > 5
    assert sum(row["cases"] for row in rows) == int(lines[1].split()[0])
    assert "--casebook" in asked


def test_what_was_not_kept_yet_is_shown_too(run: Run) -> None:
    assert "not kept yet" in run("show", run.ids()[0]).stdout


def test_merge_split_and_recompute(run: Run) -> None:
    first, second, *_ = run.ids()
    assert run("merge", first, second).stdout == f"  {second} is {first} from now on.\n"
    said = run("split", first, "--frame", "_ZL5admitRK6Recordj").stdout
    assert f" of {first} " in said
    assert "from now on." in said
    assert "Nothing changes" in run("regroup").stdout
    assert run("regroup", "--apply").exit_code == 0
    assert second not in run.ids()


def test_rules_are_printed_given_and_refused(run: Run, folder: Path) -> None:
    printed = run("rules").stdout
    (folder / "mine.toml").write_text(printed.replace("version = 1", "version = 7"))
    assert "Rules 7-" in run("rules", "mine.toml").stdout
    assert "version = 7" in run("rules").stdout
    (folder / "bad.toml").write_text("prefix = 3")
    refused = run("rules", "bad.toml")
    assert refused.exit_code != 0
    assert "version = 7" in run("rules").stdout


@pytest.mark.parametrize(
    "arguments", [["show", "S-nothing"], ["split", "S-"], ["name", "S-", "a\nb"], ["merge", "S-nothing", "S-none"]]
)
def test_what_cannot_be_meant_is_refused(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code != 0


def test_listing_writes_nothing(run: Run, folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    run("list")
    run("show", run.ids()[0])
    run("regroup")
    assert sorted(folder.rglob("*")) == before
