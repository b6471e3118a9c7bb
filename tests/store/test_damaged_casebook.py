"""A casebook that is damaged, or is none: said in a line or two, and nothing is changed."""

import os
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from broadstreet.errors import CasebookError, UsageError
from broadstreet.pipeline.scanning import Scan
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
from tests.store.examined import sample

EVERYTHING = "SELECT count(*) FROM cases JOIN findings USING (case_id) JOIN evidence USING (case_id)"
LONGEST = 600  # characters of a message


@lru_cache
def whole(folder: Path) -> Path:
    book = open_for_writing(str(folder))
    for at in range(0, 20, 10):
        book.add(sample()[at : at + 10], "a scan", "pointers", 2)
    book.close()
    return folder


@pytest.fixture
def casebook(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shutil.copytree(whole(tmp_path_factory.getbasetemp() / "whole"), tmp_path / "casebook")
    return tmp_path / "casebook"


def first_data(table: str) -> Callable[[Path], Path]:
    return lambda casebook: min((casebook / table).glob("*.parquet"))


def log(table: str, number: int) -> Callable[[Path], Path]:
    return lambda casebook: sorted((casebook / table / "_delta_log").glob("*.json"))[number]


def cut(path: Path) -> None:
    os.truncate(path, 100)


def garbled(path: Path) -> None:
    path.write_text("{garbage")


def log_gone(table: str) -> Callable[[Path], None]:
    return lambda casebook: shutil.rmtree(casebook / table / "_delta_log")


def of_a_later_format(path: Path) -> None:
    path.write_text(path.read_text().replace('"broadstreet.format":"1"', '"broadstreet.format":"2"'))


def done(hurt: Callable[[Path], None], at: Callable[[Path], Path]) -> Callable[[Path], None]:
    return lambda casebook: hurt(at(casebook))


HURT = {
    "a file of cases is gone": done(Path.unlink, first_data("cases")),
    "a file of specimens is gone": done(Path.unlink, first_data("specimens")),
    "a file of evidence is gone": done(Path.unlink, first_data("evidence")),
    "a file of cases is cut": done(cut, first_data("cases")),
    "a file of specimens is cut": done(cut, first_data("specimens")),
    "a file of commits is cut": done(cut, first_data("commits")),
    "the log of specimens is empty": log_gone("specimens"),
    "the log of traces is empty": log_gone("traces"),
    "the log of commits is empty": log_gone("commits"),
    "the log of cases is garbage": done(garbled, log("cases", -1)),
    "the log of commits is garbage": done(garbled, log("commits", 0)),
    "the log of cases has a hole": done(Path.unlink, log("cases", 1)),
    "the log of specimens lacks the last": done(Path.unlink, log("specimens", -1)),
    "its format is a later one": done(of_a_later_format, log("commits", 0)),
}


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def scan_nothing(cores: Path, casebook: Path) -> None:
    scan = Scan(open_for_writing(str(casebook)), str(casebook), (str(cores),), "none")
    assert list(scan.outcomes((), lambda new: iter(()), lambda one: None)) == []


@pytest.mark.parametrize("hurt", HURT.values(), ids=HURT.keys())
def test_damage_is_said_and_nothing_is_changed(tmp_path: Path, casebook: Path, hurt: Callable[[Path], None]) -> None:
    hurt(casebook)
    before = files(casebook)
    with pytest.raises((CasebookError, UsageError)) as asked, Questions(str(casebook)) as questions:
        questions.answer(EVERYTHING)
    with pytest.raises((CasebookError, UsageError)) as written:
        scan_nothing(tmp_path, casebook)
    assert max(len(str(asked.value)), len(str(written.value))) < LONGEST
    assert files(casebook) == before


def test_a_question_that_cannot_be_opened_leaves_no_folder(
    tmp_path: Path, casebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    cut(first_data("cases")(casebook))
    with pytest.raises(CasebookError):
        Questions(str(casebook))
    assert list((tmp_path / "temporary").iterdir()) == []
