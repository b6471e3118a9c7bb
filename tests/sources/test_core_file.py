"""Core dumps in files: plain, compressed, cut, hostile, and things that are no files."""

import gzip
import json
import lzma
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import lz4.frame
import msgspec
import pytest
import zstandard

from broadstreet.errors import UnreadableSpecimen
from broadstreet.pipeline.outcome import outcome_at
from broadstreet.pipeline.reading import case_at
from broadstreet.records.case import Case, Unreadable
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.core_file import OpenCore, PlainCore
from tests import synth
from tests.reading.specimens import STACK, core

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lambda data: lz4.frame.compress(data, block_size=lz4.frame.BLOCKSIZE_MAX64KB),
    "gz": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
}
FORMS = pytest.mark.parametrize("form", list(PACKERS))
NOISE = random.Random(7).randbytes(300_000)  # does not compress: a cut of the file is a cut of the core


@pytest.fixture(scope="module")
def plain() -> bytes:
    """The notes are at the beginning, the stack at the end, and noise between them."""
    filler = synth.Map(start=0x7F00_0000_0000, end=0x7F00_0010_0000, flags="rw", data=NOISE)
    return synth.core_dump(core(filler))


def written(folder: Path, content: bytes, name: str = "core") -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def comparable(case: Case) -> dict[str, object]:
    fields = json.loads(msgspec.json.encode(case))
    for different in ("circumstances", "bytes_read", "bytes_present"):
        del fields[different]
    return dict(fields)


@FORMS
def test_a_compressed_core_gives_the_same_case(tmp_path: Path, plain: bytes, form: str) -> None:
    packed = PACKERS[form](plain)
    expected = case_at(written(tmp_path, plain), Binaries())
    assert expected.pc is not None
    assert comparable(case_at(written(tmp_path, packed, f"core.{form}"), Binaries())) == comparable(expected)
    assert comparable(case_at(written(tmp_path, packed, "named.otherwise"), Binaries())) == comparable(expected)


@FORMS
def test_a_core_of_several_streams_is_read_to_its_end(tmp_path: Path, plain: bytes, form: str) -> None:
    half = len(plain) // 2
    packed = PACKERS[form](plain[:half]) + PACKERS[form](plain[half:])
    expected = comparable(case_at(written(tmp_path, plain), Binaries()))
    assert comparable(case_at(written(tmp_path, packed, f"core.{form}"), Binaries())) == expected


@FORMS
def test_a_stream_that_was_cut_gives_what_it_holds(tmp_path: Path, plain: bytes, form: str) -> None:
    whole = case_at(written(tmp_path, plain), Binaries())
    packed = PACKERS[form](plain)
    for cut in (len(packed) // 2, len(packed) * 4 // 5):
        case = case_at(written(tmp_path, packed[:cut], f"core.{form}"), Binaries())
        assert (case.case_id, case.pc, case.sp) == (whole.case_id, whole.pc, whole.sp)
        assert any(gap.what == "memory" for gap in case.missing)


@FORMS
def test_a_stream_that_was_damaged_gives_what_stands_before(tmp_path: Path, plain: bytes, form: str) -> None:
    whole = case_at(written(tmp_path, plain), Binaries())
    packed = bytearray(PACKERS[form](plain))
    place = len(packed) * 4 // 5
    packed[place : place + 64] = bytes(64)
    case = case_at(written(tmp_path, bytes(packed), f"core.{form}"), Binaries())
    assert (case.case_id, case.pc) == (whole.case_id, whole.pc)


@FORMS
@pytest.mark.parametrize("kept", [1, 5, 9, 30])
def test_a_stream_without_a_header_of_a_core_is_refused(tmp_path: Path, plain: bytes, form: str, kept: int) -> None:
    with pytest.raises(UnreadableSpecimen):
        case_at(written(tmp_path, PACKERS[form](plain)[:kept], f"core.{form}"), Binaries())


@FORMS
def test_noise_behind_the_magic_is_refused(tmp_path: Path, plain: bytes, form: str) -> None:
    content = PACKERS[form](plain)[:6] + NOISE[:5000]
    with pytest.raises(UnreadableSpecimen):
        case_at(written(tmp_path, content, f"core.{form}"), Binaries())


@FORMS
def test_text_that_was_compressed_is_refused_by_name(tmp_path: Path, form: str) -> None:
    with pytest.raises(UnreadableSpecimen, match="ELF header"):
        case_at(written(tmp_path, PACKERS[form](b"no core dump at all\n" * 100), f"core.{form}"), Binaries())


@FORMS
def test_only_what_is_needed_of_a_stream_is_unpacked(tmp_path: Path, plain: bytes, form: str) -> None:
    with OpenCore(written(tmp_path, PACKERS[form](plain + NOISE * 20), f"core.{form}")) as source:
        assert source.ranges(((0, 4), (4096, 8))) == [plain[:4], plain[4096:4104]]
        assert source.bytes_read < 1 << 20


LIMITED = """
import resource, sys
from broadstreet.pipeline.outcome import outcome_at
from broadstreet.sources.binaries import Binaries
outcome_at(sys.argv[1], Binaries())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * 4096 + (400 << 20),) * 2)
case = outcome_at(sys.argv[2], Binaries())
print(type(case).__name__, getattr(case, "bytes_read", case))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def bomb(form: str, head: bytes) -> bytes:
    """A core dump's beginning and then 256 MiB of zeros, packed piece by piece."""
    return PACKERS[form](head) + PACKERS[form](bytes(64 << 20)) * 4


@FORMS
def test_a_bomb_does_not_grow_the_memory(tmp_path: Path, plain: bytes, form: str) -> None:
    small = written(tmp_path, PACKERS[form](plain), f"small.{form}")
    head = bytearray(plain)
    head[64 + 32 : 64 + 40] = (1 << 40).to_bytes(8, "little")  # the notes claim a terabyte
    stack = next(at for at in range(64, 2000, 56) if head[at + 16 : at + 24] == STACK.to_bytes(8, "little"))
    head[stack + 8 : stack + 16] = (240 << 20).to_bytes(8, "little")  # the stack lies behind most of the zeros
    large = written(tmp_path, bomb(form, bytes(head)), f"large.{form}")
    command = [sys.executable, "-c", LIMITED, small, large]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    outcome, bytes_read, grown_mebibytes = done.stdout.split()
    assert outcome == "Case"
    assert int(bytes_read) > 0.9 * os.path.getsize(large), "it went through the zeros"
    assert int(grown_mebibytes) < 64


@pytest.mark.parametrize("size", [1 << 40, 1 << 62, (1 << 63) - 1])
def test_no_size_that_was_asked_for_is_allocated(tmp_path: Path, size: int) -> None:
    with open(written(tmp_path, b"0123456789"), "rb") as file:
        source = PlainCore(file.fileno())
        assert source.ranges(((2, size), (10, size), (size, size), (0, 0))) == [b"23456789", b"", b"", b""]
        assert source.bytes_read == 8


def test_a_sparse_core_is_read_without_its_holes(tmp_path: Path, plain: bytes) -> None:
    path = written(tmp_path, plain)
    os.truncate(path, 100 << 30)
    case = case_at(path, Binaries())
    assert case.bytes_present == 100 << 30
    assert case.bytes_read < 256 << 10


def test_a_folder_is_no_core_dump(tmp_path: Path) -> None:
    outcome = outcome_at(str(tmp_path), Binaries())
    assert isinstance(outcome, Unreadable)
    assert outcome.kind == "Is a directory"


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "core")
    with pytest.raises(UnreadableSpecimen, match="wanted a regular file"):
        OpenCore(str(tmp_path / "core"))


def test_a_device_is_no_core_dump() -> None:
    with pytest.raises(UnreadableSpecimen, match="wanted a regular file"):
        OpenCore("/dev/zero")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right of root to read every file."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path: Path, plain: bytes) -> None:
    path = written(tmp_path, plain)
    os.chmod(path, 0)
    with as_nobody():
        outcome = outcome_at(path, Binaries())
    assert isinstance(outcome, Unreadable)
    assert outcome.kind == "Permission denied"


def test_a_file_that_is_gone_is_named_with_the_reason(tmp_path: Path) -> None:
    outcome = outcome_at(str(tmp_path / "core"), Binaries())
    assert isinstance(outcome, Unreadable)
    assert (outcome.path, outcome.kind) == (str(tmp_path / "core"), "No such file or directory")


@pytest.mark.parametrize("content", [b"", b"\x7f", b"\x7fELF", b"#!/bin/sh\n", bytes(4096)])
def test_a_file_that_is_no_core_dump_is_refused(tmp_path: Path, content: bytes) -> None:
    outcome = outcome_at(written(tmp_path, content), Binaries())
    assert isinstance(outcome, Unreadable)
    assert outcome.kind.startswith("ELF header")
