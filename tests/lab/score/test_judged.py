"""Truth and cases side by side, by the name of the core dump."""

import json
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.lab.score.judged import judged
from broadstreet.lab.truth import append
from tests.lab.score.crashes import truth


def lines(*names: str) -> str:
    findings = [{"label": "one_bit_off", "state": "holds", "evidence": [], "needs": []}]
    case = {
        "mechanism": "one_bit_off",
        "features": {"raised_signal": 11},
        "findings": findings,
        "reader_version": 3,
        "rules_version": 4,
        "pc": "0x0",
    }
    return "".join(json.dumps({**case, "path": f"/elsewhere/{name}"}) + "\n" for name in names)


def made(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        append(folder, truth(core=name))
    return folder


def test_a_case_belongs_to_the_core_dump_of_its_name(tmp_path: Path) -> None:
    cases = tmp_path / "cases.ndjson"
    cases.write_text(lines("b.core", "a.core"))
    found = judged(made(tmp_path / "set", "a.core", "b.core"), cases)
    assert [(one.truth.core, one.case.path) for one in found] == [
        ("a.core", "/elsewhere/a.core"),
        ("b.core", "/elsewhere/b.core"),
    ]
    assert found[0].holds == {"one_bit_off"}


def test_the_truth_of_a_fleet_lies_in_a_folder_of_its_own(tmp_path: Path) -> None:
    cases = tmp_path / "cases.ndjson"
    cases.write_text(lines("a.core"))
    made(tmp_path / "fleet" / "truth", "a.core")
    assert len(judged(tmp_path / "fleet", cases)) == 1


def test_a_crash_that_the_cases_lack_is_named_and_not_passed_over(tmp_path: Path) -> None:
    cases = tmp_path / "cases.ndjson"
    cases.write_text(lines("a.core"))
    with pytest.raises(UsageError, match=r"1 core dumps .* not among the cases: b\.core"):
        judged(made(tmp_path / "set", "a.core", "b.core"), cases)


def test_cases_that_are_none_are_refused_with_what_to_do(tmp_path: Path) -> None:
    cases = tmp_path / "cases.ndjson"
    cases.write_text("mechanism,path\n")
    with pytest.raises(UsageError) as raised:
        judged(made(tmp_path / "set", "a.core"), cases)
    assert "scan DIR -o ndjson" in raised.value.hint


def test_a_folder_without_truth_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no truth") as raised:
        judged(tmp_path, None)
    assert "lab crash" in raised.value.hint


def test_cases_of_another_set_are_refused(tmp_path: Path) -> None:
    cases = tmp_path / "cases.ndjson"
    cases.write_text(lines("a.core").replace('"raised_signal": 11', '"raised_signal": 6'))
    with pytest.raises(UsageError, match=r"a\.core died of signal 11, and the case of that name of 6"):
        judged(made(tmp_path / "set", "a.core"), cases)


@pytest.mark.parametrize("left", ["", '{"core":"a.core","cause":"hard'])
def test_a_truth_that_was_cut_is_refused_with_what_to_do(tmp_path: Path, left: str) -> None:
    cases = tmp_path / "cases.ndjson"
    cases.write_text(lines("a.core"))
    (made(tmp_path / "set", "a.core") / "truth.jsonl").write_text(left)
    with pytest.raises(UsageError, match=r"truth\.jsonl") as raised:
        judged(tmp_path / "set", cases)
    assert "lab crash" in raised.value.hint
