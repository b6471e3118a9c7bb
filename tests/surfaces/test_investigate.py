"""`investigate`, `explain`, `outbreaks` and `hosts` as their users meet them, over the sample's fleet."""

import csv
import io
import json
import re
import shlex
import shutil
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from broadstreet.errors import UsageError
from broadstreet.store.casebook import open_for_writing, open_tables
from broadstreet.store.questions import Questions
from broadstreet.surfaces.cli import cli
from tests.store.examined import ROOT, corpus, sample
from tests.surfaces.shell import Said, broadstreet

SCHEMA = json.loads((ROOT / "docs" / "investigation.schema.json").read_text("utf-8"))
TRUTH = ROOT / "sample" / "truth"
COMMANDS = (("investigate",), ("outbreaks",), ("hosts",), ("hosts", "--physical"))
every_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a casebook of the whole sample and of its fleet, as `./casebook`."""
    place = tmp_path_factory.mktemp("user")
    scanned = ("scan", ROOT / "sample" / "cores", "--binaries", ROOT / "sample" / "binaries", "--casebook", "casebook")
    for arguments in (scanned, ("fleet", "add", ROOT / "sample" / "fleet", "--casebook", "casebook")):
        said = ask(*arguments, at=place)
        assert said.status == 0, said.err
    return place


def ask(*arguments: str | Path, at: Path, **changes: str) -> Said:
    """A process in a folder."""
    return broadstreet(*arguments, store=at / "no store", changes=changes, folder=at)


def here(*arguments: str, **changes: str | None) -> Result:
    """The same in this process, which is faster, on 80 columns."""
    return CliRunner(env={"COLUMNS": "80", "LC_ALL": "C.UTF-8", **changes}).invoke(cli, list(arguments))


@pytest.fixture(scope="module")
def book(fleet: Path) -> str:
    return str(fleet / "casebook")


@pytest.fixture(scope="module")
def told(book: str) -> Any:
    """The whole investigation as JSON."""
    return json.loads(here("investigate", "--json", "--casebook", book).stdout)


def machine(told: Any) -> Any:
    """The outbreak of the bad machine."""
    return next(one for one in told["outbreaks"] if one["verdict"] == "hardware")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = str(tmp_path_factory.mktemp("empty") / "casebook")
    open_for_writing(url).close()
    return url


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty cases of the sample, and nothing of its fleet."""
    return made(tmp_path_factory.mktemp("bare"), sample())


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Cases without a time, a host or a fleet."""
    return made(tmp_path_factory.mktemp("real"), corpus()[:40])


def made(folder: Path, cases: Any) -> str:
    url = str(folder / "casebook")
    casebook = open_for_writing(url)
    casebook.add(list(cases), "a scan", "pointers", 1)
    casebook.close()
    return url


def test_the_sample_s_investigation_is_as_its_schema_says_and_names_the_bad_machine(told: Any) -> None:
    jsonschema.validate(told, SCHEMA)
    first = machine(told)
    assert set(first["cohort"]) == {"physical_host"}
    assert first["mechanism"] == "misaligned_stack"
    assert (told["simulated"], told["cases"]) == (True, 391)


def test_text_and_json_tell_the_same_outbreaks_in_the_same_order(book: str, told: Any) -> None:
    text = here("investigate", "--casebook", book).stdout
    heads = re.findall(r"^  [■●◇] (\d+)  (HARDWARE|SOFTWARE|CANNOT TELL|HELD)", text, re.MULTILINE)
    words = {"hardware": "HARDWARE", "software": "SOFTWARE", "undetermined": "CANNOT TELL"}
    assert heads == [(str(one["rank"]), words[one["verdict"]]) for one in told["outbreaks"]]
    assert text.splitlines()[1].startswith(f"  Casebook {told['casebook']}")
    assert told["answer"] in " ".join(text.split())


def test_ndjson_is_an_outbreak_a_line(book: str, told: Any) -> None:
    lines = here("investigate", "-o", "ndjson", "--casebook", book).stdout.splitlines()
    assert [json.loads(line) for line in lines] == told["outbreaks"]


def test_a_version_replays_byte_for_byte_after_more_was_added(book: str, tmp_path: Path) -> None:
    url = str(tmp_path / "casebook")
    shutil.copytree(book, url)
    number = open_tables(url)[1].number
    before = here("investigate", "--casebook", url).stdout_bytes
    casebook = open_for_writing(url)
    casebook.add(list(sample()[:3]), "again", "pointers", 99, {one.specimen.specimen_id: 9 for one in sample()[:3]})
    casebook.close()
    assert open_tables(url)[1].number > number
    assert here("investigate", "--at", str(number), "--casebook", url).stdout_bytes == before


def test_asking_changes_nothing(book: str, told: Any) -> None:
    number = open_tables(book)[1].number
    for command in (*COMMANDS, ("explain", "1"), ("explain", told["outbreaks"][0]["syndrome"])):
        assert here(*command, "--casebook", book).exit_code == 0
    assert open_tables(book)[1].number == number == told["casebook_version"]


def test_a_kept_version_is_told_again_after_tidying_and_another_says_why_not(book: str, tmp_path: Path) -> None:
    url = str(tmp_path / "casebook")
    shutil.copytree(book, url)
    said = here("investigate", "--keep", "--json", "--casebook", url)
    number = json.loads(said.stdout)["casebook_version"]
    assert f"  Version {number} is kept" in said.stderr
    casebook = open_for_writing(url)
    casebook.add(list(sample()[:3]), "again", "pointers", 99, {one.specimen.specimen_id: 9 for one in sample()[:3]})
    casebook.close()
    later = open_tables(url)[1].number
    assert here("casebook", "tidy", "--keep", "1d", "--now", "--casebook", url).exit_code == 0
    assert here("investigate", "--at", str(number), "--json", "--casebook", url).stdout == said.stdout
    gone = here("investigate", "--at", str(later), "--casebook", url)
    assert f"version {later} of this casebook cannot be read any more: it was tidied since" in str(gone.exception)


def test_every_line_of_python_prints_its_number_again(book: str) -> None:
    lines = here("investigate", "--query", "--casebook", book).stdout.splitlines()
    numbers = {number: lines[number] for number in range(len(lines)) if re.match(r"  \d+  .+ = \S+$", lines[number])}
    checked = 0
    for number, line in numbers.items():
        for pasted in lines[number + 1 : number + 3]:
            if re.match("(import|from) ", pasted):
                printed = io.StringIO()
                with redirect_stdout(printed):
                    exec(pasted, {})
                assert float(printed.getvalue()) == pytest.approx(float(line.rpartition(" = ")[2]), rel=1e-5), line
                checked += 1
    assert checked > 20


def test_every_sql_of_an_investigation_has_an_answer(book: str) -> None:
    lines = here("investigate", "--query", "--casebook", book).stdout.splitlines()
    asked = {line for line in lines if line.startswith("broadstreet sql ")}
    assert len(asked) > 10
    with Questions(book) as questions:
        for line in asked:
            select = shlex.split(line)[2]
            assert sum(batch.num_rows for batch in questions.ask(select)) > 0, select[:80]


def test_an_outbreak_is_explained_by_rank_and_by_id_down_to_its_cases(book: str, told: Any) -> None:
    first = machine(told)
    by_rank = here("explain", str(first["rank"]), "--casebook", book).stdout
    assert by_rank == here("explain", first["id"].lower(), "--casebook", book).stdout
    flat = " ".join(by_rank.split())
    for argument in (*first["evidence_against"], *first["evidence_for"]):
        assert argument["says"] in flat
        assert f"hardware {argument['hardware']['held']:,} of {argument['hardware']['judged']:,}" in flat
    assert flat.index("Against ") < flat.index("For ")
    assert first["cases"][0][:8] in flat


def test_a_case_is_explained_with_its_findings_its_syndrome_and_its_outbreaks(book: str, told: Any) -> None:
    first = machine(told)
    text = here("explain", first["cases"][0], "--casebook", book).stdout
    assert "  ● misaligned_stack" in text
    assert "cfa" in text or "sp = " in text
    assert f"  Syndrome  {first['syndrome']}" in text
    assert f"  ■ {first['rank']}  HARDWARE, " in text
    assert "inside of the cohort" in text


def test_a_case_elsewhere_says_that_it_is_a_counter_example(book: str, told: Any) -> None:
    first = machine(told)
    if first["elsewhere"]:
        text = here("explain", first["elsewhere"][0], "--casebook", book).stdout
        assert "elsewhere: of the same kind, outside of it" in text


def test_a_syndrome_is_explained_by_the_beginning_of_its_id(book: str, told: Any) -> None:
    syndrome = told["outbreaks"][0]["syndrome"]
    text = here("explain", syndrome[:5], "--casebook", book).stdout
    assert f"  {syndrome}" in text
    assert "  Outbreaks" in text


def test_a_case_is_explained_as_the_casebook_was_at_a_version(book: str, told: Any) -> None:
    case = machine(told)["cases"][0]
    assert "no case" in str(here("explain", case, "--at", "0", "--casebook", book).exception)
    assert "Syndrome" in here("explain", case, "--at", str(told["casebook_version"]), "--casebook", book).stdout


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("9", "no outbreak 9"),
        ("O-zz", "no outbreak O-zz"),
        ("S-zz", "no syndrome S-zz"),
        ("ffffffffffffffff", "no case ffffffffffffffff"),
        ("nonsense", "no such outbreak, syndrome or case: nonsense"),
        ("", "no such outbreak, syndrome or case: "),
        ("O-", "outbreaks begin with O-"),
    ],
)
def test_an_id_that_means_nothing_or_too_much_says_what_was_found(book: str, name: str, what: str) -> None:
    said = here("explain", name, "--casebook", book)
    assert said.exit_code != 0
    assert what in str(said.exception)


def test_an_outbreak_that_is_not_there_says_how_to_list_those_that_are(book: str) -> None:
    said = here("explain", "9", "--casebook", book)
    assert isinstance(said.exception, UsageError)
    asked = said.exception.hint.partition(": broadstreet ")[2]
    assert here(*shlex.split(asked)).stdout == here("outbreaks", "--casebook", book).stdout


def test_only_the_outbreaks_of_a_syndrome_that_is_named(book: str, told: Any) -> None:
    found = json.loads(
        here("investigate", "--syndrome", told["outbreaks"][0]["syndrome"], "--json", "--casebook", book).stdout
    )
    assert {one["syndrome"] for one in found["outbreaks"]} == {told["outbreaks"][0]["syndrome"]}
    assert found["only"] == told["outbreaks"][0]["syndrome"]
    assert {one["syndrome"] for one in found["alarms"]} == {found["only"]}
    with Questions(book) as questions:
        ids = questions.answer("SELECT DISTINCT syndrome FROM syndromes")["syndrome"].to_pylist()
    other = next(one for one in ids if one not in {outbreak["syndrome"] for outbreak in told["outbreaks"]})
    assert f"  Nothing stands out in {other}" in here("investigate", "--syndrome", other, "--casebook", book).stdout
    unknown = here("investigate", "--syndrome", "S-nothing", "--casebook", book)
    assert "no syndrome S-nothing" in str(unknown.exception)


def test_outbreaks_come_newest_first_and_since_leaves_out_the_older(book: str, told: Any) -> None:
    rows = json.loads(here("outbreaks", "-o", "json", "--casebook", book).stdout)
    onsets = [row["onset"] or "" for row in rows]
    assert onsets == sorted(onsets, reverse=True)
    assert {row["rank"] for row in rows} == {one["rank"] for one in told["outbreaks"]}
    assert json.loads(here("outbreaks", "--since", "2026-04-15", "-o", "json", "--casebook", book).stdout) == []
    assert (
        "  No outbreak that began since 2026-04-15 00:00. There are "
        in here("outbreaks", "--since", "2026-04-15", "--casebook", book).stdout
    )


def test_an_alarm_is_a_line_with_its_rate_before_and_since_and_older_ones_are_left_out(book: str, told: Any) -> None:
    (alarm,) = told["alarms"]  # the library's, some days after its onset on 8 March
    assert "2026-03-08" < alarm["since"][:10] < alarm["at"][:10] < "2026-03-22"
    assert alarm["seen"] == pytest.approx(alarm["per_day"] * 6)  # days from the one to the other
    assert alarm["days_per_false_alarm"] == pytest.approx(1_826, abs=1)
    text = here("outbreaks", "--casebook", book).stdout
    line = f"  {alarm['at'][:10]}  {alarm['syndrome']}  {alarm['since'][:10]}       {alarm['seen']}    6.7    2.3  1, 2"
    assert line in text.splitlines()
    assert line in here("outbreaks", "--since", alarm["at"][:10], "--casebook", book).stdout
    assert "larm" not in here("outbreaks", "--since", "2026-03-22", "--casebook", book).stdout


def test_the_bad_machine_is_the_first_suspect_and_its_hosts_the_first_hosts(book: str, told: Any) -> None:
    cohort = machine(told)["cohort"]["physical_host"]
    physical = json.loads(here("hosts", "--physical", "-o", "json", "--casebook", book).stdout)
    assert (physical[0]["value"], physical[0]["hardware_episodes"]) == (cohort, physical[0]["episodes"])
    assert physical[0]["hardware_q"] < 1e-50
    bounds = [max(row["rate_ratio_low"] or 0, row["hardware_rate_ratio_low"] or 0) for row in physical]
    assert bounds == sorted(bounds, reverse=True)
    hosts = list(csv.DictReader(io.StringIO(here("hosts", "-n", "5", "-o", "csv", "--casebook", book).stdout)))
    assert len(hosts) == 5
    assert all(int(row["hardware_episodes"]) > 2 for row in hosts)


@pytest.mark.parametrize("command", ["hosts", "outbreaks"])
def test_parquet_has_the_rows_of_json(command: str, book: str) -> None:
    written = here(command, "-o", "parquet", "--casebook", book).stdout_bytes
    rows = pyarrow.parquet.read_table(io.BytesIO(written))
    assert rows.num_rows == len(json.loads(here(command, "-o", "json", "--casebook", book).stdout))


@every_command
def test_a_pipe_has_no_colour_and_no_line_over_eighty_columns(command: tuple[str, ...], book: str) -> None:
    text = here(*command, "--casebook", book).stdout
    assert "\x1b" not in text
    wide = [line for line in text.splitlines() if len(line) > 80 and "--casebook" not in line]
    assert [line for line in wide if not line.startswith("  Casebook ")] == []


@pytest.mark.parametrize("command", ["investigate", "hosts", "outbreaks"])
def test_a_terminal_that_only_knows_ascii_gets_ascii(command: str, fleet: Path) -> None:
    said = ask(command, "--casebook", "casebook", at=fleet, LC_ALL="C")
    assert (said.status, said.out.isascii(), "Traceback" in said.err) == (0, True, False)
    assert b"\\u" not in said.out
    if command != "hosts":
        assert b"  # " in said.out


@every_command
def test_a_casebook_that_is_empty_has_an_answer(command: tuple[str, ...], empty: str) -> None:
    said = here(*command, "--casebook", empty)
    assert said.exit_code == 0, said.exception
    assert said.stdout


def test_an_empty_casebook_says_how_to_fill_it(empty: str) -> None:
    said = here("investigate", "--casebook", empty)
    assert "\n  No crashes yet.\n" in said.stdout
    assert f"  broadstreet scan DIR --casebook {empty}\n" in said.stdout
    jsonschema.validate(json.loads(here("investigate", "--json", "--casebook", empty).stdout), SCHEMA)


@every_command
@pytest.mark.parametrize("which", ["bare", "real"])
def test_without_a_fleet_there_is_an_answer(
    command: tuple[str, ...], which: str, request: pytest.FixtureRequest
) -> None:
    said = here(*command, "--casebook", request.getfixturevalue(which))
    assert said.exit_code == 0, said.exception
    assert said.stdout


def test_without_time_at_risk_the_page_says_what_crashes_are_held_against(bare: str) -> None:
    text = " ".join(here("investigate", "--casebook", bare).stdout.split())
    assert "At risk not known crashes are compared with other crashes; broadstreet fleet add at_risk FILE" in text
    assert "No time at risk is known" in here("hosts", "--casebook", bare).stdout


def test_cases_without_a_time_are_undated_and_not_of_1970(real: str) -> None:
    text = here("investigate", "--casebook", real).stdout
    assert "1970" not in text
    assert "undated" in text


@every_command
def test_a_casebook_that_is_not_there_is_said_in_two_lines(command: tuple[str, ...], tmp_path: Path) -> None:
    said = ask(*command, "--casebook", "nowhere", at=tmp_path)
    assert (said.status, said.out) == (2, b"")
    assert said.err.splitlines()[0] == "broadstreet: no casebook at nowhere"


def test_the_readme_shows_what_is_printed(book: str) -> None:
    shown = (ROOT / "README.md").read_text("utf-8").partition("$ make run\n")[2].partition("\n```")[0]
    printed = here("investigate", "--casebook", book).stdout.replace(
        f"--casebook {book}", "--casebook .sample/casebook"
    )
    assert _figures(printed) == _figures(shown)


def _figures(page: str) -> list[str]:
    """Without its first lines, which name the casebook, and the last, which names its version."""
    lines = [line.rstrip() for line in page.splitlines()]
    first, last = (
        next(at for at, line in enumerate(lines) if line.startswith(f"  {word}")) for word in ("Read ", "Replays ")
    )
    return lines[first:last]
