"""Which files of a folder are core dumps."""

import gzip
import os
from pathlib import Path

import pytest

from broadstreet.sources.folder import core_dumps, is_named_like_one
from tests import synth
from tests.reading.specimens import core


@pytest.fixture(scope="module")
def content() -> bytes:
    return synth.core_dump(core())


def found(folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in core_dumps(str(folder))]


def test_a_core_dump_is_known_by_its_bytes_whatever_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("core", "core.4711", "crash.dmp", "deep/x", "deep/er/ü"):
        (tmp_path / name).write_bytes(content)
    assert found(tmp_path) == ["core", "core.4711", "crash.dmp", "deep/x", "deep/er/ü"]


def test_other_files_are_left_out(tmp_path: Path, content: bytes) -> None:
    library = bytearray(content)
    library[16] = 3
    for name, data in {
        "libcore.so": bytes(library),
        "notes.txt": b"core",
        "core.json": b"{}",
        "truth.jsonl": b"{}",
        "empty": b"",
        "backup.gz": gzip.compress(content),
    }.items():
        (tmp_path / name).write_bytes(data)
    assert found(tmp_path) == []


def test_a_compressed_core_dump_is_known_by_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "core.sh.0.gz").write_bytes(gzip.compress(content))
    assert found(tmp_path) == ["core.sh.0.gz"]


def test_a_damaged_file_that_is_named_like_a_core_dump_is_offered(tmp_path: Path) -> None:
    (tmp_path / "core.17").write_bytes(b"\0" * 100)
    assert found(tmp_path) == ["core.17"]


def test_links_and_pipes_are_left_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "core").write_bytes(content)
    (tmp_path / "core.link").symlink_to(tmp_path / "core")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "core.dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "core.pipe")
    assert found(tmp_path) == ["core"]


def test_a_file_is_offered_as_it_is_and_so_is_a_path_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    for name in ("notes.txt", "nowhere"):
        assert list(core_dumps(str(tmp_path / name))) == [str(tmp_path / name)]


@pytest.mark.parametrize(
    "name", ["core", "core.1", "a.core.zst", "2026-06-30-core.7", "vm_coredump", "x.crash", "my-core-3.gz", "1-core"]
)
def test_a_listing_knows_core_dumps_by_these_names(name: str) -> None:
    assert is_named_like_one(name)


@pytest.mark.parametrize(
    "name", ["score.txt", "encore", "core.1.json", "core_backtrace", "cores.jsonl", "photos.zip", "hardcore"]
)
def test_a_listing_does_not_take_these_names_for_core_dumps(name: str) -> None:
    assert not is_named_like_one(name)
