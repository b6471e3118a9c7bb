"""`broadstreet lab` where something is wrong: one line that says what, one that says what to do."""

from pathlib import Path

import pytest

from broadstreet.lab.kernel import obstacles
from tests.surfaces.shell import Said, broadstreet


def refused(tmp_path: Path, *words: str, **variables: str) -> Said:
    said = broadstreet("lab", *words, store=tmp_path / "store", changes=variables)
    assert said.status != 0
    assert "Traceback" not in said.err
    return said


def test_a_set_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    said = refused(tmp_path, "crash", "bogus", "-o", str(tmp_path / "out"))
    assert "no set bogus" in said.err
    assert "bugs" in said.err
    assert "imitators" in said.err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    said = refused(tmp_path, "crash", "race", "-o", str(tmp_path))
    assert "is not empty" in said.err
    assert (tmp_path / "mine").read_text() == "precious"
    assert not (tmp_path / "bin").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--only", "no_such_bug"), "bugs has no no_such_bug"),
        (("--victim", "perl"), "bugs has no victims"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    assert told in refused(tmp_path, "crash", "bugs", "-o", str(tmp_path / "out"), *words).err


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    if obstacles():
        pytest.skip("; ".join(obstacles()))
    words = ("crash", "bugs", "--only", "call_null", "-o", str(tmp_path / "out"))
    said = refused(tmp_path, *words, PATH=str(tmp_path / "empty"))
    assert "gcc is not installed" in said.err
    assert "apt-get install gcc" in said.err


def test_without_compilers_the_list_says_what_cannot_be_made(tmp_path: Path) -> None:
    said = broadstreet("lab", "list", store=tmp_path / "store", changes={"PATH": str(tmp_path / "empty")})
    assert said.status == 0
    missing = said.text.partition("Not here\n")[2]
    said_of = dict(line.split(maxsplit=1) for line in missing.splitlines() if line[2] != " ")
    assert said_of["gcc"].startswith("not installed: apt-get install gcc")
    assert "crashes left out: no clang" in said_of["bugs"]
    assert said_of["ingest"] == "g++ is not installed"
    assert said_of["emulated"] == "qemu-aarch64 is not installed"
