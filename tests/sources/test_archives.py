"""What real collectors leave: the core dump in it is read, where and when is told, secrets are not."""

import json
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import lz4.frame
import msgspec
import pytest
import zstandard

from broadstreet.pipeline.together import examine_together
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.specimen import Examined
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.core_file import OpenCore
from broadstreet.sources.specimens import specimens
from tests import synth
from tests.reading.specimens import core
from tests.sources.collected import SECRET, apport_report, handler_zip, problem_folder
from tests.sources.test_bucket import bucket

NOISE = Random(18).randbytes(3 << 20)


@pytest.fixture(scope="module")
def content() -> bytes:
    """The stack lies at the end, noise before it."""
    filler = synth.Map(start=0x7F00_0000_0000, end=0x7F00_0000_0000 + len(NOISE), flags="rw", data=NOISE)
    return synth.core_dump(core(filler))


def only(place: str) -> Examined:
    (one,) = examine_together(specimens(place), Binaries())
    return one


def case_in(place: str) -> Case:
    outcome = only(place).outcome
    assert isinstance(outcome, Case), outcome
    assert SECRET not in json.dumps(msgspec.to_builtins(outcome))
    return outcome


def plain(folder: Path, content: bytes) -> Case:
    folder.mkdir()
    (folder / "core").write_bytes(content)
    return case_in(str(folder))


def told(case: Case) -> tuple[object, ...]:
    return case.case_id, case.mechanism, case.findings, case.frames, case.features


def both(folder: Path) -> list[Case]:
    """From the folder, and from a bucket with the same content."""
    local = case_in(str(folder))
    with bucket(folder):
        return [local, case_in("s3://cores")]


@pytest.mark.parametrize("piece", [1 << 20, 5000, 7])
def test_an_apport_report_is_streamed(tmp_path: Path, content: bytes, piece: int) -> None:
    content = content if piece > 7 else content[:300_000]
    expected = plain(tmp_path / "plain", content)
    (tmp_path / "crash").mkdir()
    (tmp_path / "crash" / "_usr_bin_walker.1000.crash").write_bytes(apport_report(content, piece))
    for case in both(tmp_path / "crash"):
        where = case.circumstances
        assert told(case) == told(expected)
        assert (where.time, where.time_source) == ("2026-10-06T11:38:57.000000Z", "collector")
        assert where.labels == (("distribution", "Ubuntu 26.04"), ("package", "walker 9.7-1"))
        assert (where.host, where.host_source) == (None, "unknown")


def test_reports_of_other_kinds_are_no_core_dumps(tmp_path: Path) -> None:
    (tmp_path / "linux-image.0.crash").write_bytes(b"ProblemType: KernelOops\nDate: Tue Oct  6 11:38:57 2026\n")
    (tmp_path / "vmcore.crash").write_bytes(b"\0" * 100)
    assert [one.location for one in specimens(str(tmp_path))] == []


def test_a_report_without_a_core_dump_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "a.crash").write_bytes(b"ProblemType: Crash\nDate: Tue Oct  6 11:38:57 2026\nSignal: 6\n")
    failure = only(str(tmp_path)).outcome
    assert isinstance(failure, Unreadable)
    assert failure.kind == "apport report: wanted a CoreDump"


def test_a_report_that_was_cut_gives_what_it_holds(tmp_path: Path, content: bytes) -> None:
    report = apport_report(content)
    (tmp_path / "a.crash").write_bytes(report[: len(report) // 2])
    case = case_in(str(tmp_path))
    assert any(gap.what == "memory" for gap in case.missing)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_of_core_dump_handler_tells_node_and_pod(tmp_path: Path, content: bytes, method: int) -> None:
    expected = plain(tmp_path / "plain", content)
    (tmp_path / "zips").mkdir()
    handler_zip(tmp_path / "zips", content, method)
    for case in both(tmp_path / "zips"):
        where = case.circumstances
        assert told(case) == told(expected)
        assert (where.host, where.host_source) == ("node-17", "collector")
        assert (where.time, where.time_source) == ("2026-06-30T12:00:00.000000Z", "collector")
        assert dict(where.labels) == {
            "pod": "web-7f9c-x2x",
            "namespace": "shop",
            "container": "web",
            "image": "registry/shop/web:1.4",
        }


def test_a_zip_without_what_the_runtime_says_is_read(tmp_path: Path, content: bytes) -> None:
    handler_zip(tmp_path, content, runtime=False)
    assert (case_in(str(tmp_path)).circumstances.host, case_in(str(tmp_path)).circumstances.labels) == ("node-17", ())


def test_a_stored_member_of_a_zip_is_read_by_range(tmp_path: Path, content: bytes) -> None:
    path = handler_zip(tmp_path, content, zipfile.ZIP_STORED)
    with OpenCore(str(path)) as source:
        assert source.ranges(((0, 4), (len(content) - 8, 100))) == [content[:4], content[-8:]]
        assert source.bytes_read < 300_000


def test_a_zip_that_was_cut_is_named(tmp_path: Path, content: bytes) -> None:
    path = handler_zip(tmp_path, content)
    path.write_bytes(path.read_bytes()[:-200])
    failure = only(str(tmp_path)).outcome
    assert isinstance(failure, Unreadable)
    assert failure.kind == "zip archive: wanted the end of its directory"


def test_other_zips_are_left_out_of_a_folder_and_named_where_they_are_asked_for(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("a.txt", "text")
    assert list(specimens(str(tmp_path))) == []
    failure = only(str(tmp_path / "photos.zip")).outcome
    assert isinstance(failure, Unreadable)
    assert failure.kind == "zip archive: wanted a member NAME.core"


@pytest.mark.parametrize("damage", range(12))
def test_a_damaged_zip_or_report_gives_a_case_or_a_reason(tmp_path: Path, content: bytes, damage: int) -> None:
    random = Random(damage)
    path = handler_zip(tmp_path, content[:200_000])
    report = tmp_path / "a.crash"
    report.write_bytes(apport_report(content[:200_000], 9000))
    for file in (path, report):
        data = bytearray(file.read_bytes())
        for _ in range(20):
            data[random.randrange(20, len(data))] = random.randrange(256)
        for _ in range(20):
            data[random.randrange(len(data) - 1000, len(data))] = random.randrange(256)
        file.write_bytes(data)
    for one in examine_together(specimens(str(tmp_path)), Binaries()):
        assert isinstance(one.outcome, Case) or "bug" not in one.outcome.kind, one.outcome


def test_a_problem_folder_is_one_specimen(tmp_path: Path, content: bytes) -> None:
    expected = plain(tmp_path / "plain", content)
    problem_folder(tmp_path / "abrt", content)
    case = case_in(str(tmp_path / "abrt"))
    where = case.circumstances
    assert told(case) == told(expected)
    assert where.path.endswith("-23595/coredump")
    assert (where.host, where.host_source) == ("node-17.example", "collector")
    assert (where.time, where.time_source) == ("2026-06-30T12:00:00.000000Z", "collector")
    assert where.labels == (("package", "walker-9.7-1.el10"), ("reason", "walker killed by SIGSEGV"))


def test_a_compressed_core_dump_in_a_problem_folder_is_found(tmp_path: Path, content: bytes) -> None:
    problem_folder(tmp_path, lz4.frame.compress(content), "coredump.lz4")
    assert case_in(str(tmp_path)).circumstances.host == "node-17.example"


def test_the_kernel_that_a_collector_names_counts_where_the_core_dump_says_none(tmp_path: Path) -> None:
    without_vdso = synth.core_dump(core())[:20_000]
    problem_folder(tmp_path, without_vdso)
    assert case_in(str(tmp_path)).circumstances.kernel_release == "6.12.0-211.el10.x86_64"


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zst": zstandard.compress,
    "lz4": lz4.frame.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("form", list(PACKERS))
def test_the_store_of_systemd_is_read_with_its_attributes(tmp_path: Path, content: bytes, form: str) -> None:
    name = f"core.walk\\x2f1.1000.ae0ddef8aa2b41c0be6cf0e85d482248.23595.1782820800123456.{form}"
    (tmp_path / name).write_bytes(PACKERS[form](content))
    path = str(tmp_path / name)
    try:
        for key, value in {"hostname": "node-3", "tid": "23601", "thread_name": "io-7", "exe": "/usr/bin/w"}.items():
            os.setxattr(path, f"user.coredump.{key}", value.encode())
    except OSError as error:
        pytest.skip(f"this filesystem keeps no user attributes: {error}")
    where = case_in(str(tmp_path)).circumstances
    assert (where.host, where.host_source) == ("node-3", "xattr")
    assert (where.time, where.time_source) == ("2026-06-30T12:00:00.123456Z", "file_name")
    assert where.labels == (("thread_name", "io-7"),)
    with bucket(tmp_path):
        where = case_in("s3://cores").circumstances
    assert (where.time_source, where.host_source) == ("file_name", "unknown")
