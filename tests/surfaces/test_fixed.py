"""`broadstreet fixed` on a part of the sample: what it prints, and what it refuses."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from broadstreet.pipeline.grouping import grouped
from broadstreet.store.questions import Questions
from tests.surfaces.shell import ROOT, Said, broadstreet

SAMPLE = ROOT / "sample"
SINCE, RELEASE = ("--since", "2026-03-08"), ("--release", "26.1")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A casebook of a tenth of the sample."""
    folder = tmp_path_factory.mktemp("fixed")
    (folder / "cores").mkdir()
    for core in sorted((SAMPLE / "cores").glob("*.core.zst"))[::10]:
        for path in (core, core.with_name(core.name + ".json")):
            shutil.copy(path, folder / "cores")
    binaries = ("--binaries", SAMPLE / "binaries")
    assert broadstreet("scan", folder / "cores", *binaries, "--casebook", folder / "book", store=folder).status == 0
    tables = sorted((SAMPLE / "fleet").glob("*.parquet"))
    assert tables
    assert broadstreet("fleet", "add", SAMPLE / "fleet", "--casebook", folder / "book", store=folder).status == 0
    return folder / "book"


@pytest.fixture(scope="module")
def syndrome(book: Path) -> str:
    """Its largest."""
    with Questions(str(book)) as questions:
        grouping = grouped(questions)
    return grouping.syndromes[int(np.bincount(grouping.syndrome).argmax())]


class Told(NamedTuple):
    """What one fix came to: as JSON, and as a page with its query."""

    json: dict[str, Any]
    page: Said


@pytest.fixture(scope="module", params=[SINCE, RELEASE], ids=["date", "release"])
def told(request: pytest.FixtureRequest, book: Path, syndrome: str) -> Told:
    asked = ("fixed", "--syndrome", syndrome, *request.param, "--casebook", book)
    return Told(json.loads(broadstreet(*asked, "--json", store=book).text), broadstreet(*asked, "--query", store=book))


def test_the_page_and_the_json_say_the_same(told: Told) -> None:
    assert told.page.status == (0 if told.json["answer"] == "fixed" else 1)
    assert told.json["says"].split(":")[0] in told.page.text
    assert told.json["before"]["episodes"] + told.json["after"]["episodes"] > 20
    assert 0 < told.json["test"]["p"] <= 1
    assert told.json["capture"]["before"]["fatal"] > 0


def test_the_line_that_query_prints_gives_the_p_again(told: Told) -> None:
    line = told.page.text.splitlines()[-1]
    printed = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(printed.stdout) == pytest.approx(told.json["test"]["p"])


def test_the_sql_that_query_prints_gives_both_sides_again(told: Told, book: Path) -> None:
    lines = [line for line in told.page.text.splitlines() if line.startswith("broadstreet sql")]
    crashes, at_risk = (
        json.loads(broadstreet(*shlex.split(line)[1:], "-o", "json", store=book).text) for line in lines
    )
    before, after = told.json["before"], told.json["after"]
    assert sum(row["crashes"] for row in crashes) == before["episodes"] + after["episodes"]
    if told.json["fix"]["since"]:
        assert at_risk == [{name: pytest.approx(told.json[name]["at_risk"]) for name in ("before", "after")}]
        return
    whole = sum(row["at_risk"] for row in at_risk if row["side"] is not None)
    assert whole == pytest.approx(before["at_risk"] + after["at_risk"])


def test_the_machine_that_is_still_there_was_not_taken_out(book: Path, syndrome: str) -> None:
    asked = ("fixed", "--syndrome", syndrome, "--without-host", "ph-d11847", "--casebook", book)
    said = broadstreet(*asked, store=book)
    assert (said.status, said.out) == (2, b"")
    assert "--since DATE" in said.err


def test_a_host_with_a_date_took_no_work_since(book: Path, syndrome: str) -> None:
    asked = ("fixed", "--syndrome", syndrome, "--without-host", "ph-d11847", *SINCE, "--casebook", book)
    said = broadstreet(*asked, store=book)
    assert "Traceback" not in said.err
    assert said.text.startswith(f"  {syndrome}, without ph-d11847, since 2026-03-08 00:00 UTC")


@pytest.mark.parametrize("text", ["2026-03-08T23:57", "2026-03-08T23:57:50Z", "2026-03-09T01:57:50+02:00"])
def test_a_time_may_be_as_the_json_writes_it(text: str, book: Path, syndrome: str) -> None:
    told = broadstreet("fixed", "--syndrome", syndrome, "--since", text, "--json", "--casebook", book, store=book)
    assert json.loads(told.text)["moment"].startswith("2026-03-08T23:57")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (*SINCE, *RELEASE),
        (*RELEASE, "--without-host", "ph-d11847"),
        ("--release", "nothing"),
        ("--since", "1999-01-01"),
        ("--without-host", "x"),
    ],
)
def test_what_is_no_fix_is_refused_in_two_lines(arguments: tuple[str, ...], book: Path, syndrome: str) -> None:
    said = broadstreet("fixed", "--syndrome", syndrome, *arguments, "--casebook", book, store=book)
    assert (said.status, said.out) == (2, b"")
    assert len([line for line in said.err.splitlines() if "Simulated" not in line]) == 2


def test_a_syndrome_that_is_not_there_is_refused(book: Path) -> None:
    said = broadstreet("fixed", "--syndrome", "S-nothing", *SINCE, "--casebook", book, store=book)
    assert (said.status, said.out) == (2, b"")
    assert "no syndrome S-nothing" in said.err
