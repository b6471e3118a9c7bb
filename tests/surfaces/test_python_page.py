"""docs/python.md is true: each of its blocks runs, in order, in one program."""

import os
import re
from pathlib import Path

import pytest

import broadstreet
from broadstreet.errors import UsageError
from broadstreet.surfaces.api import Book, Rows

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)


def test_every_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    os.symlink(ROOT / "corpus", tmp_path / "corpus")
    monkeypatch.chdir(tmp_path)
    program: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), program)
    said = capsys.readouterr().out
    assert said.startswith(f"{len(list((ROOT / 'corpus' / 'cores').iterdir()))} read, 0 known before, 0 not readable")
    assert len(BLOCKS) > 8


def test_every_verb_of_the_command_line_is_on_the_page_or_says_what_it_does() -> None:
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    verbs = [name for name in vars(Book) if not name.startswith("_") and callable(getattr(Book, name))]
    assert [name for name in verbs if f"book.{name}(" not in page and name not in ("close",)] == []
    assert [name for name in ("arrow", "pandas", "polars", "dicts") if f"{name}()" not in page] == []
    assert all((getattr(Rows, name).__doc__ or "").strip() for name in ("arrow", "pandas", "polars", "dicts"))


def test_a_casebook_that_is_open_at_a_version_is_not_changed(tmp_path: Path) -> None:
    url = str(tmp_path / "book")
    with broadstreet.open(url, create=True) as book:
        book.scan(str(ROOT / "corpus" / "cores"), sample="20%")
        number = book.version
    with broadstreet.open(url, version=number) as fixed, pytest.raises(UsageError, match=f"open at version {number}"):
        fixed.relabel()


def test_a_casebook_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no casebook"):
        broadstreet.open(str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()
