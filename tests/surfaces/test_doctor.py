"""`broadstreet doctor`, on the host where this runs and with made-up answers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from broadstreet.pipeline.casebook_checks import CASEBOOK_CHECKS, casebook_diagnoses
from broadstreet.pipeline.host_checks import HOST_CHECKS, host_diagnoses
from broadstreet.records.diagnosis import Diagnosis
from broadstreet.sources.host import host_facts
from broadstreet.surfaces import doctor
from broadstreet.surfaces.cli import cli
from tests.hosts import made_up
from tests.pipeline.test_casebook_checks import NOTHING_LACKS, InMemory
from tests.surfaces.shell import broadstreet

ROOT = Path(__file__).parent.parent.parent
BAD = {"proc/sys/kernel/core_pattern": "core\n", "proc/self/coredump_filter": "00000000\n"}


def bad_host(root: Path) -> list[Diagnosis]:
    found = host_facts(made_up(root, BAD), str(root), ())
    return host_diagnoses(replace(found, extras={"symbols": True, "cluster": True}))


def test_this_host_has_an_answer_to_every_check(tmp_path: Path) -> None:
    said = broadstreet("doctor", "-o", "json", store=tmp_path, folder=tmp_path)
    found = json.loads(said.text)
    assert (said.status, said.err) == (0, "")
    assert {one["name"] for one in found} == {check.name for check in HOST_CHECKS}
    assert {one["state"] for one in found} <= {"lacking", "not_known", "ok"}
    assert all(one["remedy"] for one in found if one["state"] == "lacking")


def test_strict_fails_where_something_is_lacking(tmp_path: Path) -> None:
    """The store of the test is empty, so at least that is."""
    assert broadstreet("doctor", store=tmp_path).status == 0
    assert broadstreet("doctor", "--strict", store=tmp_path).status == 1


def test_the_page_says_the_worst_first_and_what_is_well_in_one_paragraph(tmp_path: Path) -> None:
    lines = list(doctor.lines(bad_host(tmp_path)))
    assert lines[1] == "  This host: 4 lacking, the worst first"
    assert lines[3].startswith("  ● core_pattern: kernel.core_pattern is `core`: ")
    assert lines[-2].startswith("  Well: ") or lines[-2].startswith("    ")
    text = "\n".join(lines)
    assert text.index("● core_pattern") < text.index("● coredump_filter") < text.index("● binaries")
    assert text.count("● ") == text.count("mend: ") == 4


def test_a_remedy_stands_in_one_line_and_all_else_fits_eighty_columns(tmp_path: Path) -> None:
    found = bad_host(tmp_path)
    lines = list(doctor.lines(found))
    assert {one.remedy for one in found if one.remedy} == {
        line.removeprefix("    mend: ") for line in lines if line.startswith("    mend: ")
    }
    assert [line for line in lines if len(line) > 79 and not line.startswith("    mend: ")] == []


def test_a_casebook_has_a_part_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = InMemory({**NOTHING_LACKS, "without_host": 12}, missing=[("/bin/\x1b[31mapi", "ab" * 20, 30)])
    monkeypatch.setattr(doctor, "casebook_diagnoses_of", lambda url: tuple(casebook_diagnoses(book)))
    result = CliRunner().invoke(cli, ["doctor", "--casebook", "anywhere"])
    part = result.stdout.split("  The casebook: ")[1]
    assert part.startswith("2 lacking, the worst first\n")
    assert "12 of 1,000 cases do not say on which host they happened." in part
    assert "       30  " + "ab" * 20 + "  /bin/\\x1b[31mapi" in part
    assert "\x1b" not in part


def test_a_part_that_lacks_nothing_says_so() -> None:
    assert list(doctor.lines(casebook_diagnoses(InMemory())))[:2] == ["", "  The casebook: nothing is lacking"]


def test_every_check_has_its_line_in_the_docs_with_the_harm_that_it_says() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text("utf-8").splitlines()
    rows = {row.split("`")[1]: row for row in page if row.startswith("| `")}
    assert set(rows) == {check.name for check in (*HOST_CHECKS, *CASEBOOK_CHECKS)}
    checks = (*HOST_CHECKS, *CASEBOOK_CHECKS)
    assert [one.name for one in checks if not rows[one.name].endswith((f" {one.harm} |", " | |"))] == []
