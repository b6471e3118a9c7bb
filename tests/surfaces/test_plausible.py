"""`broadstreet plausible`: its page works as written, and it refuses what makes no sense."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.shell import ROOT, broadstreet

PAGE = (Path(__file__).parent.parent.parent / "docs" / "plausible.md").read_text("utf-8")
EXAMPLES = dict(
    block.partition("\n")[::2] for block in re.findall(r"```console\n\$ broadstreet (.*?)\n```", PAGE, re.DOTALL)
)
FIXED = [f"--set {setting}" for setting in ("window=1e-10", "operation_rate=1e4", "interrupt_rate=1000", "harm=1")]


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_page_shows_what_is_printed(command: str, tmp_path: Path) -> None:
    (tmp_path / "doses.csv").write_text("".join(re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)))
    said = broadstreet(*shlex.split(command), store=tmp_path, folder=tmp_path)
    assert said.text.rstrip() == EXAMPLES[command]


@pytest.mark.parametrize(("observed", "status"), [(260, 0), (260_000, 1), (2, 1)])
def test_the_exit_status_says_whether_it_is_rejected(observed: int, status: int, tmp_path: Path) -> None:
    arguments = shlex.split(f"{' '.join(FIXED)} --observed {observed} --at-risk 72")
    assert broadstreet("plausible", "signal_race", *arguments, store=tmp_path).status == status


def test_json_has_what_the_table_says(tmp_path: Path) -> None:
    arguments = shlex.split(f"{' '.join(FIXED)} --observed 260 --at-risk 72 --seed 5 -o json")
    told = json.loads(broadstreet("plausible", "signal_race", *arguments, store=tmp_path).text)
    assert told["hours_between"]["value"] == pytest.approx(0.2778, rel=1e-3)
    assert (told["answer"], told["seed"], told["draws"]) == ("compatible", 5, 10_000)


def test_the_line_that_query_prints_gives_the_figures_again(tmp_path: Path) -> None:
    arguments = shlex.split(f"{' '.join(FIXED)} --observed 260 --at-risk 72 --query")
    said = broadstreet("plausible", "signal_race", *arguments, store=tmp_path).text
    line = said.splitlines()[-1]
    again = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "answer='compatible'" in again
    assert "predicted=Interval(value=259.0, low=228.0, high=292.0)" in again
    assert "259, 95 % 228 to 292" in said


def test_two_values_have_their_geometric_mean_as_the_middle(tmp_path: Path) -> None:
    arguments = ("plausible", "signal_race", "--set", "operation-rate=1,100", "--observed", "1", "--at-risk", "1")
    told = json.loads(broadstreet(*arguments, "-o", "json", store=tmp_path).text)
    assert told["factors"]["operation_rate"] == {"low": 1, "mid": 10, "high": 100}


@pytest.mark.parametrize("setting", ["window", "window=", "window=a", "window=2,1", "window=0", "window=1,2,3,4"])
def test_a_setting_that_is_no_range_is_refused(setting: str, tmp_path: Path) -> None:
    said = broadstreet("plausible", "signal_race", "--set", setting, store=tmp_path)
    assert (said.status, said.out) == (2, b"")
    assert "LOW,HIGH" in said.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ([], "plausible --list"),
        (["nonsense"], "plausible --list"),
        (["signal_race"], "--observed"),
        (["signal_race", "--observed", "3", "--at-risk", "5"], "--set operation_rate"),
        (["signal_race", "--observed", "3", "--at-risk", "5", "--solve", "gap"], "operation_rate"),
    ],
)
def test_what_is_lacking_is_said_with_what_to_try(arguments: list[str], hint: str, tmp_path: Path) -> None:
    said = broadstreet("plausible", *arguments, store=tmp_path)
    assert (said.status, said.out) == (2, b"")
    assert hint in said.err.splitlines()[1]


def test_a_chance_too_small_to_tell_is_no_figure(tmp_path: Path) -> None:
    arguments = shlex.split(f"{' '.join(FIXED)} --observed 2 --at-risk 1e6")
    said = broadstreet("plausible", "signal_race", *arguments, store=tmp_path)
    assert "P(so many or fewer) under 1e-300" in " ".join(said.text.split())


def test_what_is_to_be_set_names_its_unit(tmp_path: Path) -> None:
    listed = broadstreet("plausible", "--list", store=tmp_path).text
    assert "to be set, GiB" in listed
    said = broadstreet("plausible", "soft_error", "--observed", "3", "--at-risk", "5", store=tmp_path)
    assert "nothing is known of fit_per_mbit (FIT/Mbit)" in said.err


@pytest.mark.parametrize("row", ["a,-1,2,3", "a,1,2.5,3", "a,1,2,0", "a,1,2", "a,nan,2,3", "a,1,2,inf"])
def test_a_row_of_doses_that_makes_no_sense_is_named_by_its_line(row: str, tmp_path: Path) -> None:
    (tmp_path / "doses.csv").write_text(f"cohort,dose,cases,at_risk\nfirst,1,2,3\n{row}\n")
    said = broadstreet("plausible", "--doses", tmp_path / "doses.csv", store=tmp_path)
    assert said.status == 2
    assert "line 3" in said.err


def test_a_column_that_is_lacking_is_named(tmp_path: Path) -> None:
    (tmp_path / "doses.csv").write_text("cohort,dose,cases\n")
    said = broadstreet("plausible", "--doses", tmp_path / "doses.csv", store=tmp_path)
    assert "no column at_risk" in said.err
