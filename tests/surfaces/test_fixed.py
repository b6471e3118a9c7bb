"""`broadstreet fixed` on a part of the sample: what it prints, and what it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from broadstreet.pipeline.grouping import grouped
from broadstreet.store.questions import Questions
from tests.surfaces.shell import ROOT, broadstreet

SAMPLE = ROOT / "sample"
SINCE = ("--since", "2026-03-08")


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


def test_the_page_and_the_json_say_the_same(book: Path, syndrome: str) -> None:
    asked = ("fixed", "--syndrome", syndrome, *SINCE, "--casebook", book)
    page, told = broadstreet(*asked, store=book), json.loads(broadstreet(*asked, "--json", store=book).text)
    assert page.status == (0 if told["answer"] == "fixed" else 1)
    assert told["says"].split(":")[0] in page.text
    assert told["fix"] == {"since": "2026-03-08T00:00:00Z", "release": None, "without_host": None}
    assert told["before"]["episodes"] + told["after"]["episodes"] > 20
    assert f"{told['after']['episodes']}" in page.text
    assert 0 < told["test"]["p"] <= 1
    assert told["capture"]["before"]["fatal"] > 0


def test_the_line_that_query_prints_gives_the_p_again(book: Path, syndrome: str) -> None:
    asked = ("fixed", "--syndrome", syndrome, *SINCE, "--casebook", book)
    told = json.loads(broadstreet(*asked, "--json", store=book).text)
    line = broadstreet(*asked, "--query", store=book).text.splitlines()[-1]
    printed = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(printed.stdout) == pytest.approx(told["test"]["p"])


def test_the_machine_that_is_still_there_was_not_taken_out(book: Path, syndrome: str) -> None:
    asked = ("fixed", "--syndrome", syndrome, "--without-host", "ph-d11847", "--casebook", book)
    said = broadstreet(*asked, store=book)
    assert (said.status, said.out) == (2, b"")
    assert "--since DATE" in said.err


@pytest.mark.parametrize(
    "arguments",
    [(), (*SINCE, "--release", "26.1"), ("--release", "nothing"), ("--since", "1999-01-01"), ("--without-host", "x")],
)
def test_what_is_no_fix_is_refused_in_two_lines(arguments: tuple[str, ...], book: Path, syndrome: str) -> None:
    said = broadstreet("fixed", "--syndrome", syndrome, *arguments, "--casebook", book, store=book)
    assert (said.status, said.out) == (2, b"")
    assert len([line for line in said.err.splitlines() if "Simulated" not in line]) == 2


def test_a_syndrome_that_is_not_there_is_refused(book: Path) -> None:
    said = broadstreet("fixed", "--syndrome", "S-nothing", *SINCE, "--casebook", book, store=book)
    assert (said.status, said.out) == (2, b"")
    assert "no syndrome S-nothing" in said.err
